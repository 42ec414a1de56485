import { inUnits } from '../duration.ts'
import type { Check, Checks } from './check.ts'
import { type CheckReport, isFailure, type SmokeReport } from './check-report.ts'
import { collectEvidence } from './evidence.ts'
import { allRunners } from './kinds/all.ts'
import { findLogMark } from './log-mark.ts'
import { inOrderOfNeeds, type Stage, stageOf } from './needs.ts'
import type { CheckPlace, LogMark } from './place.ts'
import type { Objection } from './preflight.ts'
import { couldNotRun, neverBegun, type Run, type Runners, runOne } from './run-one.ts'

export type RunOptions = {
  /** Told of each check as it is over. */
  readonly onReport?: (report: CheckReport) => void
  /** What runs the checks of each kind; tests give their own. */
  readonly runners?: Runners
  /** How many checks may run at once. */
  readonly atOnce?: number
  /** What is known to stand against checks: these are not begun. */
  readonly objections?: readonly Objection[]
  /** Whether a soak comes afterwards, which has to know where in the log to go on. */
  readonly isSoakNext?: boolean
}

/**
 * Runs checks: those that ask at once or after what they need, then loads and connections one by one, while those of
 * metrics watch, and last those of the log. Reports are in the order of the checks. Once the job is cancelled no check
 * begins: those left are `skipped`, and the report says so.
 */
export async function runChecks(checks: Checks, place: CheckPlace, options: RunOptions = {}): Promise<SmokeReport> {
  const startedAt = place.clock.now()
  const othersOver = new AbortController()
  const run: Run = {
    place,
    runners: options.runners ?? allRunners,
    deadline: checks.deadline,
    end: startedAt + checks.deadline,
    othersOver: othersOver.signal,
    evidence: collectEvidence(place)
  }
  const ends = schedule(checks.checks, run, options)
  void Promise.all([...ends.of('asking'), ...ends.of('loading')]).then(() => othersOver.abort())
  const reports = await Promise.all(checks.checks.map(async ({ name }) => (await ends.named(name)).report))
  const logMark = await ends.logMark
  return {
    server: place.server.url,
    database: place.database,
    moduleHash: place.expectedHash,
    startedAt,
    milliseconds: place.clock.now() - startedAt,
    reports,
    ...(logMark !== undefined && { logMark }),
    ...(place.cancelled.aborted && { isCancelled: true })
  }
}

/** A check that is over. */
type Ended = {
  readonly report: CheckReport
  /** Whether it failed the run, or was left out because one did that it needs. */
  readonly isFailure: boolean
}

type Ends = {
  of(stage: Stage): Promise<Ended>[]
  named(name: string): Promise<Ended>
  readonly logMark: Promise<LogMark | undefined>
}

/** Begins each check in its time; answers promises of their ends. */
function schedule(checks: readonly Check[], run: Run, options: RunOptions): Ends {
  const { onReport, atOnce = 16, objections = [], isSoakNext = false } = options
  const ends = new Map<string, Promise<Ended>>()
  const stages: Record<Stage, Promise<Ended>[]> = { asking: [], loading: [], watching: [], concluding: [] }
  const inSlot = slots(atOnce)
  const begin = async (check: Check, before: readonly Promise<unknown>[]): Promise<Ended> => {
    const needed = await Promise.all(check.needs.map((need) => endNamed(ends, need)))
    await Promise.all(before)
    const objection = objections.find((each) => each.check === check)?.reason
    const carryOut = () => oneOrNone(check, { needed, objection }, run)
    const ended = await (check.kind === 'metrics' ? carryOut() : inSlot(carryOut))
    onReport?.(ended.report)
    return ended
  }
  const beginAll = (those: readonly Check[], before: readonly Promise<unknown>[]) => {
    for (const check of those) {
      const stage = stageOf(check.kind)
      const end = begin(check, [...waitedFor(stage, stages), ...before])
      ends.set(check.name, end)
      stages[stage].push(end)
    }
  }
  const inTheirOrder = inOrder(checks)
  beginAll(
    inTheirOrder.filter(({ kind }) => stageOf(kind) !== 'concluding'),
    []
  )
  const logMark = isSoakNext ? markLog(run.place, waitedFor('concluding', stages)) : Promise.resolve(undefined)
  beginAll(
    inTheirOrder.filter(({ kind }) => stageOf(kind) === 'concluding'),
    [logMark]
  )
  return { of: (stage) => stages[stage], named: (name) => endNamed(ends, name), logMark }
}

