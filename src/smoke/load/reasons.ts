/** A reason for failures, and how often it was one. */
export type Reason = { readonly reason: string; readonly count: number }

const mostReasons = 8

const longestReason = 300

/** Why things failed, in a room that does not grow with their number: the first few different reasons, and the rest as one. */
export class Reasons {
  readonly #counts = new Map<string, number>()
  #total = 0

  get total(): number {
    return this.#total
  }

  add(reason: string): void {
    const line = reason.slice(0, longestReason).replace(/\s+/g, ' ').trim()
    const isOneMore = !this.#counts.has(line) && this.#counts.size >= mostReasons
    const key = isOneMore ? 'other reasons' : line
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    this.#total += 1
  }

  /** The most frequent one first. */
  list(): readonly Reason[] {
    return [...this.#counts].map(([reason, count]) => ({ reason, count })).sort((one, other) => other.count - one.count)
  }
}

/** Reasons in one line. */
export function reasonsText(reasons: readonly Reason[]): string {
  return reasons.map(({ reason, count }) => `${count} × ${reason}`).join('; ')
}
