import type { Clock } from '../../src/clock.ts'
import type {
  Ledger,
  LedgerAnswer,
  LedgerEnding,
  LedgerPlace,
  RecordedRelease
} from '../../src/release/ledger/ledger.ts'
import { endingAt, placesOf, positionIn } from '../../src/release/ledger/one-database.ts'
import type { ReleaseRecord } from '../../src/release/ledger/record.ts'

/** What comes of a call: it fails, it fails since the token may not, or it is never answered. A function may do anything first. */
export type LedgerFault = 'failed' | 'forbidden' | 'hangs' | (() => void | Promise<void>)

export type LedgerCall = 'releases' | 'begin' | 'end' | 'retire'

/** A release as the ledger keeps it. */
export type Entry = {
  readonly id: number
  readonly record: ReleaseRecord
  readonly begun: number
  ended?: number
  ending?: LedgerEnding
  isRetired: boolean
  readonly by: string
}

/** A ledger in memory. `faults` are consumed one a call of that kind; `always` meets every call. `calls` is what came in. */
export class MemoryLedger implements Ledger {
  readonly environment: string
  readonly entries: Entry[] = []
  readonly calls: LedgerCall[] = []
  readonly faults: Record<LedgerCall, LedgerFault[]> = { releases: [], begin: [], end: [], retire: [] }
  readonly always: Partial<Record<LedgerCall, LedgerFault>> = {}
  /** Who writes from now on: a login. */
  by = 'octocat'
  readonly #now: () => number

  constructor(environment = 'production', clock: Pick<Clock, 'now'> = { now: () => 0 }) {
    this.environment = environment
    this.#now = () => clock.now()
  }

  async *releases(place: LedgerPlace): AsyncIterable<LedgerAnswer<RecordedRelease>> {
    const failure = await this.#meet('releases')
    if (failure) {
      yield failure
      return
    }
    for (const entry of this.entries.toReversed()) {
      const position = positionIn(entry.record, place)
      if (position !== undefined) yield { kind: 'ok', value: released(entry, position) }
    }
  }

  async places(): Promise<LedgerAnswer<readonly LedgerPlace[]>> {
    const failure = await this.#meet('releases')
    return failure ?? { kind: 'ok', value: placesOf(this.entries.toReversed().map(({ record }) => record)) }
  }

  async begin(record: ReleaseRecord): Promise<LedgerAnswer<{ readonly id: number; readonly url?: string }>> {
    const failure = await this.#meet('begin')
    if (failure) return failure
    const entry = { id: this.entries.length + 1, record, begun: this.#now(), isRetired: false, by: this.by }
    this.entries.push(entry)
    return { kind: 'ok', value: { id: entry.id, url: urlOf(entry.id) } }
  }

  async end(id: number, ending: LedgerEnding): Promise<LedgerAnswer<undefined>> {
    const failure = await this.#meet('end')
    if (failure) return failure
    const entry = this.entry(id)
    entry.ending = ending
    entry.ended = this.#now()
    return { kind: 'ok', value: undefined }
  }

  async retire(id: number): Promise<LedgerAnswer<undefined>> {
    const failure = await this.#meet('retire')
    if (failure) return failure
    this.entry(id).isRetired = true
    return { kind: 'ok', value: undefined }
  }

  /** Throws when there is none of that id. */
  entry(id: number): Entry {
    const entry = this.entries.find((entry) => entry.id === id)
    if (entry === undefined) throw new Error(`The ledger has no release ${id}.`)
    return entry
  }

  /** Puts a release in that is over, or still open without an ending. */
  add(record: ReleaseRecord, ending?: LedgerEnding): Entry {
    const now = this.#now()
    const over = ending && { ending, ended: now }
    const entry = { id: this.entries.length + 1, record, begun: now, isRetired: false, by: this.by, ...over }
    this.entries.push(entry)
    return entry
  }

  async #meet(call: LedgerCall): Promise<Extract<LedgerAnswer<never>, { kind: 'failed' }> | undefined> {
    this.calls.push(call)
    const fault = this.faults[call].shift() ?? this.always[call]
    if (typeof fault === 'function') await fault()
    else if (fault === 'hangs') return new Promise(() => {})
    else if (fault === 'forbidden') {
      return { kind: 'failed', reason: 'The token may not: give the job `deployments: write`.', isForbidden: true }
    } else if (fault === 'failed') return { kind: 'failed', reason: 'GitHub answered 502.' }
    return undefined
  }
}

function urlOf(id: number): string {
  return `https://github.example/releases/${id}`
}

function released({ id, record, begun, ended, ending, by }: Entry, position: number): RecordedRelease {
  const known = { id, record, begun, by, url: urlOf(id), ...(ended !== undefined && { ended }) }
  if (ending === undefined) return { ...known, state: 'open', isChecked: false }
  return { ...known, isChecked: ending.isChecked, ...endingAt(record, ending, position) }
}
