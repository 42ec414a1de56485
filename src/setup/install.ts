import { existsSync } from 'node:fs'
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Network } from '../spacetimedb/network.ts'
import { type Archive, archiveOf, fetchArchive, type KnownDigest } from './archive.ts'
import type { ArchiveCache } from './archive-cache.ts'
import type { ChosenVersion } from './choose-version.ts'
import { insistOnGoing, SetupFailure } from './failure.ts'
import { problemOf, programsIn, programsOnPath, type Starting } from './programs.ts'
import type { Releases, Sha256 } from './releases.ts'
import type { Target } from './target.ts'

export type InstallRequest = Pick<ChosenVersion, 'version' | 'release'> & {
  readonly target: Target
  /** Of the archive, when the user gave it. */
  readonly sha256: Sha256 | undefined
  /** The base of a company's mirror, which is asked instead of GitHub and the public one. */
  readonly releasesUrl: string | undefined
  /** Whether the server has to be there too. */
  readonly withServer: boolean
  /** A folder of this setup alone, beside those of the job's other setups. */
  readonly root: string
}

export type InstallTools = {
  readonly network: Network
  readonly releases: Pick<Releases, 'byVersion'>
  readonly starting: Starting
  readonly toolCache: ToolCache
  /** `undefined` when it is not to be used. */
  readonly archiveCache: ArchiveCache | undefined
  readonly tell: (text: string) => void
}

/** The runner's tool cache, and what opens archives. */
export type ToolCache = {
  /** The folder of a version that was kept before. */
  find(version: string, target: Target): Promise<string | undefined>
  /** Copies a folder there; answers where it is now. */
  keep(folder: string, version: string, target: Target): Promise<string>
  /** Extracts a `.tar.gz` or `.zip`. */
  extract(archive: string, folder: string): Promise<void>
}

export const installSources = ['path', 'tool-cache', 'cache', 'github', 'mirror'] as const

/** A release that is on this machine. Paths are absolute. */
export type Installed = {
  readonly source: (typeof installSources)[number]
  readonly cli: string
  readonly server: string | undefined
  /** A folder for PATH in which the CLI is called `spacetime`; `undefined` when it is in PATH under another name. */
  readonly folder: string | undefined
  /** The archive, when it was downloaded: for a cache. */
  readonly downloaded?: Archive & { readonly file: string }
}

/**
 * Brings a version to this machine, from where it is nearest: PATH, the tool cache, the cache of archives, GitHub or a
 * mirror. What is not on the machine yet is used only when its digest is the known one. Throws a `ConfigurationError`
 * when no digest is known, and a `SetupFailure` for a wrong digest, and when no source has the version.
 */
export async function install(request: InstallRequest, tools: InstallTools): Promise<Installed> {
  const there = (await fromPath(request, tools)) ?? (await fromToolCache(request, tools))
  insistOnGoing(tools.network.signal)
  if (there) return there
  const archive = archiveOf(request, await digestOf(request, tools))
  await mkdir(request.root, { recursive: true })
  const file = join(request.root, archive.asset)
  const source = await fetchArchive(archive, file, tools)
  const folder = await unpack(file, request, tools)
  const installed = { source, ...programsIn(folder, request.target), folder }
  return source === 'cache' ? installed : { ...installed, downloaded: { ...archive, file } }
}

async function fromPath(request: InstallRequest, { starting, tell }: InstallTools): Promise<Installed | undefined> {
  const found = await programsOnPath(request.version, request.target, starting, dirname(request.root))
  if (found === undefined) return undefined
  if (request.withServer && found.server === undefined) {
    tell(`${found.cli} is ${request.version} and stays unused: there is no spacetimedb-standalone beside it to start.`)
    return undefined
  }
  return { source: 'path', ...found, folder: undefined }
}

async function fromToolCache(request: InstallRequest, tools: InstallTools): Promise<Installed | undefined> {
  const { version, target } = request
  const folder = await tools.toolCache.find(version, target)
  if (folder === undefined) return undefined
  const problem = await problemOf(folder, version, target, tools.starting)
  if (problem === undefined) return { source: 'tool-cache', ...programsIn(folder, target), folder }
  tools.tell(`What the tool cache has as ${version} (${folder}) stays unused: ${problem}.`)
  return undefined
}

async function digestOf(request: InstallRequest, tools: InstallTools): Promise<KnownDigest> {
  const { version, target, sha256 } = request
  if (sha256 !== undefined) {
    return { sha256, from: 'the input `sha256`', asset: assetIn(request.release, target) }
  }
  const found = request.release
    ? ({ kind: 'found', release: request.release } as const)
    : await tools.releases.byVersion(version)
  insistOnGoing(tools.network.signal)
  if (found.kind === 'missing') throw new SetupFailure('version not found', found.reason)
  if (found.kind === 'unavailable') throw new ConfigurationError(unknownDigest(request, found.reason))
  const asset = assetIn(found.release, target)
  if (asset === undefined) {
    const names = found.release.assets.map(({ name }) => name).join(', ') || 'none'
    throw new SetupFailure('version not found', `Release ${version} has no ${target.asset}. Its files: ${names}.`)
  }
  if (asset.digest === undefined) {
    throw new ConfigurationError(
      unknownDigest(request, 'GitHub states no digest for this file, as for all before June 2025.')
    )
  }
  return { sha256: asset.digest, from: "GitHub's releases API", asset }
}

function assetIn(release: InstallRequest['release'], { asset }: Target) {
  return release?.assets.find(({ name }) => name === asset)
}

function unknownDigest({ version, target }: InstallRequest, reason: string): string {
  return `The digest of ${target.asset} ${version} is not known, and nothing is run unchecked. ${reason} Mend that, or give the input \`sha256\`: the SHA-256 of that archive, as 64 hex digits.`
}

async function unpack(file: string, request: InstallRequest, tools: InstallTools): Promise<string> {
  const { root, version, target } = request
  const fresh = join(root, 'spacetimedb')
  try {
    await tools.toolCache.extract(file, fresh)
  } catch (error) {
    throw new SetupFailure('unusable release', `${target.asset} of ${version} can't be extracted: ${messageOf(error)}`)
  }
  insistOnGoing(tools.network.signal)
  const problem = await problemOf(fresh, version, target, tools.starting)
  insistOnGoing(tools.network.signal)
  if (problem !== undefined) {
    throw new SetupFailure('unusable release', `${target.asset} of ${version} can't be used: ${problem}.`)
  }
  await nameSpacetime(fresh, target)
  return keep(fresh, request, tools)
}

/** The CLI looks for the server beside itself, so its other name has to be in the same folder. */
async function nameSpacetime(folder: string, target: Target): Promise<void> {
  const name = join(folder, `spacetime${target.exe}`)
  if (existsSync(name)) return
  if (target.exe === '') await symlink('spacetimedb-cli', name)
  else await copyFile(programsIn(folder, target).cli, name)
}

/** In the tool cache it is there for later jobs of this machine; where that can't be written, it stays in the root. */
async function keep(
  fresh: string,
  { version, target }: InstallRequest,
  { toolCache, tell }: InstallTools
): Promise<string> {
  try {
    const kept = await toolCache.keep(fresh, version, target)
    await rm(fresh, { recursive: true, force: true })
    return kept
  } catch (error) {
    tell(`The tool cache can't be written, so later jobs install again: ${messageOf(error)}`)
    return fresh
  }
}
