import { timeText } from '../../duration.ts'
import type { Procedure, Reducer } from '../../module/schema.ts'
import { changedNothing, mayPass } from '../../spacetimedb/failure-kinds.ts'
import type { CallAnswer } from '../../spacetimedb/server.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { knownNames } from '../did-you-mean.ts'
import { callPatiently } from '../patient-call.ts'
import type { Attempt, CheckPlace } from '../place.ts'
import { ended, findingOf, serverFor } from './within-try.ts'

/** An answer of the function itself: it was run. */
export type RunAnswer = Exclude<CallAnswer, { kind: 'rejected' }>

/**
 * Calls a reducer or procedure. A call that may have been carried out is not sent again; one that was not, such as
 * without a connection, is sent until the try's time is over. The finding instead, where there is no answer of the
 * function's own.
 */
export async function callForCheck(
  check: Check<'reducer'> | Check<'procedure'>,
  place: CheckPlace,
  attempt: Attempt
): Promise<{ readonly answer: RunAnswer } | { readonly finding: Finding }> {
  const { database, clock } = place
  const name = check.kind === 'reducer' ? check.wanted.reducer : check.wanted.procedure
  const end = await callPatiently(serverFor(check, place), {
    database,
    name,
    args: check.wanted.args,
    timeout: attempt.timeout,
    clock,
    signal: attempt.signal,
    mayRepeat: (failure) => mayPass(failure) && changedNothing(failure)
  })
  if (end.kind !== 'answered') {
    const isOver = place.cancelled.aborted || end.failure === undefined
    return { finding: isOver ? ended(place, attempt) : findingOf(end.failure, attempt) }
  }
  if (end.answer.kind !== 'rejected') return { answer: end.answer }
  return { finding: rejected(name, end.answer, check.wanted.as, place) }
}

/** A function that the server did not run, and what its author may do. */
export function rejected(
  name: string,
  { status, reason }: Extract<CallAnswer, { kind: 'rejected' }>,
  as: 'owner' | 'anonymous',
  { schema }: CheckPlace
): Finding {
  const callables = [...schema.reducers, ...schema.procedures]
  const known = callables.find((callable) => callable.name === name)
  const advice = known === undefined ? othersThan(name, callables) : adviceOn(known, status, as)
  const text = `"${name}" was not run: ${reason.replace(/\.?$/, '.')}${advice}`
  return { kind: 'not-run', reason: text, final: true }
}

function othersThan(name: string, callables: readonly (Reducer | Procedure)[]): string {
  const names = callables.map((callable) => callable.name)
  return ` ${knownNames(name, names)}`
}

function adviceOn({ parameters, visibility }: Reducer | Procedure, status: number, as: string): string {
  if (status === 404 && visibility === 'private' && as === 'anonymous') {
    return ' It is private: with `as: owner` the owner of the database calls it.'
  }
  if (status === 403) return " The module's `client_connected` decides who is let in."
  if (status !== 400) return ''
  const names = parameters.map((parameter, at) => parameter.name ?? `argument ${at + 1}`)
  return names.length === 0 ? ' It takes no arguments.' : ` It takes ${names.length}: ${names.join(', ')}.`
}

/** Whether the server says that a call took too long; `undefined` where it did not. */
export function tooSlow(answer: Extract<RunAnswer, { kind: 'ok' }>, longest: number | undefined): Finding | undefined {
  if (longest === undefined) return undefined
  if (answer.durationMicros === undefined) {
    return {
      kind: 'not-run',
      reason: 'The server did not say how long it took, so `max-duration` can not be judged.',
      final: true
    }
  }
  const took = answer.durationMicros / 1000
  if (took <= longest) return undefined
  return { kind: 'failed', expected: `at most ${timeText(longest)} on the server`, actual: timeText(took) }
}

/** `ok, 0.3 ms on the server`. */
export function passedIn({ durationMicros }: Extract<RunAnswer, { kind: 'ok' }>, what: string): Finding {
  const time = durationMicros === undefined ? '' : `, ${timeText(durationMicros / 1000)} on the server`
  return { kind: 'passed', detail: what + time }
}
