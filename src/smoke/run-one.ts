import { inUnits } from '../duration.ts'
import { messageOf } from '../errors.ts'
import { type Patience, withRetries } from '../retry.ts'
import { byHand } from './by-hand.ts'
import type { Check, CheckKind } from './check.ts'
import { type CheckReport, type Finding, isFailure, type Outcome } from './check-report.ts'
import type { Evidence } from './evidence.ts'
import type { CheckPlace, RunCheck } from './place.ts'
import { redactReport } from './redact-report.ts'

/** What runs the checks of each kind. */
export type Runners = { readonly [Kind in CheckKind]: RunCheck<Kind> }

/** The run that a check is part of. */
export type Run = {
  readonly place: CheckPlace
  readonly runners: Runners
  /** Milliseconds for all checks of the run. */
  readonly deadline: number
  /** When that time is over: milliseconds since the epoch, by the clock of the place. */
  readonly end: number
  /** Aborted as soon as all checks are over that those of the kind `metrics` watch. */
  readonly othersOver: AbortSignal
  readonly evidence: Evidence
}

/** Runs one check, with its retries, and reports it. Throws nothing. */
export async function runOne(check: Check, run: Run): Promise<CheckReport> {
  const { clock, cancelled } = run.place
  const began = clock.now()
  let tries = 0
  const last = await withRetries(
    () => {
      tries++
      return tryOnce(check, run)
    },
    (end) => (mayBeTriedAgain(end) ? { reason: 'it did not pass' } : undefined),
    { patience: patienceOf(check, run.end - began), clock, onRetry: () => {}, signal: cancelled }
  )
  const milliseconds = clock.now() - began
  const outcome = outcomeOf(check, last, run)
  const load = last.kind === 'found' ? loadIn(last.finding) : undefined
  return redactReport({
    check,
    outcome,
    milliseconds,
    tries,
    ...(load !== undefined && { load }),
    logLines: isFailure({ outcome }) ? await run.evidence.linesAround(milliseconds) : [],
    byHand: byHand(check, run.place)
  })
}

function loadIn(finding: Finding): CheckReport['load'] {
  return finding.kind === 'passed' || finding.kind === 'failed' ? finding.load : undefined
}

/** The report of a check that was never begun. */
export function neverBegun(check: Check, outcome: Outcome, place: CheckPlace): CheckReport {
  return { check, outcome, milliseconds: 0, tries: 0, logLines: [], byHand: byHand(check, place) }
}

/** That a check could not run: a failure, unless its author said that it may be left out. */
export function couldNotRun(check: Check, reason: string): Outcome {
  return { kind: check.wanted.optional ? 'skipped' : 'not-run', reason }
}

function patienceOf({ wanted }: Check, total: number): Patience {
  return { attempts: wanted.retries + 1, firstDelay: 1000, longestDelay: 30_000, total }
}

/** Why a try was ended from outside. */
type Cut = 'timeout' | 'deadline' | 'cancelled'

/** How a try ended: with a finding, cut off without one, or by a mistake in this project's code. */
type End =
  | { readonly kind: 'found'; readonly finding: Finding; readonly cut: Cut | undefined }
  | { readonly kind: 'cut'; readonly cut: Cut }
  | { readonly kind: 'broken'; readonly error: unknown }

function mayBeTriedAgain(end: End): boolean {
  if (end.kind === 'broken') return false
  if (end.cut === 'deadline' || end.cut === 'cancelled') return false
  if (end.kind === 'cut') return true
  const { finding } = end
  return (finding.kind === 'failed' || finding.kind === 'not-run') && finding.final !== true
}

/** A try that is cut off may still say for this many milliseconds what it saw. */
const lastWords = 1000

async function tryOnce(check: Check, run: Run): Promise<End> {
  const { place } = run
  if (place.cancelled.aborted) return { kind: 'cut', cut: 'cancelled' }
  const stop = new AbortController()
  const done = new AbortController()
  const cut = cutOf(check, run, done.signal).then((reason) => {
    stop.abort()
    return reason
  })
  const timeout = Math.max(0, Math.min(timeoutOf(check), run.end - place.clock.now()))
  const work = start(check, run, { timeout, signal: stop.signal, othersOver: run.othersOver })
  const wordless = cut.then(async (reason): Promise<End> => {
    if (!done.signal.aborted) await place.clock.sleep(lastWords, done.signal)
    return { kind: 'cut', cut: reason }
  })
  const end = await Promise.race([work, wordless])
  const reason = stop.signal.aborted ? await cut : undefined
  done.abort()
  return end.kind === 'found' ? { ...end, cut: reason } : end
}

