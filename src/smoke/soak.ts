import { withinTime } from '../cancellation.ts'
import { inUnits } from '../duration.ts'
import { messageOf } from '../errors.ts'
import type { ModuleHash } from '../module/hash.ts'
import { mayPass } from '../spacetimedb/failure-kinds.ts'
import { byHand } from './by-hand.ts'
import type { Check, Checks } from './check.ts'
import type { CheckReport, Outcome, SoakReport } from './check-report.ts'
import { servedHashCheck } from './default-checks.ts'
import { collectEvidence } from './evidence.ts'
import { allRunners } from './kinds/all.ts'
import type { CheckPlace, LogMark } from './place.ts'
import { redactReport } from './redact-report.ts'
import { type Runners, runOne } from './run-one.ts'
import { SoakLog } from './soak-log.ts'

export type SoakOptions = {
  /** Where in the log the checks have stopped to look (`SmokeReport.logMark`). Without it only what comes from now on counts. */
  readonly since?: LogMark | undefined
  /** What runs the checks of each kind; tests give their own. */
  readonly runners?: Runners
  /** Told after each look, with their number. */
  readonly onLook?: (looks: number) => void
  /** Milliseconds after which a server that does not answer, or a log that can't be read, has failed. */
  readonly patience?: number
}

/**
 * Watches a release for a time, in milliseconds: the database runs the same module, no panic comes to the log, and the
 * checks of the kinds `log` and `metrics` go on to hold. Ends at the first breach. A server that does not answer fails
 * once it has stayed away for `patience`, and so does a log that can't be read; one that may not be read is noted. A
 * metrics check is left out when its window is longer than the time.
 */
export async function soak(
  checks: Checks,
  place: CheckPlace,
  milliseconds: number,
  options: SoakOptions = {}
): Promise<SoakReport> {
  const { clock } = place
  const start = clock.now()
  const breached = new AbortController()
  const over = AbortSignal.any([place.cancelled, breached.signal])
  const patience = options.patience ?? defaultPatience
  const watch: Watch = { place, start, end: start + milliseconds, over, patience, options, looks: 0 }
  const log = new SoakLog(checks, place, { since: options.since, patience, over })
  const watches = [watchRelease(checks, log, watch), ...metricsOf(checks).map((check) => watchMetrics(check, watch))]
  const breaches = await Promise.all(
    watches.map(async (watching) => {
      const breach = await watching
      if (breach !== undefined) breached.abort()
      return breach
    })
  )
  const breach = breaches.find((each) => each !== undefined)
  const seen = { milliseconds: clock.now() - start, ...(log.note !== undefined && { note: log.note }) }
  if (breach !== undefined) return { kind: 'failed', ...seen, breach }
  if (place.cancelled.aborted) return { kind: 'cancelled', ...seen }
  return { kind: 'passed', ...seen, looks: watch.looks }
}

type Watch = {
  readonly place: CheckPlace
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
  /** Aborted when the job is cancelled or something was breached. */
  readonly over: AbortSignal
  readonly patience: number
  readonly options: SoakOptions
  looks: number
}

const defaultPatience = 30_000

/** Milliseconds that one question may take, with all its repetitions. */
const longestQuestion = 10_000

/** Milliseconds between two looks: twenty in all, but never closer than 2 s or further apart than 30 s. */
function interval({ start, end }: Watch): number {
  return Math.min(30_000, Math.max(2000, (end - start) / 20))
}

/** Milliseconds between two looks at a server that did not answer. */
const pauseWhileAway = 3000

/** Looks at the module that is served and at the log, in turns. */
async function watchRelease(checks: Checks, log: SoakLog, watch: Watch): Promise<CheckReport | undefined> {
  const { place, end, over, options } = watch
  const { clock } = place
  const served = watchServed(checks, watch)
  while (!over.aborted) {
    const breach = (await served.look()) ?? (await lookAtLog(log, watch))
    if (breach !== undefined) return breach
    if (over.aborted) return undefined
    watch.looks++
    options.onLook?.(watch.looks)
    const left = end - clock.now()
    if (served.isAway() || log.isAway) await clock.sleep(pauseWhileAway, over)
    else if (left > 0) await clock.sleep(Math.min(interval(watch), left), over)
    else return undefined
  }
  return undefined
}

