import { setMaxListeners } from 'node:events'
import type { Clock } from '../../clock.ts'
import { scheduleOf } from './schedule.ts'
import { Tally } from './tally.ts'

/** Times are in milliseconds. */
export type LoadPlan = {
  readonly callers: number
  /** Calls in a second of all callers together; `undefined`: each calls again when it has its answer. */
  readonly rate: number | undefined
  readonly duration: number
  /** For each call; and what the load may last longer than `duration`, for calls that are still to end. */
  readonly timeout: number
}

/** What came of one call. */
export type CallEnd =
  | { readonly kind: 'succeeded' }
  | {
      readonly kind: 'failed'
      readonly reason: string
      /** How far it got; `lost`: it may have been carried out. */
      readonly fate: 'answered' | 'lost' | 'not-sent'
      /** Whether each other call will end so, too. */
      readonly isLasting: boolean
    }

/** Calls once, as the caller with that index, from 0. Throws nothing. */
export type SendCall = (caller: number, timeout: number) => Promise<CallEnd>

export type LoadEnd =
  | { readonly kind: 'done'; readonly tally: Tally; readonly milliseconds: number }
  /** The signal ended it. */
  | { readonly kind: 'cut'; readonly milliseconds: number }
  /** No call can succeed: it was given up. */
  | { readonly kind: 'hopeless'; readonly reason: string; readonly isLasting: boolean }

/** A timer that ticks once in a millisecond hits half a millisecond either way. */
const early = 0.5

/** A caller whose connection failed would do nothing but fail in the next moment. */
const pauseWithoutAnswer = 100

/**
 * Has callers call for a time. With a rate calls are due at the times of a schedule and wait for a free caller, also
 * after the time is over; what could not be sent before `timeout` more has passed counts as failed. When the signal is
 * aborted it ends at once, and leaves calls that are on their way to `send`.
 */
export async function drive(
  plan: LoadPlan,
  send: SendCall,
  clock: Pick<Clock, 'now' | 'sleep'>,
  signal: AbortSignal
): Promise<LoadEnd> {
  if (signal.aborted) return { kind: 'cut', milliseconds: 0 }
  const load = new Load(plan, send, clock)
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true, signal: load.stopped })
  })
  try {
    return await Promise.race([load.run(), aborted.then(() => load.cut())])
  } finally {
    load.stop()
  }
}

class Load {
  readonly #plan: LoadPlan
  readonly #send: SendCall
  readonly #clock: Pick<Clock, 'now' | 'sleep'>
  readonly #tally = new Tally()
  readonly #stop = new AbortController()
  readonly #start: number
  #lastSent = 0
  #lastEnded = 0
  #notSent = 0
  #wasReached = false
  #hopeless: LoadEnd | undefined

  constructor(plan: LoadPlan, send: SendCall, clock: Pick<Clock, 'now' | 'sleep'>) {
    this.#plan = plan
    this.#send = send
    this.#clock = clock
    // Each caller that waits for its turn listens.
    setMaxListeners(0, this.stopped)
    this.#start = clock.now()
  }

  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  stop(): void {
    this.#stop.abort()
  }

  async run(): Promise<LoadEnd> {
    const { callers, rate, duration } = this.#plan
    const call = rate === undefined ? this.#inClosedLoop() : this.#bySchedule(rate)
    const all = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
    await Promise.race([all, new Promise((resolve) => this.stopped.addEventListener('abort', resolve, { once: true }))])
    if (this.#hopeless !== undefined) return this.#hopeless
    // By a schedule the last calls count as sent in its time; callers that wait for answers are at it until they have them.
    const last = rate === undefined ? this.#lastEnded : this.#lastSent
    return { kind: 'done', tally: this.#tally, milliseconds: Math.max(duration, last - this.#start) }
  }

  cut(): LoadEnd {
    return { kind: 'cut', milliseconds: this.#clock.now() - this.#start }
  }

  get #lastMoment(): number {
    return this.#start + this.#plan.duration + this.#plan.timeout
  }

  #bySchedule(rate: number): (caller: number) => Promise<void> {
    const schedule = scheduleOf(rate, this.#plan.duration)
    let next = 0
    return async (caller) => {
      while (next < schedule.calls) {
        const due = this.#start + schedule.due(next++)
        await this.#until(due)
        if (this.stopped.aborted) return
        const now = this.#clock.now()
        if (now < this.#lastMoment) await this.#call(caller, due)
        else this.#tally.addUnsent(due, now)
      }
    }
  }

  #inClosedLoop(): (caller: number) => Promise<void> {
    const end = this.#start + this.#plan.duration
    return async (caller) => {
      while (this.#clock.now() < end && !this.stopped.aborted) {
        const result = await this.#call(caller)
        const isUnanswered = result.kind === 'failed' && result.fate !== 'answered'
        if (isUnanswered) await this.#clock.sleep(pauseWithoutAnswer, this.stopped)
      }
    }
  }

  async #until(due: number): Promise<void> {
    for (;;) {
      const wait = due - this.#clock.now()
      if (wait <= early || this.stopped.aborted) return
      await this.#clock.sleep(wait, this.stopped)
    }
  }

  async #call(caller: number, due?: number): Promise<CallEnd> {
    const sent = this.#clock.now()
    this.#lastSent = sent
    const result = await this.#send(caller, Math.min(this.#plan.timeout, this.#lastMoment - sent))
    if (this.stopped.aborted) return result
    const ended = this.#clock.now()
    this.#lastEnded = ended
    this.#tally.add({ due: due ?? sent, sent, ended, reason: result.kind === 'failed' ? result.reason : undefined })
    if (result.kind === 'succeeded' || result.fate !== 'not-sent') this.#wasReached = true
    else this.#notSent += 1
    if (result.kind === 'failed') this.#considerFailure(result)
    return result
  }

  /** Where the first answers say that none can succeed, or nobody is there, the rest need not be tried. */
  #considerFailure({ reason, isLasting }: CallEnd & { kind: 'failed' }): void {
    const nobodyIsThere = !this.#wasReached && this.#notSent >= this.#plan.callers
    if (this.#tally.succeeded > 0 || !(isLasting || nobodyIsThere)) return
    this.#hopeless = { kind: 'hopeless', reason, isLasting }
    this.stop()
  }
}
