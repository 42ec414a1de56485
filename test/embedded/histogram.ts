/** Counts of observations by upper bounds, as Prometheus has them. */
export class Histogram {
  readonly bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  /** `bounds`: ascending, without infinity. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  get sum(): number {
    return this.#sum
  }

  get count(): number {
    return this.#count
  }

  /** How many observations were no greater than each bound. */
  get cumulative(): readonly number[] {
    let total = 0
    return this.#counts.map((count) => {
      total += count
      return total
    })
  }

  observe(value: number): void {
    this.#sum += value
    this.#count += 1
    const bucket = this.bounds.findIndex((bound) => value <= bound)
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
  }
}

/** Prometheus' own bounds, in seconds, which suit whole requests. */
export const requestBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
