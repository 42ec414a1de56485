import { isSuccess } from '../deployment.ts'
import { type Drift, driftOf, type History, liveRelease } from './history.ts'
import type { LedgerAnswer, LedgerEnding, RecordedRelease } from './ledger.ts'

/** What the ledger says of the module that is live. */
export type Standing = {
  /** Somebody has published past it. */
  readonly drift?: Drift | undefined
  /** The newest release that made this module live, where nobody has published past it. */
  readonly release?: RecordedRelease | undefined
  /** The one that it took the place of, where nobody has written how it ended. */
  readonly before?: RecordedRelease | undefined
}

/** What has to be written for the ledger to say what is live. */
export type CatchUp =
  | { readonly kind: 'nothing' }
  /** Nobody has written how this release ended, or it is known better now. */
  | { readonly kind: 'end'; readonly release: RecordedRelease; readonly ending: LedgerEnding }
  /** There is no release that made it live. */
  | { readonly kind: 'adopt'; readonly ending: LedgerEnding }

/** Before something else is published over what is live: so that it can be gone back to. Nothing was asked of it now. */
export function catchUpBefore({ drift, release }: Standing): CatchUp {
  if (drift || !release || isUnclear(release)) {
    return { kind: 'adopt', ending: { result: 'unchanged', isChecked: false } }
  }
  if (release.state !== 'open') return { kind: 'nothing' }
  const note = 'Nobody had written down how it ended. It was found live when the next release began.'
  return { kind: 'end', release, ending: { result: resultOf(release), isChecked: false, note } }
}

/** After what is live was found to be what was asked for, and was checked: `ending` is how that ended. */
export function catchUpAfter({ drift, release }: Standing, ending: LedgerEnding): CatchUp {
  const isWell = isSuccess(ending.result)
  if (drift || !release || isUnclear(release)) {
    return isWell ? { kind: 'adopt', ending } : { kind: 'nothing' }
  }
  if (release.state === 'open') return endOpen(release, ending)
  // What was found wanting before is well only when it has been asked again.
  const isWellNow = isWell && ending.isChecked
  const note = 'It was checked again by a later run, and passed.'
  return release.state === 'bad' && isWellNow
    ? { kind: 'end', release, ending: { result: resultOf(release), isChecked: true, note } }
    : { kind: 'nothing' }
}

function endOpen(release: RecordedRelease, { result, isChecked, note }: LedgerEnding): CatchUp {
  if (isSuccess(result)) {
    const note = 'Nobody had written down how it ended. A later run found it live.'
    return { kind: 'end', release, ending: { result: resultOf(release), isChecked, note } }
  }
  if (result !== 'unhealthy') return { kind: 'nothing' }
  return { kind: 'end', release, ending: { result, isChecked, ...(note !== undefined && { note }) } }
}

/** How a release of several databases ended is not for one of them to say. */
function isUnclear({ state, record }: RecordedRelease): boolean {
  return state === 'unclear' || (state === 'open' && record.databases !== undefined)
}

/** As its own run would have said it. */
function resultOf({ record: { action, databaseIdentity } }: RecordedRelease): LedgerEnding['result'] {
  if (action === 'rollback') return 'rolled-back'
  if (action === 'adopt') return 'unchanged'
  return databaseIdentity === undefined ? 'created' : 'updated'
}

/** What a history says of the module that is live. */
export async function standingIn(history: History, live: string): Promise<LedgerAnswer<Standing>> {
  const drift = await driftOf(history, live)
  if (drift.kind === 'failed') return drift
  if (drift.value) return { kind: 'ok', value: { drift: drift.value } }
  const release = await liveRelease(history, live)
  if (release.kind === 'failed') return release
  const { previousHash } = release.value?.state === 'open' ? release.value.record : {}
  if (previousHash === undefined) return { kind: 'ok', value: { release: release.value } }
  const before = await liveRelease(history, previousHash)
  return before.kind === 'failed' ? before : { kind: 'ok', value: { release: release.value, before: before.value } }
}
