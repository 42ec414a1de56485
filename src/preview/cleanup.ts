import type { Clock } from '../clock.ts'
import { inUnits } from '../duration.ts'
import { messageOf } from '../errors.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import { ServerFailure } from '../spacetimedb/server.ts'
import { type Deletion, deletePreview } from './delete.ts'
import { lastReleaseOf } from './other-use.ts'
import { type Preview, previewNamed } from './preview.ts'
import type { Proof } from './standing.ts'

/** What is known of a pull request now. */
export type PullRequestState =
  | { readonly kind: 'open' /** Milliseconds since the epoch. */; readonly updated: number }
  | { readonly kind: 'closed' }
  /** There is none of this number, or the token does not see it. */
  | { readonly kind: 'missing'; readonly reason: string }
  /** Nobody could be asked. */
  | { readonly kind: 'unknown'; readonly reason: string }

export type CleanupRequest = {
  readonly prefix: string
  /** Previews of open pull requests go too when nothing happened for so many milliseconds. */
  readonly maxAge: number | undefined
  readonly dryRun: boolean
}

export type CleanupTools = Proof & {
  readonly clock: Clock
  readonly pullRequest: (number: number) => Promise<PullRequestState>
  /** Told of each preview when it is done with. */
  readonly onEntry: (entry: CleanupEntry) => void
  readonly cancelled: AbortSignal
}

export type CleanupEntry = {
  readonly preview: Preview
  readonly outcome:
    | (Deletion & { /** Why it was to go. */ readonly why: string })
    /** It is wanted, or nothing says that it is not. */
    | { readonly kind: 'kept'; readonly why: string }
}

export type Cleanup = {
  readonly entries: readonly CleanupEntry[]
  /** Databases whose names could not be asked for, and why: there may be previews among them. */
  readonly unseen: readonly { readonly identity: Identity; readonly reason: string }[]
  readonly isCancelled: boolean
}

/**
 * Deletes the previews that nobody needs any more: of all databases of this identity those that are proved to be
 * previews, whose pull request is closed, or where nothing happened for too long. One that can't be deleted does not
 * keep the others. Throws a `ServerFailure` when the server does not say which databases there are.
 */
export async function cleanUp(request: CleanupRequest, tools: CleanupTools): Promise<Cleanup> {
  const { previews, unseen } = await findPreviews(request.prefix, tools)
  const entries: CleanupEntry[] = []
  for (const found of previews) {
    if (tools.cancelled.aborted) break
    const entry = { preview: found.preview, outcome: await judgeAndDelete(found, request, tools) }
    entries.push(entry)
    tools.onEntry(entry)
  }
  return { entries, unseen, isCancelled: tools.cancelled.aborted }
}

type FoundPreview = { readonly preview: Preview; readonly identity: Identity }

/** What has a preview's name. Whether it is one is proved when it is to be deleted. */
async function findPreviews(prefix: string, { server, identity: owner, cancelled }: CleanupTools) {
  const previews: FoundPreview[] = []
  const unseen: { identity: Identity; reason: string }[] = []
  for (const identity of await server.databasesOf(owner)) {
    if (cancelled.aborted) break
    try {
      const names = await server.namesOf(identity)
      previews.push(
        ...names.flatMap((name) => {
          const preview = previewNamed(prefix, name)
          return preview === undefined ? [] : [{ preview, identity }]
        })
      )
    } catch (failure) {
      if (!(failure instanceof ServerFailure)) throw failure
      unseen.push({ identity, reason: messageOf(failure) })
    }
  }
  return { previews: previews.sort((a, b) => a.preview.number - b.preview.number), unseen }
}

async function judgeAndDelete(
  found: FoundPreview,
  request: CleanupRequest,
  tools: CleanupTools
): Promise<CleanupEntry['outcome']> {
  const { preview } = found
  const state = await tools.pullRequest(preview.number)
  switch (state.kind) {
    case 'missing':
      return { kind: 'refused', why: 'its pull request is not there', reason: `${state.reason} Nothing was deleted.` }
    case 'unknown':
      return { kind: 'failed', why: 'not known', reason: `${state.reason} Nothing was deleted.`, isUnknown: false }
    case 'closed':
      return { ...(await deletePreview(preview, tools, request)), why: 'its pull request is closed' }
    case 'open':
      return expireOrKeep(found, state.updated, request, tools)
  }
}

async function expireOrKeep(
  { preview, identity }: FoundPreview,
  updated: number,
  { maxAge, dryRun }: CleanupRequest,
  tools: CleanupTools
): Promise<CleanupEntry['outcome']> {
  if (maxAge === undefined) return { kind: 'kept', why: 'its pull request is open' }
  const suspect = { server: tools.server.url, database: preview.database, identity }
  const written = await tools.releases()
  const published = written.kind === 'read' ? lastReleaseOf(suspect, written.releases) : undefined
  const last = Math.max(updated, published ?? 0)
  const age = tools.clock.now() - last
  const since = `nothing happened since ${new Date(last).toISOString()}`
  if (age <= maxAge) return { kind: 'kept', why: `its pull request is open, and ${since}` }
  const why = `${since}, which is longer ago than ${inUnits(maxAge)}`
  return { ...(await deletePreview(preview, tools, { dryRun })), why }
}