/** The newest line of the log, once all is over; `undefined` where it can't be read. */
async function markLog(place: CheckPlace, before: readonly Promise<unknown>[]): Promise<LogMark | undefined> {
  await Promise.all(before)
  const { server, database, clock, cancelled } = place
  try {
    const mark = await findLogMark(server, database, { from: 'start', clock, signal: cancelled })
    return mark.after === 0n ? undefined : mark
  } catch {
    // The soak asks again, and tells of it.
    return undefined
  }
}

/** By stages, and in each one after those that it needs. */
function inOrder(checks: readonly Check[]): Check[] {
  const order: readonly Stage[] = ['asking', 'loading', 'watching', 'concluding']
  const sorted = order.flatMap((stage) => inOrderOfNeeds(checks).filter(({ kind }) => stageOf(kind) === stage))
  if (sorted.length < checks.length) throw new Error('checks wait for each other')
  return sorted
}

function endNamed(ends: ReadonlyMap<string, Promise<Ended>>, name: string): Promise<Ended> {
  const end = ends.get(name)
  if (end === undefined) throw new Error(`no check that could begin earlier has the name "${name}"`)
  return end
}

/** What has to be over before a check of a stage begins, besides what it needs. */
function waitedFor(
  stage: Stage,
  stages: Readonly<Record<Stage, readonly Promise<Ended>[]>>
): readonly Promise<Ended>[] {
  switch (stage) {
    case 'asking':
    case 'watching':
      return []
    case 'loading':
      return [...stages.asking, ...stages.loading]
    case 'concluding':
      return [...stages.asking, ...stages.loading, ...stages.watching]
  }
}

/** What may keep a check from being begun. */
type Standing = { readonly needed: readonly Ended[]; readonly objection: string | undefined }

/** Runs a check, unless something keeps it from being begun. */
async function oneOrNone(check: Check, { needed, objection }: Standing, run: Run): Promise<Ended> {
  const { place } = run
  const none = (outcome: CheckReport['outcome'], isFailure: boolean): Ended => ({
    report: neverBegun(check, outcome, place),
    isFailure
  })
  if (place.cancelled.aborted) return none({ kind: 'skipped', reason: 'The job was cancelled.' }, false)

  if (objection !== undefined) {
    const outcome = couldNotRun(check, objection)
    return none(outcome, outcome.kind === 'not-run')
  }
  const failed = needed.find(({ isFailure }) => isFailure)
  if (failed)
    return none({ kind: 'skipped', reason: `It needs "${failed.report.check.name}", which did not pass.` }, true)
  const skipped = needed.find(({ report }) => report.outcome.kind !== 'passed')
  if (skipped) {
    const outcome = couldNotRun(check, `It needs "${skipped.report.check.name}", which was skipped.`)
    return none(outcome, outcome.kind === 'not-run')
  }
  if (place.clock.now() >= run.end) {
    const outcome = couldNotRun(
      check,
      `The deadline of all checks, ${inUnits(run.deadline)}, was over before it could begin.`
    )
    return none(outcome, outcome.kind === 'not-run')
  }
  const report = await runOne(check, run)
  return { report, isFailure: isFailure(report) }
}

/** Lets so many pieces of work run at once; the others wait for their turn. */
function slots(count: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = []
  let free = count
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
