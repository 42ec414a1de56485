import { Histogram, requestBounds } from './histogram.ts'

/** What a database has done: as much of it as its metrics tell. The bounds are a real server's. */
export class Statistics {
  readonly #transactions = new Map<string, TransactionCount>()
  readonly #runs = new Map<string, Histogram>()
  readonly #waits = new Map<string, Histogram>()
  readonly #crashes = new Map<string, number>()
  readonly #errors = new Map<string, number>()
  readonly queueLengths = new Histogram([0, 1, 2, 5, 10, 25, 50, 75, 100, 200, 300, 400, 500, 1000])

  get transactions(): readonly Readonly<TransactionCount>[] {
    return [...this.#transactions.values()]
  }

  /** How often a reducer ended its module's instance. */
  get crashes(): readonly (readonly [reducer: string, count: number])[] {
    return [...this.#crashes]
  }

  /** How often a reducer returned an error. */
  get errors(): readonly (readonly [reducer: string, count: number])[] {
    return [...this.#errors]
  }

  /** How long functions waited for their turn, in seconds, by what waited. */
  get waits(): readonly (readonly [label: string, seconds: Histogram])[] {
    return [...this.#waits]
  }

  /** How long a reducer ran, in seconds. */
  runsOf(reducer: string): Histogram {
    return this.#runs.get(reducer) ?? new Histogram(requestBounds)
  }

  /** `micros`: how long it took. */
  countTransaction(type: TransactionType, reducer: string, committed: boolean, micros = 0): void {
    const key = `${type} ${reducer}`
    const known = this.#transactions.get(key) ?? newCount(type, reducer)
    known[committed ? 'committed' : 'rolledBack'] += 1
    known.seconds.observe(micros / 1e6)
    this.#transactions.set(key, known)
  }

  countRun(reducer: string, micros: number): void {
    observe(this.#runs, reducer, requestBounds, micros / 1e6)
  }

  countWait(label: string, micros: number): void {
    observe(this.#waits, label, waitBounds, micros / 1e6)
  }

  countCrash(reducer: string): void {
    this.#crashes.set(reducer, (this.#crashes.get(reducer) ?? 0) + 1)
  }

  countError(reducer: string): void {
    this.#errors.set(reducer, (this.#errors.get(reducer) ?? 0) + 1)
  }
}

export type TransactionType = 'Reducer' | 'Sql' | 'Subscribe' | 'Unsubscribe' | 'Update'

export type TransactionCount = {
  readonly type: TransactionType
  /** Connections count as reducers with names of their own. */
  readonly reducer: string
  committed: number
  rolledBack: number
  /** How long each took. */
  readonly seconds: Histogram
}

function newCount(type: TransactionType, reducer: string): TransactionCount {
  return { type, reducer, committed: 0, rolledBack: 0, seconds: new Histogram(transactionBounds) }
}

const transactionBounds = [1e-5, 5e-5, 1e-4, 5e-4, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
const waitBounds = [1e-4, 5e-4, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

function observe(histograms: Map<string, Histogram>, label: string, bounds: readonly number[], value: number): void {
  const histogram = histograms.get(label) ?? new Histogram(bounds)
  histograms.set(label, histogram)
  histogram.observe(value)
}