async function start(check: Check, { runners, place }: Run, attempt: Parameters<RunCheck<CheckKind>>[2]): Promise<End> {
  try {
    const runCheck = runners[check.kind] as RunCheck<CheckKind>
    return { kind: 'found', finding: await runCheck(check, place, attempt), cut: undefined }
  } catch (error) {
    return { kind: 'broken', error }
  }
}

/** Waits for what ends a try from outside. `done` ends the waiting. */
async function cutOf(check: Check, { place, end, othersOver }: Run, done: AbortSignal): Promise<Cut> {
  const { clock, cancelled } = place
  const stopped = AbortSignal.any([done, cancelled])
  if (check.kind === 'metrics') await clock.sleep(end - clock.now(), AbortSignal.any([stopped, othersOver]))
  if (!stopped.aborted) await clock.sleep(Math.min(longestTry(check), end - clock.now()), stopped)
  if (cancelled.aborted) return 'cancelled'
  return clock.now() >= end ? 'deadline' : 'timeout'
}

/** What a try may take: its timeout, and the time that its author has it wait. Milliseconds. */
function longestTry(check: Check): number {
  return check.wanted.timeout + waitingOf(check) + (check.kind === 'load' ? counting : 0)
}

/** A load that ends by its own limits has this many milliseconds to put its figures together. */
const counting = 1000

function waitingOf({ wanted }: Check): number {
  if ('load' in wanted) return wanted.for
  if ('connections' in wanted) return wanted.stay
  if ('metrics' in wanted) return wanted.metrics.window
  if ('sql' in wanted) return wanted.eventually ?? 0
  if ('subscription' in wanted) return wanted.call?.within ?? 0
  return 0
}

/** The time limit that the code of a kind is told: of one call for `load`, of the whole try for others. */
function timeoutOf(check: Check): number {
  return check.kind === 'load' ? check.wanted.timeout : longestTry(check)
}

function outcomeOf(check: Check, end: End, run: Run): Outcome {
  if (end.kind === 'broken') {
    return { kind: 'not-run', reason: `A mistake in the code of this check ended it: ${messageOf(end.error)}` }
  }
  if (end.cut === 'cancelled') return outcomeOfCancelled(end)
  const isLatePass = end.kind === 'found' && end.finding.kind === 'passed' && end.cut !== undefined
  if (end.kind === 'cut' || isLatePass) return outcomeOfCut(check, end.cut, run)
  return outcomeOfFinding(check, end.cut === 'deadline' ? cutShort(end.finding, run) : end.finding)
}

/** What was found until then, and that there was no more time. */
function cutShort(finding: Finding, { deadline }: Run): Finding {
  const note = ` (the deadline of all checks, ${inUnits(deadline)}, was over)`
  if (finding.kind === 'failed') return { ...finding, actual: finding.actual + note }
  return finding.kind === 'not-run' ? { ...finding, reason: finding.reason + note } : finding
}

function outcomeOfCut(check: Check, cut: Cut | undefined, { deadline }: Run): Outcome {
  const limit =
    cut === 'deadline'
      ? `before the deadline of all checks, ${inUnits(deadline)}, is over`
      : `within ${inUnits(longestTry(check))}`
  return { kind: 'failed', expected: `an end ${limit}`, actual: 'it was still running then' }
}

function outcomeOfCancelled(end: End): Outcome {
  if (end.kind === 'found' && end.finding.kind === 'passed') return { kind: 'passed', detail: end.finding.detail }
  return { kind: 'skipped', reason: 'The job was cancelled while it ran.' }
}

function outcomeOfFinding(check: Check, finding: Finding): Outcome {
  switch (finding.kind) {
    case 'passed':
      return { kind: 'passed', detail: finding.detail }
    case 'failed':
      return { kind: 'failed', expected: finding.expected, actual: finding.actual }
    case 'not-run':
      return couldNotRun(check, finding.reason)
    case 'skipped':
      return { kind: 'skipped', reason: finding.reason }
  }
}
