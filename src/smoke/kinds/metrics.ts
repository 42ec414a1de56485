import { timeText } from '../../duration.ts'
import { messageOf } from '../../errors.ts'
import {
  type DatabaseMetrics,
  latencyQuantile,
  type MetricsWindow,
  metricsBetween,
  quantileBounds,
  readDatabaseMetrics
} from '../../spacetimedb/database-metrics.ts'
import { mayPass } from '../../spacetimedb/failure-kinds.ts'
import { ServerFailure } from '../../spacetimedb/server.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { type Breach, failedBy } from '../load/breach.ts'
import { share } from '../load/figure-texts.ts'
import type { Attempt, CheckPlace, RunCheck } from '../place.ts'
import { serverFor } from './within-try.ts'

type Wanted = Check<'metrics'>['wanted']['metrics']

type Activity = MetricsWindow['all']

/** What was seen while the server was watched. */
type Watch = {
  readonly window: MetricsWindow
  /** The longest queue of all looks; `undefined` where the server does not tell. */
  readonly longestQueue: number | undefined
  readonly milliseconds: number
}

/** How often the queue is looked at, in milliseconds: it has a length and no history. */
const pauseBetweenLooks = 1000

/**
 * Watches what the server counts about the database, for the window and until the checks that run meanwhile are over,
 * and judges what was called in that time.
 */
export const runMetrics: RunCheck<'metrics'> = async (check, place, attempt) => {
  const { metrics } = check.wanted
  try {
    const watch = await watchServer(metrics, serverFor(check, place), place, attempt)
    if (watch === 'hidden') return { kind: 'skipped', reason: `${place.server.url} does not show its metrics.` }
    if (watch === 'cut')
      return { kind: 'not-run', reason: 'It was ended before the server had been watched for long enough.' }
    return judge(metrics, watch)
  } catch (failure) {
    if (!(failure instanceof ServerFailure)) throw failure
    return { kind: 'not-run', reason: messageOf(failure), ...(!mayPass(failure) && { final: true }) }
  }
}

async function watchServer(
  wanted: Wanted,
  server: CheckPlace['server'],
  { database, clock }: CheckPlace,
  attempt: Attempt
): Promise<Watch | 'hidden' | 'cut'> {
  const look = () => readDatabaseMetrics(server, database)
  const began = clock.now()
  const before = await look()
  if (before === undefined) return 'hidden'
  const queues = new Queues(before)
  const isOver = () => clock.now() >= began + wanted.window && attempt.othersOver?.aborted !== false
  while (!isOver() && !attempt.signal.aborted) {
    await clock.sleep(untilNextLook(began + wanted.window - clock.now()), attempt.signal)
    if (wanted['queue-length'] !== undefined && !isOver()) queues.note(await look())
  }
  if (attempt.signal.aborted) return 'cut'
  const after = await look()
  if (after === undefined) return 'hidden'
  queues.note(after)
  return { window: metricsBetween(before, after), longestQueue: queues.longest, milliseconds: clock.now() - began }
}

/** Milliseconds: whether the others are over is looked at once in a while, too. */
function untilNextLook(restOfWindow: number): number {
  return restOfWindow > 0 ? Math.min(restOfWindow, pauseBetweenLooks) : pauseBetweenLooks / 4
}

class Queues {
  longest: number | undefined

  constructor(first: DatabaseMetrics) {
    this.longest = first.queueLength
  }

  note(metrics: DatabaseMetrics | undefined): void {
    if (metrics?.queueLength !== undefined) this.longest = Math.max(this.longest ?? 0, metrics.queueLength)
  }
}

