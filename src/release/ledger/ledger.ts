import type { Result } from '../deployment.ts'
import type { ReleaseRecord } from './record.ts'

/**
 * Where releases are written down. What is live is never believed from here: it is asked of the database. Nothing of it
 * throws, and nothing of it is needed to release.
 */
export type Ledger = {
  /** As people see it: the environment that its releases are shown under. */
  readonly environment: string
  /**
   * The releases of one database, the newest first, read as they are asked for. Ids grow. Ends with the oldest, or with a
   * failure. Of very many, those that are looked through in bearable time.
   */
  releases(place: LedgerPlace, options?: ReleasesOptions): AsyncIterable<LedgerAnswer<RecordedRelease>>
  /** The databases that the newest releases of the environment are of, each once: by the names that they were given. */
  places(): Promise<LedgerAnswer<readonly LedgerPlace[]>>
  /** Writes down a release that is about to begin. */
  begin(record: ReleaseRecord): Promise<LedgerAnswer<{ readonly id: number; readonly url?: string }>>
  /** Writes down how a release ended. */
  end(id: number, ending: LedgerEnding): Promise<LedgerAnswer<undefined>>
  /** Writes down that another release took the place of this one. */
  retire(id: number): Promise<LedgerAnswer<undefined>>
}

export type ReleasesOptions = {
  /** Nothing that was read before is taken for what is there now. */
  readonly isFresh?: boolean
  /** Those that are wanted: how others ended need not be asked. A ledger may give others too. */
  readonly which?: Which
}

/** Whether a release is wanted, by what is known of it without asking how it ended. */
export type Which = (record: ReleaseRecord, id: number) => boolean

export type LedgerPlace = {
  /** The server's URL. */
  readonly server: string
  /** As it was given. */
  readonly database: string
  readonly databaseIdentity?: string | undefined
}

export type LedgerAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** `isForbidden`: the token may not; `reason` says what the job needs. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isForbidden?: boolean }

/** How a release ended, as far as it is written down. */
export type LedgerEnding = {
  readonly result: Result
  /** Whether its checks, its health check or a soak were run and passed. */
  readonly isChecked: boolean
  /** Of a release of several databases: the positions (from 0) in `databases` of those that do not run its module. */
  readonly without?: readonly number[]
  /** One sentence for people, cut where there is no room. */
  readonly note?: string | undefined
}

/** A release that is in the ledger, as far as one database goes. */
export type RecordedRelease = {
  readonly id: number
  readonly record: ReleaseRecord
  /** Milliseconds since the epoch. */
  readonly begun: number
  readonly ended?: number
  /** Who wrote it down: a login. */
  readonly by?: string
  /** Its page, or that of its run. */
  readonly url?: string
  /**
   * `good`: it ended as it should (`created`, `updated`, `unchanged`, `rolled-back` of a rollback), whatever took its
   * place since. `bad`: it did not. `open`: nobody has written how it ended. `unclear`: of several databases, and nothing
   * says whether this one is among those that got it.
   */
  readonly state: 'good' | 'bad' | 'open' | 'unclear'
  readonly result?: Result
  /** Whether its checks were run and passed. */
  readonly isChecked: boolean
}
