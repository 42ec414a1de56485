import { setImmediate } from 'node:timers/promises'

/** A clock of which time passes only when nothing else is left to do, and then to the next moment for which somebody waits. */
export class TurnedClock {
  #now = 0
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()

  readonly now = (): number => this.#now

  readonly sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { at: this.#now + Math.max(0, milliseconds), wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
    })

  /** Turns the clock until the work is done. Throws when the work waits for nothing that the clock can bring. */
  async turnUntil<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    work.then(
      () => (isOver = true),
      () => (isOver = true)
    )
    for (;;) {
      await setImmediate()
      if (isOver) return work
      const next = [...this.#sleepers].sort((one, other) => one.at - other.at)[0]
      if (next === undefined) throw new Error(`nobody waits for the clock at ${this.#now}`)
      this.#now = next.at
      next.wake()
    }
  }
}
