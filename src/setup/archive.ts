import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { hostOf, type Network } from '../spacetimedb/network.ts'
import type { ArchiveCache } from './archive-cache.ts'
import { download } from './download.ts'
import { insistOnGoing, SetupFailure } from './failure.ts'
import { type ReleaseAsset, repository, type Sha256 } from './releases.ts'
import type { Target } from './target.ts'

/** The archive of a release, where it can be had, and what it must be. */
export type Archive = {
  readonly version: string
  /** The name of the file. */
  readonly asset: string
  readonly digest: KnownDigest
  /** In the order in which they are tried. */
  readonly places: readonly ArchivePlace[]
}

/** A digest and who says so. */
export type KnownDigest = {
  readonly sha256: Sha256
  readonly from: 'the input `sha256`' | "GitHub's releases API"
  /** What GitHub says of the file, where it was asked. */
  readonly asset: ReleaseAsset | undefined
}

export type ArchivePlace = { readonly source: 'github' | 'mirror'; readonly url: string }

/** SpacetimeDB's own copy of its releases, for when GitHub is out of reach. */
const publicMirror = 'https://spacetimedb-client-binaries.s3.amazonaws.com/refs/tags'

/** The archive of a version for a target. `releasesUrl` is the base of a mirror that is asked instead of all others. */
export function archiveOf(
  { version, target, releasesUrl }: { version: string; target: Target; releasesUrl: string | undefined },
  digest: KnownDigest
): Archive {
  const { asset } = target
  const github = digest.asset?.url ?? `https://github.com/${repository}/releases/download/v${version}/${asset}`
  const places: readonly ArchivePlace[] =
    releasesUrl === undefined
      ? [
          { source: 'github', url: github },
          { source: 'mirror', url: `${publicMirror}/v${version}/${asset}` }
        ]
      : [{ source: 'mirror', url: `${releasesUrl}/v${version}/${asset}` }]
  return { version, asset, digest, places }
}

/** What names an archive in a cache: with its digest, so that another file of the same name is another entry. */
export function cacheKeyOf({ asset, version, digest }: Archive): string {
  return `stdb-actions-${version}-${asset}-${digest.sha256}`
}

/** What an archive is called there: the same when it is saved and when it is restored. */
export function cacheNameOf({ asset, version }: Archive): string {
  return `${version}-${asset}`
}

type FetchTools = {
  readonly network: Network
  readonly archiveCache: ArchiveCache | undefined
  readonly tell: (text: string) => void
}

/**
 * Brings an archive to `file`, whole and with its digest, and answers from where. Throws a `SetupFailure` when no
 * place has it, and, without trying another, when what a place has is something else.
 */
export async function fetchArchive(
  archive: Archive,
  file: string,
  tools: FetchTools
): Promise<'cache' | 'github' | 'mirror'> {
  if (await restore(archive, file, tools)) return 'cache'
  insistOnGoing(tools.network.signal)
  const failures: string[] = []
  for (const { source, url } of archive.places) {
    tools.tell(`Downloading ${archive.asset} ${archive.version} from ${hostOf(url)} …`)
    const result = await download({ url, file, size: archive.digest.asset?.size }, tools.network)
    insistOnGoing(tools.network.signal)
    if (result.kind === 'downloaded') {
      if (result.sha256 !== archive.digest.sha256) throw await wrongDigest(archive, file, result.sha256, url)
      return source
    }
    failures.push(`${url}: ${result.reason}.`)
    tools.tell(`Not from there: ${result.reason}.`)
  }
  throw new SetupFailure('nothing could be downloaded', nowhere(archive, failures))
}

async function restore(archive: Archive, file: string, { archiveCache, network }: FetchTools): Promise<boolean> {
  const restoring = archiveCache?.restore(cacheKeyOf(archive), cacheNameOf(archive), file)
  if (!(await Promise.race([restoring, cancelled(network.signal)]))) return false
  const found = await sha256Of(file)
  if (found === archive.digest.sha256) return true
  throw await wrongDigest(archive, file, found, cacheName)
}

/** `false` as soon as the signal is aborted; never without one. */
function cancelled(signal: AbortSignal | undefined): Promise<false> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(false), { once: true }))
}

async function wrongDigest(archive: Archive, file: string, found: Sha256, from: string): Promise<SetupFailure> {
  await rm(file, { force: true })
  const { asset, version, digest } = archive
  return new SetupFailure(
    'wrong digest',
    [
      `${asset} ${version} from ${from} is not the file that it should be, and was not run.`,
      `Expected: ${digest.sha256} (SHA-256, from ${digest.from})`,
      `Found:    ${found}`,
      adviceOn(archive, from)
    ].join('\n')
  )
}

function adviceOn(archive: Archive, from: string): string {
  if (from === cacheName)
    return `Delete the entry ${cacheKeyOf(archive)} of the repository's caches, and find out who wrote it.`
  if (archive.digest.from === 'the input `sha256`') {
    return 'Is the input `sha256` that of this very archive, version and platform? If it is, the file was changed on its way or where it lies.'
  }
  return 'The file was changed on its way or where it lies. If it stays so when the job runs again, do not use the file, and tell those who offer it.'
}

/** In messages. */
const cacheName = 'the actions cache'

function nowhere({ asset, version, places }: Archive, failures: readonly string[]): string {
  const advice =
    places.length > 1
      ? `Is there a release ${version} (https://github.com/${repository}/releases)? Behind a firewall, let the job reach one of these hosts, set HTTPS_PROXY, or name a mirror of your own by the input \`releases-url\`.`
      : 'Check the input `releases-url`: the file has to be at `<releases-url>/v<version>/<file>`.'
  return [`${asset} ${version} could not be downloaded.`, ...failures.map((line) => `- ${line}`), advice].join('\n')
}

/** The SHA-256 of a file. */
export async function sha256Of(file: string): Promise<Sha256> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex') as Sha256
}