async function lookAtLog(log: SoakLog, watch: Watch): Promise<CheckReport | undefined> {
  const breach = await log.look()
  return breach && breachOf(breach.check, watch, breach.expected, breach.actual, interval(watch))
}

/** Whether the database still runs the module, by one question a look. */
function watchServed(checks: Checks, watch: Watch) {
  const { place, over, patience } = watch
  const { clock } = place
  const check = checks.checks.find(({ kind }) => kind === 'served-hash') ?? servedHashCheck()
  let expected = place.expectedHash
  let answered = clock.now()
  let awaySince: number | undefined

  async function look(): Promise<CheckReport | undefined> {
    const asked = clock.now()
    const answer = await askLive(place, over)
    if (answer.kind === 'cancelled') return undefined
    if (answer.kind === 'failed') return breachOf(check, watch, 'the module', answer.reason)
    if (answer.kind === 'lost') {
      awaySince ??= asked
      if (clock.now() - awaySince < patience) return undefined
      const seconds = Math.round((clock.now() - answered) / 1000)
      return breachOf(check, watch, 'an answer', `none for ${seconds} s: ${answer.reason}`)
    }
    awaySince = undefined
    answered = clock.now()
    expected ??= answer.hash
    return answer.hash === expected ? undefined : breachOf(check, watch, `module ${expected}`, `module ${answer.hash}`)
  }
  return { look, isAway: () => awaySince !== undefined }
}

type LiveAnswer =
  | { readonly kind: 'answered'; readonly hash: ModuleHash }
  /** It may come the next time. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** There is no such database, or it answers nobody. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' }

/** Asks with the credential: a module may let nobody in but those whom it knows. */
async function askLive({ server, database, clock }: CheckPlace, over: AbortSignal): Promise<LiveAnswer> {
  const ask = () =>
    server.live(database).then(
      ({ hash }): LiveAnswer => ({ kind: 'answered', hash }),
      (failure): LiveAnswer => ({ kind: mayPass(failure) ? 'lost' : 'failed', reason: messageOf(failure) })
    )
  const answer = await withinTime({ clock, milliseconds: longestQuestion, signal: over }, ask)
  if (over.aborted) return { kind: 'cancelled' }
  return answer === 'cancelled' ? { kind: 'lost', reason: `no answer within ${inUnits(longestQuestion)}` } : answer
}

function metricsOf({ checks }: Checks): Check<'metrics'>[] {
  return checks.flatMap((check) => (check.kind === 'metrics' ? [check] : []))
}

/** Window after window, as long as there is time for one more. That there is nothing to judge is no breach. */
async function watchMetrics(check: Check<'metrics'>, watch: Watch): Promise<CheckReport | undefined> {
  const { place, end, over, options } = watch
  const { clock } = place
  while (!over.aborted && clock.now() + check.wanted.metrics.window <= end) {
    const began = clock.now()
    const report = await lookOnce(check, { ...place, cancelled: over }, options.runners ?? allRunners)
    if (report.outcome.kind === 'failed') return report
    await clock.sleep(Math.max(0, began + interval(watch) - clock.now()), over)
  }
  return undefined
}

/** One look by a check of the file, which is not repeated: the next look is. */
function lookOnce(check: Check, place: CheckPlace, runners: Runners): Promise<CheckReport> {
  const once = { ...check, wanted: { ...check.wanted, retries: 0 } } as Check
  const deadline = longestLook
  const end = place.clock.now() + deadline
  return runOne(once, {
    place,
    runners,
    deadline,
    end,
    othersOver: AbortSignal.abort(),
    evidence: collectEvidence(place)
  })
}

/** Milliseconds: no check waits for longer than a window and its own timeout, of six hours each. */
const longestLook = 12 * 3_600_000

/** `since`: of how many milliseconds the log is shown. What looks like a token is in none of it. */
async function breachOf(
  check: Check,
  { place, start }: Watch,
  expected: string,
  actual: string,
  since = 0
): Promise<CheckReport> {
  const outcome: Outcome = { kind: 'failed', expected, actual }
  const milliseconds = place.clock.now() - start
  const logLines = await collectEvidence(place).linesAround(since)
  return redactReport({ check, outcome, milliseconds, tries: 1, logLines, byHand: byHand(check, place) })
}
