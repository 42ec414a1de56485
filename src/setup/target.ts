import { ConfigurationError } from '../errors.ts'

/** A platform that SpacetimeDB is released for, and how its files are called there. */
export type Target = {
  /** As in Rust: `x86_64-unknown-linux-gnu`. */
  readonly triple: string
  /** The name of the release's file. */
  readonly asset: string
  /** What ends the name of a program: `.exe` on Windows, else nothing. */
  readonly exe: '' | '.exe'
}

/** By `platform/architecture` as Node names them. */
const triples: Readonly<Record<string, string>> = {
  'linux/x64': 'x86_64-unknown-linux-gnu',
  'linux/arm64': 'aarch64-unknown-linux-gnu',
  'darwin/x64': 'x86_64-apple-darwin',
  'darwin/arm64': 'aarch64-apple-darwin',
  'win32/x64': 'x86_64-pc-windows-msvc'
}

/**
 * The target of a machine, from `process.platform` and `process.arch`. Throws a `ConfigurationError` that names all
 * targets when there is no release for it.
 */
export function targetFor(platform: string, arch: string): Target {
  const triple = triples[`${platform}/${arch}`]
  if (triple === undefined) {
    throw new ConfigurationError(
      `SpacetimeDB is not released for ${platform} on ${arch}. It is for ${Object.values(triples).join(', ')}: run the job on such a machine.`
    )
  }
  const isWindows = platform === 'win32'
  return {
    triple,
    asset: `spacetime-${triple}${isWindows ? '.zip' : '.tar.gz'}`,
    exe: isWindows ? '.exe' : ''
  }
}
