import { systemClock } from '../../clock.ts'
import { timeText } from '../../duration.ts'
import { messageOf } from '../../errors.ts'
import { type CallAnswer, type Caller, type FailureKind, ServerFailure } from '../../spacetimedb/server.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { failedBy } from '../load/breach.ts'
import { type CallEnd, drive, type LoadEnd } from '../load/drive.ts'
import { perSecond } from '../load/figure-texts.ts'
import { breachesOf } from '../load/thresholds.ts'
import type { LoadFigures } from '../load-figures.ts'
import type { RunCheck } from '../place.ts'
import { serverFor } from './within-try.ts'

/** As exact as calls of less than a millisecond need, and not put right while it runs. */
const stopwatch = { ...systemClock, now: () => performance.now() }

/**
 * Calls a reducer again and again, each caller over a connection of its own, and judges how long the calls took and
 * how many failed. It may last longer than it says by the time that one call may take.
 */
export const runLoad: RunCheck<'load'> = async (check, place, { signal }) => {
  const { load: reducer, args, callers: count, rate, for: duration, timeout } = check.wanted
  const server = serverFor(check, place)
  const callers = Array.from({ length: count }, () => server.caller(place.database, reducer, args))
  try {
    const plan = { callers: count, rate, duration, timeout }
    const end = await drive(plan, (caller, within) => callOnce(callers[caller], within), stopwatch, signal)
    return findingOf(check, end)
  } finally {
    for (const caller of callers) caller.close()
  }
}

async function callOnce(caller: Caller | undefined, timeout: number): Promise<CallEnd> {
  if (caller === undefined) throw new Error('there is no such caller')
  try {
    return endOf(await caller.call(Math.ceil(timeout)))
  } catch (failure) {
    return endOfFailure(failure)
  }
}

function endOf(answer: CallAnswer): CallEnd {
  switch (answer.kind) {
    case 'ok':
      return { kind: 'succeeded' }
    case 'failed':
      return { kind: 'failed', reason: answer.reason, fate: 'answered', isLasting: false }
    case 'rejected': {
      const reason = `HTTP ${answer.status}: ${answer.reason}`
      return { kind: 'failed', reason, fate: 'answered', isLasting: answer.status !== 429 }
    }
  }
}

function endOfFailure(failure: unknown): CallEnd {
  // The message has the time in it that was left, a different one for each of the last calls.
  const isLate = failure instanceof ServerFailure && failure.kind === 'timed-out'
  const reason = isLate ? 'no whole answer in time' : messageOf(failure)
  if (!(failure instanceof ServerFailure)) return { kind: 'failed', reason, fate: 'not-sent', isLasting: false }
  return { kind: 'failed', reason, fate: fates[failure.kind] ?? 'answered', isLasting: lasting.has(failure.kind) }
}

const fates: { readonly [Kind in FailureKind]?: 'lost' | 'not-sent' } = {
  unreachable: 'not-sent',
  tls: 'not-sent',
  'timed-out': 'lost',
  interrupted: 'lost'
}

const lasting: ReadonlySet<FailureKind> = new Set(['unauthorized', 'forbidden', 'missing', 'tls'])

function findingOf({ wanted }: Check<'load'>, end: LoadEnd): Finding {
  switch (end.kind) {
    case 'cut':
      return { kind: 'not-run', reason: `It was ended after ${timeText(end.milliseconds)} of ${timeText(wanted.for)}.` }
    case 'hopeless':
      return { kind: 'not-run', reason: `It was given up: ${end.reason}`, ...(end.isLasting && { final: true }) }
    case 'done': {
      const load = end.tally.figures(end.milliseconds)
      const ending = failedBy(breachesOf(wanted, load)) ?? ({ kind: 'passed', detail: detailOf(wanted, load) } as const)
      return { ...ending, load }
    }
  }
}

function detailOf({ rate, callers }: Check<'load'>['wanted'], figures: LoadFigures): string {
  const { calls, failed, milliseconds, throughput, latency, late } = figures
  const pace =
    rate === undefined
      ? `as fast as ${callers} ${callers === 1 ? 'caller gets' : 'callers get'} answers, so that a server which stalls is asked less`
      : `at ${perSecond(rate)}, counted from when each was due`
  const latest = late.calls === 0 ? '' : `; ${late.calls} began late, by up to ${timeText(late.worst)}`
  const times = (['p50', 'p95', 'p99', 'max'] as const).map((name) => `${name} ${timeText(latency[name])}`).join(', ')
  return `${calls} calls in ${timeText(milliseconds)}, ${pace}: ${times}; ${perSecond(throughput)} succeeded, ${failed} failed${latest}`
}
