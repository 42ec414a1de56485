import { orCancelled } from '../../cancellation.ts'
import { inUnits } from '../../duration.ts'
import { ConfigurationError, messageOf } from '../../errors.ts'
import { mayPass } from '../../spacetimedb/failure-kinds.ts'
import { type Server, ServerFailure } from '../../spacetimedb/server.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import type { Attempt, CheckPlace } from '../place.ts'

/** The server, as the one whom a check asks as. */
export function serverFor({ wanted }: Exclude<Check, Check<'http-route'>>, place: CheckPlace): Server {
  return wanted.as === 'owner' ? place.server : place.anonymous
}

/**
 * Does the work of one try, and finds what came of it when its time is over or the server can't be asked. `soFar`: what
 * was found until its time was over, where that says more than that it is over.
 */
export async function withinTry(
  place: CheckPlace,
  attempt: Attempt,
  work: () => Promise<Finding>,
  soFar: () => Finding | undefined = () => undefined
): Promise<Finding> {
  const atItsEnd = () => (place.cancelled.aborted ? undefined : soFar()) ?? ended(place, attempt)
  if (attempt.signal.aborted) return ended(place, attempt)
  try {
    const finding = await orCancelled(work(), attempt.signal)
    return finding === 'cancelled' ? atItsEnd() : finding
  } catch (failure) {
    return attempt.signal.aborted ? atItsEnd() : findingOf(failure, attempt)
  }
}

/** A try that was ended by its signal. */
export function ended(place: CheckPlace, attempt: Attempt): Finding {
  if (place.cancelled.aborted) return { kind: 'not-run', reason: 'The job was cancelled.', final: true }
  return { kind: 'failed', expected: `an answer within ${inUnits(attempt.timeout)}`, actual: 'none' }
}

/**
 * What it says of a release that a request failed: a server that does not answer in time or breaks off has failed; one
 * that can't be reached, or won't be asked so, leaves the check undone. Throws what is a mistake of ours.
 */
export function findingOf(failure: unknown, attempt: Attempt): Finding {
  if (mistakesOfOurs.has((failure as Error).name)) throw failure
  const kind = failure instanceof ServerFailure ? failure.kind : undefined
  switch (kind) {
    case 'timed-out':
      return { kind: 'failed', expected: `an answer within ${inUnits(attempt.timeout)}`, actual: 'none' }
    case 'interrupted':
    case 'server-error':
      return { kind: 'failed', expected: 'an answer', actual: messageOf(failure) }
    default:
      return { kind: 'not-run', reason: messageOf(failure), ...(isFinal(failure) && { final: true }) }
  }
}

const mistakesOfOurs: ReadonlySet<string> = new Set(['TypeError', 'RangeError', 'ReferenceError'])

function isFinal(failure: unknown): boolean {
  return failure instanceof ConfigurationError || !mayPass(failure)
}
