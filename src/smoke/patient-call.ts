import { orCancelled } from '../cancellation.ts'
import type { Clock } from '../clock.ts'
import type { CallAnswer, Server } from '../spacetimedb/server.ts'

export type PatientCall = {
  readonly database: string
  /** Of a reducer or procedure. */
  readonly name: string
  readonly args: readonly unknown[]
  /** Milliseconds, for all attempts together. */
  readonly timeout: number
  readonly clock: Clock
  /** Ends it at once. */
  readonly signal: AbortSignal
  /** Whether a call that failed so may be sent again. */
  readonly mayRepeat: (failure: unknown) => boolean
}

export type CallEnd =
  | { readonly kind: 'answered'; readonly answer: CallAnswer }
  /** A failure after which it may not be sent again. */
  | { readonly kind: 'refused'; readonly failure: unknown }
  /** The time is over, or the signal has ended it; the last failure, if there was one and no call is on its way. */
  | { readonly kind: 'unanswered' | 'ended'; readonly failure: unknown }

/** Calls a reducer or procedure until there is an answer; what the function itself says is never asked for again. */
export async function callPatiently(server: Pick<Server, 'call'>, call: PatientCall): Promise<CallEnd> {
  const { database, name, args, timeout, clock, signal, mayRepeat } = call
  const deadline = clock.now() + timeout
  let lastFailure: unknown
  for (let pause = 250; clock.now() < deadline && !signal.aborted; pause = Math.min(pause * 2, 4000)) {
    try {
      const answer = await orCancelled(server.call(database, name, args, deadline - clock.now()), signal)
      return answer === 'cancelled' ? { kind: 'ended', failure: undefined } : { kind: 'answered', answer }
    } catch (failure) {
      if (!mayRepeat(failure)) return { kind: 'refused', failure }
      lastFailure = failure
      await clock.sleep(Math.min(pause, Math.max(0, deadline - clock.now())), signal)
    }
  }
  return { kind: signal.aborted ? 'ended' : 'unanswered', failure: lastFailure }
}
