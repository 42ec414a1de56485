import { parseArgs } from 'node:util'
import { ConfigurationError, messageOf } from '../errors.ts'

/** How a module is built: the options of `spacetime build`, and of `spacetime publish` those that change the build. */
export type BuildOptions = {
  readonly debug: boolean
  /** Cargo features, separated by commas: Rust only. */
  readonly features?: string
  /** The folder, from the project's, in which `print!` and the like are errors; empty for no check. Rust only. */
  readonly lintDir: string
  /** The major version of the .NET SDK: C# only. */
  readonly dotnetVersion?: 8 | 10
  /** C# on .NET 8 only; .NET 10 compiles ahead of time always. */
  readonly nativeAot: boolean
}

/** What `spacetime build` does when it is told nothing. */
export const defaultBuildOptions: BuildOptions = { debug: false, lintDir: 'src', nativeAot: false }

/**
 * Reads options as they are written after `spacetime build`, split at white space as the CLI does it with
 * `build-options`: quotes mean nothing. Throws a `ConfigurationError` that begins with `where` they were written.
 */
export function parseBuildOptions(text: string, where: string): BuildOptions {
  const args = text.split(/\s+/).filter((arg) => arg !== '')
  const given = argumentsOf(args, where)
  return {
    ...defaultBuildOptions,
    debug: given.debug ?? false,
    ...(given.features !== undefined && { features: given.features }),
    ...(given['lint-dir'] !== undefined && { lintDir: given['lint-dir'] }),
    ...(given['dotnet-version'] !== undefined && { dotnetVersion: dotnetVersion(given['dotnet-version'], where) })
  }
}

/** Throws a `ConfigurationError` that begins with `where` it was written. */
export function dotnetVersion(text: string, where: string): 8 | 10 {
  if (text === '8') return 8
  if (text === '10') return 10
  throw new ConfigurationError(`${where}: .NET SDK \`${text}\` is not supported. Allowed are \`8\` and \`10\`.`)
}

function argumentsOf(args: string[], where: string) {
  try {
    return parseArgs({
      args,
      options: {
        debug: { type: 'boolean', short: 'd' },
        features: { type: 'string' },
        'lint-dir': { type: 'string' },
        'dotnet-version': { type: 'string' },
        // The CLI's documentation writes it; it is what is done anyway.
        release: { type: 'boolean' }
      }
    }).values
  } catch (error) {
    const what = messageOf(error).split('. ', 1)[0]
    throw new ConfigurationError(
      `${where}: \`${args.join(' ')}\` can't be understood (${what}). Allowed are \`--debug\`, \`--features A,B\`, ` +
        '`--lint-dir DIR` and `--dotnet-version 8|10`; a `--module-path` is given by the key `module-path`.'
    )
  }
}