function judge(wanted: Wanted, watch: Watch): Finding {
  const { window, longestQueue, milliseconds } = watch
  const note = restartNote(window)
  if (wanted['queue-length'] !== undefined && longestQueue === undefined)
    return { kind: 'not-run', reason: `The server does not tell how many calls wait.${note}` }
  const activity = wanted.reducer === undefined ? window.all : window.reducers.find(isNamed(wanted.reducer))
  const queue = longestQueue ?? 0
  const failed = failedBy([...breachesOfCalls(wanted, activity), ...tooLongQueue(wanted['queue-length'], queue)])
  if (failed !== undefined) return { ...failed, actual: `${failed.actual}${note}` }
  if (isAboutCalls(wanted) && (activity?.calls ?? 0) === 0)
    return { kind: 'skipped', reason: `${nothingCalled(wanted, milliseconds)}${note}` }
  return { kind: 'passed', detail: `${figures(wanted, activity, queue)} in ${timeText(milliseconds)}${note}` }
}

function isNamed(name: string): (each: { readonly reducer: string }) => boolean {
  return ({ reducer }) => reducer === name
}

function restartNote({ wasRestarted }: MetricsWindow): string {
  return wasRestarted ? ' (the server was restarted meanwhile: only what came after that counts)' : ''
}

function isAboutCalls(wanted: Wanted): boolean {
  return wanted['error-rate'] !== undefined || quantileNames.some((name) => wanted[name] !== undefined)
}

function nothingCalled({ reducer }: Wanted, milliseconds: number): string {
  const what = reducer === undefined ? 'a reducer' : `"${reducer}"`
  return `No call of ${what} was counted in ${timeText(milliseconds)}: there is nothing to judge by.`
}

const quantileNames = ['p50', 'p95', 'p99'] as const

const shareOf = { p50: 0.5, p95: 0.95, p99: 0.99 } as const

function breachesOfCalls(wanted: Wanted, activity: Activity | undefined): readonly Breach[] {
  if (activity === undefined) return []
  const { calls, errors, errorRate = 0 } = activity
  const most = wanted['error-rate']
  const tooMany =
    most !== undefined && errorRate > most
      ? [
          {
            expected: `at most ${share(most)} of the calls fail`,
            actual: `${errors} of ${calls} (${share(errorRate)}) failed`
          }
        ]
      : []
  return [...tooMany, ...quantileNames.flatMap((name) => tooSlow(name, wanted[name], activity))]
}

/** A server counts times between bounds, so that only a quantile between two that are both too long is certainly too long. */
function tooSlow(name: keyof typeof shareOf, most: number | undefined, { seconds }: Activity): readonly Breach[] {
  const bounds = quantileBounds(seconds, shareOf[name])
  if (most === undefined || bounds === undefined) return []
  const { from, upTo } = { from: bounds.from * 1000, upTo: bounds.upTo * 1000 }
  const isBeyondAll = upTo === Number.POSITIVE_INFINITY
  if (from < most && !isBeyondAll) return []
  const actual = isBeyondAll ? `${name} over ${timeText(from)}` : `${name} from ${timeText(from)} to ${timeText(upTo)}`
  return [{ expected: `${name} at most ${timeText(most)}`, actual }]
}

/** `about 3 ms`. */
function quantileText({ seconds }: Activity, name: keyof typeof shareOf): string | undefined {
  const estimate = latencyQuantile(seconds, shareOf[name])
  if (estimate === undefined) return undefined
  const isBeyondAll = quantileBounds(seconds, shareOf[name])?.upTo === Number.POSITIVE_INFINITY
  return `${isBeyondAll ? 'over' : 'about'} ${timeText(estimate * 1000)}`
}

function tooLongQueue(most: number | undefined, longest: number): readonly Breach[] {
  if (most === undefined || longest <= most) return []
  return [{ expected: `at most ${most} calls wait`, actual: `${longest} waited` }]
}

function figures(wanted: Wanted, activity: Activity | undefined, queue: number): string {
  const { calls = 0, errors = 0 } = activity ?? {}
  const times = quantileNames.flatMap((name) => {
    const text = activity && quantileText(activity, name)
    return text === undefined ? [] : [`${name} ${text}`]
  })
  const waited = wanted['queue-length'] === undefined ? [] : [`at most ${queue} waited`]
  return [`${calls} calls`, `${errors} failed`, ...times, ...waited].join(', ')
}
