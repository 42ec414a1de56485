import { withinTime } from '../../cancellation.ts'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { LedgerAnswer } from './ledger.ts'

/** Milliseconds that an answer of the ledger is waited for; the less once it was too slow, or the job is being cancelled. */
const [usual, short] = [4_000, 1_500]

/** Bounds how long a release waits for its ledger. */
export class LedgerPatience {
  readonly #clock: Clock
  readonly #cancelled: AbortSignal
  #wasSlow = false

  constructor(clock: Clock, cancelled: AbortSignal) {
    this.#clock = clock
    this.#cancelled = cancelled
  }

  /** Waits for an answer. Never throws: whatever goes wrong is an answer. */
  wait<T>(ask: () => Promise<LedgerAnswer<T>>): Promise<LedgerAnswer<T>> {
    return this.#wait(ask, undefined)
  }

  /** Stops to wait when the job is cancelled, too. */
  waitUnlessCancelled<T>(ask: () => Promise<LedgerAnswer<T>>): Promise<LedgerAnswer<T>> {
    return this.#wait(ask, this.#cancelled)
  }

  async #wait<T>(ask: () => Promise<LedgerAnswer<T>>, signal: AbortSignal | undefined): Promise<LedgerAnswer<T>> {
    const milliseconds = this.#wasSlow || this.#cancelled.aborted ? short : usual
    const answer = await withinTime({ clock: this.#clock, milliseconds, signal }, () => answerOf(ask))
    if (answer !== 'cancelled') return answer
    if (signal?.aborted) return { kind: 'failed', reason: 'the job was cancelled before there was an answer' }
    this.#wasSlow = true
    return { kind: 'failed', reason: `there was no answer within ${milliseconds / 1000} s` }
  }
}

/** An answer, whatever is thrown. */
export async function answerOf<T>(ask: () => Promise<LedgerAnswer<T>>): Promise<LedgerAnswer<T>> {
  try {
    return await ask()
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) }
  }
}
