import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import archiver from 'archiver'
import { type ProgramName, programFile, programNames } from './program-bundle.ts'

/** What a release is built for, by the names that Rust has for it. */
export const releaseTargets = [
  'x86_64-unknown-linux-gnu',
  'aarch64-unknown-linux-gnu',
  'x86_64-apple-darwin',
  'aarch64-apple-darwin',
  'x86_64-pc-windows-msvc'
] as const

export type ReleaseTarget = (typeof releaseTargets)[number]

export type ReleaseArchive = {
  /** As the release's asset is called. */
  readonly name: string
  readonly target: ReleaseTarget
  readonly bytes: Buffer
  /** `sha256:` and hex, as GitHub's API gives it. */
  readonly digest: string
}

const packed = new Map<string, Promise<Buffer>>()

/**
 * An archive of a release as its workflow packs it (.github/workflows/package.yml of clockworklabs/SpacetimeDB): the
 * two programs at its root, gzipped tar or, for Windows, zip. The programs are stand-ins (`programs/`): they run on
 * Linux and macOS whatever the target, and not on Windows, where Node scripts are no `.exe`. The same bytes each time.
 * `version` is without a `v`.
 */
export async function releaseArchive(version: string, target: ReleaseTarget): Promise<ReleaseArchive> {
  const format = target.endsWith('-windows-msvc') ? 'zip' : 'tar'
  const known = packed.get(`${version} ${format}`) ?? pack(version, format)
  packed.set(`${version} ${format}`, known)
  const bytes = await known
  return {
    name: `spacetime-${target}.${format === 'zip' ? 'zip' : 'tar.gz'}`,
    target,
    bytes,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  }
}

/** The archives of a release for all targets. */
export function releaseArchives(version: string): Promise<readonly ReleaseArchive[]> {
  return Promise.all(releaseTargets.map((target) => releaseArchive(version, target)))
}

/** Puts the programs into a folder, as unpacking an archive does; answers their paths. */
export async function installPrograms(folder: string, version: string): Promise<Record<ProgramName, string>> {
  mkdirSync(folder, { recursive: true })
  const paths = programNames.map(async (name) => {
    const path = join(folder, name)
    writeFileSync(path, await programFile(name, version))
    chmodSync(path, 0o755)
    return [name, path] as const
  })
  return Object.fromEntries(await Promise.all(paths)) as Record<ProgramName, string>
}

async function pack(version: string, format: 'tar' | 'zip'): Promise<Buffer> {
  const archive = format === 'zip' ? archiver('zip') : archiver('tar', { gzip: true })
  for (const name of programNames) {
    const content = await programFile(name, version)
    archive.append(content, { name: format === 'zip' ? `${name}.exe` : name, date: packedAt, mode: 0o755 })
  }
  const [bytes] = await Promise.all([buffer(archive), archive.finalize()])
  return bytes
}

/** Of all files, so that an archive is the same each time. */
const packedAt = new Date('2026-01-01T00:00:00Z')
