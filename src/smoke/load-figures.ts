/** What a load did. Times are in milliseconds. */
export type LoadFigures = {
  readonly calls: number
  readonly failed: number
  /** The first few different reasons of failures, and how often each. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[]
  /**
   * How long it lasted: by a rate the time in which calls were sent, without one until the last answer was there. Not
   * less than was wanted.
   */
  readonly milliseconds: number
  /** Calls that succeeded, in a second. */
  readonly throughput: number
  /**
   * From when a call was due to when its answer was there: a call that had to wait for its turn counts with its wait,
   * so that a server that stalls does not hide it (coordinated omission). Without a rate a call is due when it is sent.
   * Calls that failed count too, and those that waited in vain with what they waited.
   */
  readonly latency: Quantiles
  /** From when a call was sent. */
  readonly service: Quantiles
  /** How many calls began later than they were due by more than a millisecond, and the latest of them. */
  readonly late: { readonly calls: number; readonly worst: number }
  /**
   * For a chart of `latency`: how many calls took up to each bound and longer than the one before it. At most 16 bounds,
   * growing by the same factor.
   */
  readonly histogram: readonly { readonly upTo: number; readonly calls: number }[]
}

export type Quantiles = {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}
