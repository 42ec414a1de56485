import type { LoadFigures } from '../load-figures.ts'
import { Latencies } from './latencies.ts'
import { Reasons } from './reasons.ts'

/** A call that is over. Times are in milliseconds, of one clock. */
export type EndedCall = {
  readonly due: number
  readonly sent: number
  readonly ended: number
  /** `undefined` when it succeeded. */
  readonly reason: string | undefined
}

/** How much later than due a call may begin before it counts as late. */
const punctual = 1

/** What is known of a load while it lasts, in a room that does not grow with its calls. */
export class Tally {
  #calls = 0
  #lateCalls = 0
  #latest = 0
  readonly #latency = new Latencies()
  readonly #service = new Latencies()
  readonly #reasons = new Reasons()

  get succeeded(): number {
    return this.#calls - this.#reasons.total
  }

  add({ due, sent, ended, reason }: EndedCall): void {
    this.#calls += 1
    // A call is sent up to half a millisecond early, which makes it no quicker.
    this.#latency.record(ended - Math.min(due, sent))
    this.#service.record(ended - sent)
    this.#noteLateness(sent - due)
    if (reason !== undefined) this.#reasons.add(reason)
  }

  /** A call that was due and never sent: that it waited in vain counts as what it took at the least. */
  addUnsent(due: number, now: number): void {
    this.#calls += 1
    this.#latency.record(now - due)
    this.#noteLateness(now - due)
    this.#reasons.add('never sent: all callers were waiting for answers')
  }

  /** `milliseconds`: how long calls were sent. */
  figures(milliseconds: number): LoadFigures {
    return {
      calls: this.#calls,
      failed: this.#reasons.total,
      reasons: this.#reasons.list(),
      milliseconds,
      throughput: (this.succeeded / milliseconds) * 1000,
      latency: this.#latency.quantiles(),
      service: this.#service.quantiles(),
      late: { calls: this.#lateCalls, worst: this.#latest },
      histogram: this.#latency.bars()
    }
  }

  #noteLateness(milliseconds: number): void {
    if (milliseconds <= punctual) return
    this.#lateCalls += 1
    this.#latest = Math.max(this.#latest, milliseconds)
  }
}
