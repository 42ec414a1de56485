/** What a database has done: as much of it as its metrics tell. */
export class Statistics {
  readonly #transactions = new Map<string, TransactionCount>()
  readonly #runs = new Map<string, { readonly count: number; readonly micros: number }>()
  readonly #crashes = new Map<string, number>()

  get transactions(): readonly TransactionCount[] {
    return [...this.#transactions.values()]
  }

  /** How often a reducer ended its module's instance. */
  get crashes(): readonly (readonly [reducer: string, count: number])[] {
    return [...this.#crashes]
  }

  /** How often a reducer ran, and how many microseconds that took. */
  runsOf(reducer: string): { readonly count: number; readonly micros: number } {
    return this.#runs.get(reducer) ?? { count: 0, micros: 0 }
  }

  countTransaction(type: 'Reducer' | 'Sql', reducer: string, committed: boolean): void {
    const key = `${type} ${reducer} ${committed}`
    const count = (this.#transactions.get(key)?.count ?? 0) + 1
    this.#transactions.set(key, { type, reducer, committed, count })
  }

  countRun(reducer: string, micros: number): void {
    const before = this.runsOf(reducer)
    this.#runs.set(reducer, { count: before.count + 1, micros: before.micros + micros })
  }

  countCrash(reducer: string): void {
    this.#crashes.set(reducer, (this.#crashes.get(reducer) ?? 0) + 1)
  }
}

export type TransactionCount = {
  readonly type: 'Reducer' | 'Sql'
  /** Connections count as reducers with names of their own. */
  readonly reducer: string
  readonly committed: boolean
  readonly count: number
}
