import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import semver from 'semver'
import { ConfigurationError, messageOf } from '../errors.ts'

/** The version of SpacetimeDB that a project is made for, and why it is thought so: one sentence, without an end. */
export type ProjectVersion =
  | { readonly kind: 'exact'; readonly version: string; readonly reason: string }
  /** It has no lock file: what its manifest allows. A range of node-semver. */
  | { readonly kind: 'range'; readonly range: string; readonly reason: string }

/** A project, for what reads its files. */
export type Project = {
  /** The absolute path of the project's folder. */
  readonly folder: string
  /** The content of a file; `undefined` when there is none. */
  read(path: string): string | undefined
  /** The nearest file of a name, in the project's folder or above it, up to the top. Its absolute path. */
  nearest(name: string): string | undefined
  /** A path as it is shown: relative to the top. */
  shown(path: string): string
}

/** The project in a folder; `top` is the folder above which no file is looked for. */
export function openProject(folder: string, top: string): Project {
  const start = resolve(folder)
  const end = resolve(top)
  return {
    folder: start,
    read: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined),
    shown: (path) => relative(end, path).replaceAll('\\', '/') || '.',
    nearest(name) {
      for (let at = start; ; at = dirname(at)) {
        if (existsSync(join(at, name))) return join(at, name)
        if (at === end || at === dirname(at) || !at.startsWith(end)) return undefined
      }
    }
  }
}

/** What to do when a project does not tell. */
export const giveVersion = 'Give the input `version`, such as `2.8.3`.'

/** The one version that a lock file names, or the one of several that the manifest allows. */
export function theOneVersion(
  found: readonly string[],
  required: string | undefined,
  { file, what }: { readonly file: string; readonly what: string }
): ProjectVersion {
  const versions = [...new Set(found)]
  const allowed = versions.filter((version) => required !== undefined && semver.satisfies(version, required))
  const version = versions.length === 1 ? versions[0] : allowed.length === 1 ? allowed[0] : undefined
  if (version === undefined) {
    throw new ConfigurationError(
      `${file} has ${what} in several versions: ${versions.sort().join(', ')}. Which one the module uses is not clear. ${giveVersion}`
    )
  }
  const chosen = exactVersion(version, `${file} has ${what} ${version}`)
  if (chosen) return chosen
  throw new ConfigurationError(`${file} has ${what} as ${JSON.stringify(version)}, which is no version. ${giveVersion}`)
}

/** A text as a version, if it is one. */
export function exactVersion(text: string, reason: string): ProjectVersion | undefined {
  const version = semver.valid(text)
  return version === null ? undefined : { kind: 'exact', version, reason }
}

/** What a manifest requires, for want of a lock file; `range` is node-semver's, `undefined` when it can't be told. */
export function requiredVersion(
  range: string | undefined,
  { file, what, written }: { readonly file: string; readonly what: string; readonly written: string }
): ProjectVersion {
  const reason = `${file} asks for ${what} ${written}, and there is no lock file`
  const exact = range === undefined ? undefined : exactVersion(range.replace(/^=/, ''), reason)
  if (exact) return exact
  if (range !== undefined && range.trim() !== '' && semver.validRange(range) !== null) {
    return { kind: 'range', range, reason }
  }
  throw new ConfigurationError(
    `${file} asks for ${what} as ${JSON.stringify(written.slice(0, 100))}, and there is no lock file that says which version that is. Commit the lock file, or give the input \`version\`, such as \`2.8.3\`.`
  )
}

/** What a parser makes of a file. Throws a `ConfigurationError` where it can't be read. */
export function parsed<T>(file: string, form: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n')
    throw new ConfigurationError(`${file} can't be read as ${form}: ${reason.slice(0, 200)} ${giveVersion}`)
  }
}

/** A property of something that was read, which may be anything. */
export function property(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (object, name) =>
      typeof object === 'object' && object !== null && Object.hasOwn(object, name)
        ? (object as Record<string, unknown>)[name]
        : undefined,
    value
  )
}
