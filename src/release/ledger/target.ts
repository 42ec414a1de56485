import { inOneLine } from '../../one-line.ts'
import { type History, liveRelease } from './history.ts'
import type { LedgerAnswer, RecordedRelease } from './ledger.ts'
import type { ReleaseRecord } from './record.ts'

/** What a rollback goes back to, as far as the ledger knows. */
export type TargetSearch =
  /** Its module may be the one that is live already, where it was asked for by name. */
  | { readonly kind: 'found'; readonly release: RecordedRelease }
  | { readonly kind: 'none'; readonly reason: string }
  /** One of several is meant, or it is not known whether one was ever live; the newest first. */
  | { readonly kind: 'ambiguous'; readonly reason: string; readonly candidates: readonly RecordedRelease[] }
  | { readonly kind: 'failed'; readonly reason: string; readonly isForbidden?: boolean }

/**
 * The release that `to` means: `previous`, the id of a release, a commit (7 to 40 hex digits), a tag, or the hash of a
 * module (64 hex digits). Only one that ended well, unless it is given by its id; of several with the same module the
 * newest. `liveHash`: what is live, `undefined` when nothing is.
 */
export async function findTarget(history: History, to: string, liveHash: string | undefined): Promise<TargetSearch> {
  if (to === 'previous') return liveHash === undefined ? nothingLive : previousOf(history, liveHash)
  const matching: RecordedRelease[] = []
  for await (const answer of history.releases((record, id) => isMeant(record, id, to))) {
    if (answer.kind === 'failed') return answer
    matching.push(answer.value)
  }
  const candidates = matching.filter(({ id, state }) => String(id) === to || state === 'good')
  return candidates.length > 0 ? theOneOf(candidates, to) : noneOf(history, matching, to)
}

const nothingLive: TargetSearch = { kind: 'none', reason: 'Nothing is live, so there is nothing to go back from.' }

function isMeant({ moduleHash, commit, ref }: ReleaseRecord, id: number, to: string): boolean {
  const digits = to.toLowerCase()
  const isCommit = /^[0-9a-f]{7,40}$/.test(digits) && commit?.toLowerCase().startsWith(digits) === true
  return (
    isCommit || moduleHash === digits || String(id) === to || ref === `refs/tags/${to.replace(/^refs\/tags\//, '')}`
  )
}

function theOneOf(candidates: readonly RecordedRelease[], to: string): TargetSearch {
  const [newest, ...others] = candidates
  if (newest && others.every(({ record }) => record.moduleHash === newest.record.moduleHash)) {
    return { kind: 'found', release: newest }
  }
  const reason = `${code(to)} fits releases with different modules: ${listed(candidates)}. Give the hash of one of the modules.`
  return { kind: 'ambiguous', reason, candidates }
}

function noneOf(history: History, matching: readonly RecordedRelease[], to: string): TargetSearch {
  const reason =
    matching.length === 0
      ? `${placeOf(history)} has no release ${code(to)}: neither an id, nor a commit, a tag or a module's hash of one.`
      : `No release ${code(to)} is known to have ended well: ${listed(matching)}. To go there all the same, give its id.`
  return { kind: 'none', reason }
}

/**
 * The newest release that ended well, is older than the one that is live, and is of another module. A release that
 * brought an older one back stands where that one stands: so going back twice goes back two.
 */
export async function previousOf(history: History, liveHash: string): Promise<TargetSearch> {
  const live = await liveRelease(history, liveHash)
  if (live.kind === 'failed') return live
  const end = live.value
    ? await standingOf(history, live.value)
    : { kind: 'ok' as const, value: Number.POSITIVE_INFINITY }
  if (end.kind === 'failed') return end
  for await (const answer of history.releases(({ moduleHash }, id) => moduleHash !== liveHash && id < end.value)) {
    if (answer.kind === 'failed') return answer
    const release = answer.value
    if (release.state === 'good') return { kind: 'found', release }
    if (release.state === 'unclear') return unclear(history, release)
  }
  const before = live.value ? `before the live one (${live.value.id})` : 'of another module than the live one'
  return { kind: 'none', reason: `${placeOf(history)} has no release ${before} that is known to have ended well.` }
}

/** The id of the release that a release stands in for: its own, or that of the one which it brought back. */
async function standingOf(history: History, release: RecordedRelease): Promise<LedgerAnswer<number>> {
  const { restores } = release.record
  if (restores === undefined || restores >= release.id) return { kind: 'ok', value: release.id }
  for await (const answer of history.releases((_, id) => id === restores)) {
    return answer.kind === 'ok' ? standingOf(history, answer.value) : answer
  }
  return { kind: 'ok', value: restores }
}

function unclear(history: History, release: RecordedRelease): TargetSearch {
  const reason = `Release ${release.id} was of several databases, and nothing says whether ${placeOf(history)} got it. Say where to go: give its id, or another release.`
  return { kind: 'ambiguous', reason, candidates: [release] }
}

function placeOf({ database, environment }: History): string {
  return `${code(database)} (environment ${code(environment)})`
}

function code(text: string): string {
  return `\`${inOneLine(text, 100)}\``
}

/** Up to five, each with what tells it apart. */
function listed(releases: readonly RecordedRelease[]): string {
  const told = releases.slice(0, 5).map(({ id, state, result, record }) => {
    const commit = record.commit ? `commit ${record.commit.slice(0, 12)}, ` : ''
    return `${id} (${commit}module ${record.moduleHash}, ${result ?? state})`
  })
  const more = releases.length - told.length
  return more > 0 ? `${told.join(', ')} and ${more} more` : told.join(', ')
}
