import type { Ledger, LedgerAnswer, LedgerPlace, RecordedRelease, Which } from './ledger.ts'
import { isMeantToBeLive, mayBeLive } from './one-database.ts'

/** The releases of one database, the newest first. */
export type History = {
  /** As people see it: the environment of the ledger. */
  readonly environment: string
  readonly database: string
  /** Those that are wanted, or all, read as they are asked for. Ends with the oldest, or with a failure. */
  releases(which?: Which): AsyncIterable<LedgerAnswer<RecordedRelease>>
}

/**
 * The history of a database. Nothing is asked before it is looked at. `isFresh`: nothing that was read before is taken for
 * what is there now.
 */
export function readHistory(
  ledger: Pick<Ledger, 'environment' | 'releases'>,
  place: LedgerPlace,
  { isFresh = false }: { readonly isFresh?: boolean } = {}
): History {
  let isStale = isFresh
  return {
    environment: ledger.environment,
    database: place.database,
    releases(which = () => true) {
      const options = { which, isFresh: isStale }
      isStale = false
      return wanted(ledger.releases(place, options), which)
    }
  }
}

/** What is older than the creation of a database is of another one that had its name. */
async function* wanted(releases: AsyncIterable<LedgerAnswer<RecordedRelease>>, which: Which) {
  for await (const answer of releases) {
    if (answer.kind === 'failed' || which(answer.value.record, answer.value.id)) yield answer
    if (answer.kind === 'failed' || answer.value.result === 'created') return
  }
}

/** The newest release that made the live module live; none when it is live by no release that is known. */
export async function liveRelease(
  history: History,
  liveHash: string
): Promise<LedgerAnswer<RecordedRelease | undefined>> {
  for await (const answer of history.releases(({ moduleHash }) => moduleHash === liveHash)) {
    if (answer.kind === 'failed' || mayBeLive(answer.value)) return answer
  }
  return { kind: 'ok', value: undefined }
}

/** Something else is live than the ledger says. */
export type Drift = {
  readonly liveHash: string
  /** The release that should be live. */
  readonly expected: RecordedRelease
  /** An older release of the module that is live: somebody has published it again. */
  readonly knownAs?: RecordedRelease
}

/**
 * Whether somebody has published past the ledger. Without any release there is nothing to compare with. A release whose
 * end is not known explains what is live when that is its module.
 */
export async function driftOf(history: History, liveHash: string): Promise<LedgerAnswer<Drift | undefined>> {
  for await (const answer of history.releases()) {
    if (answer.kind === 'failed') return answer
    const release = answer.value
    if (release.record.moduleHash === liveHash && mayBeLive(release)) break
    if (isMeantToBeLive(release)) return { kind: 'ok', value: await driftFrom(release, history, liveHash) }
  }
  return { kind: 'ok', value: undefined }
}

async function driftFrom(expected: RecordedRelease, history: History, liveHash: string): Promise<Drift> {
  const known = await liveRelease(history, liveHash)
  const knownAs = known.kind === 'ok' ? known.value : undefined
  return { liveHash, expected, ...(knownAs && { knownAs }) }
}
