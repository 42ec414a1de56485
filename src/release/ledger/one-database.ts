import { isSuccess, type Result } from '../deployment.ts'
import type { LedgerEnding, LedgerPlace, RecordedRelease } from './ledger.ts'
import type { ReleaseRecord } from './record.ts'

/**
 * Where a database is among those of a release, from 0; `undefined` when the release is of other ones. Where both
 * identities are known they decide, since a name may have belonged to another database.
 */
export function positionIn(record: ReleaseRecord, place: LedgerPlace): number | undefined {
  if (record.server !== place.server) return undefined
  const { database, databases = [database], databaseIdentity } = record
  const known = place.databaseIdentity ?? (isIdentity(place.database) ? place.database : undefined)
  if (databaseIdentity !== undefined && known === databaseIdentity) return 0
  const position = databases.indexOf(place.database)
  const isAnother = position === 0 && databaseIdentity !== undefined && known !== undefined
  return position === -1 || isAnother ? undefined : position
}

/** The databases that releases are of, each once. */
export function placesOf(records: readonly ReleaseRecord[]): readonly LedgerPlace[] {
  const places = records.flatMap(({ server, database, databases = [database] }) =>
    databases.map((each) => [`${server} ${each}`, { server, database: each }] as const)
  )
  return [...new Map(places).values()]
}

function isIdentity(database: string): boolean {
  return /^[0-9a-f]{64}$/.test(database)
}

/** How a release ended for one of its databases. */
export type EndingThere = { readonly state: 'good' | 'bad' | 'unclear'; readonly result?: Result }

/**
 * What the ending of a release says of the database at a position. Of a release of several databases it is known which
 * run its module; how it ended at each is not, unless it ended well at all.
 */
export function endingAt(
  record: ReleaseRecord,
  { result, without, isWithoutSome = false }: Pick<LedgerEnding, 'result' | 'without'> & { isWithoutSome?: boolean },
  position: number
): EndingThere {
  const isGood = endedWell(record.action, result)
  if (record.databases === undefined) return { state: isGood ? 'good' : 'bad', result }
  if (without?.includes(position)) return { state: 'bad' }
  if (isWithoutSome) return { state: 'unclear' }
  if (isGood) return { state: 'good', result }
  const isSure = without !== undefined && !doubtful.has(result)
  return { state: isSure ? 'good' : 'unclear' }
}

/** Whether a release of that action ended as it should. */
export function endedWell(action: ReleaseRecord['action'], result: Result): boolean {
  return isSuccess(result) || (action === 'rollback' && result === 'rolled-back')
}

/** Of one database at least it isn't known what it runs, or it runs the module and is not well. */
const doubtful: ReadonlySet<Result> = new Set(['unhealthy', 'unknown', 'rollback-failed'])

/** Whether a release left its database with its module, as far as it is written down. */
export function isMeantToBeLive({ state, result }: Pick<RecordedRelease, 'state' | 'result'>): boolean {
  return state === 'good' || (state === 'bad' && result === 'unhealthy')
}

/** Whether it may have: where its module is the live one, it has. */
export function mayBeLive(release: Pick<RecordedRelease, 'state' | 'result'>): boolean {
  const { state, result } = release
  return isMeantToBeLive(release) || state !== 'bad' || result === 'unknown' || result === 'rollback-failed'
}
