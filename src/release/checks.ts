import { inUnits } from '../duration.ts'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { StepNotes } from '../journal.ts'
import type { Schema } from '../module/schema.ts'
import type { Check, Checks } from '../smoke/check.ts'
import { type CheckReport, countsOf, hasPassed, isFailure, type SmokeReport } from '../smoke/check-report.ts'
import type { HealthReport } from '../smoke/health.ts'
import type { CheckPlace, LogMark } from '../smoke/place.ts'
import type { DeployTools, Work } from './work.ts'

/** What is checked of a release besides its health check, before it is kept. */
export type ReleaseChecks = {
  /** None: only the soak. */
  readonly checks: Checks | undefined
  /** Milliseconds to watch a new release after its checks have passed; `undefined`: not at all. */
  readonly soak: number | undefined
  readonly allowWrites: boolean
  /** Hosts that loads may be put on, besides loopback. */
  readonly allowedLoadHosts: readonly string[]
}

/**
 * Looks at the checks by the new module's schema: what stands against them goes to the findings. Throws a
 * `ConfigurationError` when a check that is not optional can't be run, or may not be.
 */
export async function insistOnChecks({ request, tools, findings }: Work, schema: Schema): Promise<void> {
  if (request.checks?.checks === undefined) return
  const { checks, allowWrites, allowedLoadHosts } = request.checks
  const { blocking, objections } = await import('../smoke/preflight.ts')
  const against = objections(checks.checks, {
    server: tools.server,
    database: request.database,
    schema,
    expectedHash: request.module.hash,
    isThrowAway: false,
    allowWrites,
    allowedLoadHosts
  })
  findings.objections = against
  const blocked = blocking(against)
  if (blocked.length === 0) return
  const list = blocked.map(({ check, reason }) => `- ${whereIs(check)}${check.name}: ${reason}`)
  throw new ConfigurationError(
    `Nothing was changed, since the release could not be checked as it is written:\n${list.join('\n')}`
  )
}

function whereIs({ origin }: Check): string {
  return origin.kind === 'file' ? `${origin.path}:${origin.line}:${origin.column}: ` : ''
}

/** Runs the checks of a release that is live, and watches it afterwards when it is a new one. Throws nothing. */
export async function checkRelease(work: Work, isNew: boolean): Promise<HealthReport> {
  const { checks } = work.request
  if (checks === undefined) return { kind: 'healthy' }
  try {
    return await checkAndWatch(work, checks, isNew)
  } catch (error) {
    return { kind: 'unhealthy', reason: `The checks could not be run: ${messageOf(error)}` }
  }
}

async function checkAndWatch(work: Work, { checks, soak }: ReleaseChecks, isNew: boolean): Promise<HealthReport> {
  const { journal, findings } = work
  const place = await placeOf(work)
  const run = () => runAll(checks ?? noChecks, place, work, soak !== undefined && isNew)
  const report = checks === undefined ? await run() : await journal.step('Checks', (step) => tellCounts(run(), step))
  findings.smoke = report
  if (!hasPassed(report) || soak === undefined || !isNew) return healthOf(report)
  findings.smoke = await soaked(work, report, place, soak)
  return healthOf(findings.smoke)
}

async function placeOf({ request, tools, findings }: Work): Promise<CheckPlace> {
  const database = findings.databaseIdentity ?? request.database
  return {
    server: tools.server,
    anonymous: tools.anonymous,
    database: request.database,
    expectedHash: request.module.hash,
    schema: await tools.describe(request.module),
    since: await markOf(database, tools),
    isThrowAway: false,
    clock: tools.clock,
    cancelled: tools.cancelled
  }
}

/**
 * Where the publish is in the log. A log that can't be read now is no word against the release: then lines count from now
 * on, by this machine's clock, and what needs the log will say that it can't be had.
 */
async function markOf(database: string, { server, clock, cancelled }: DeployTools): Promise<LogMark> {
  const { findLogMark } = await import('../smoke/log-mark.ts')
  const now = { after: BigInt(clock.now()) * 1000n, what: 'start' } as const
  return findLogMark(server, database, { clock, signal: cancelled }).catch(() => now)
}

async function runAll(
  checks: Checks,
  place: CheckPlace,
  { tools, findings }: Work,
  isSoakNext: boolean
): Promise<SmokeReport> {
  const { runChecks } = await import('../smoke/run-checks.ts')
  const { onReport } = tools
  return runChecks(checks, place, { ...(onReport && { onReport }), objections: findings.objections ?? [], isSoakNext })
}

function soaked(
  { request, journal }: Work,
  report: SmokeReport,
  place: CheckPlace,
  time: number
): Promise<SmokeReport> {
  return journal.step('Soak', async (step) => {
    const { soak } = await import('../smoke/soak.ts')
    const seen = await soak(request.checks?.checks ?? noChecks, place, time, { since: report.logMark })
    if (seen.note !== undefined) step.detail(seen.note)
    if (seen.kind === 'passed') step.detail(`nothing went wrong in ${inUnits(time)}`)
    else step.fail(seen.kind === 'failed' ? breachText(seen.breach) : 'the job was cancelled')
    return { ...report, soak: seen }
  })
}

const noChecks: Checks = { checks: [], deadline: 0 }

async function tellCounts(running: Promise<SmokeReport>, step: StepNotes): Promise<SmokeReport> {
  const report = await running
  const { passed, failed, skipped } = countsOf(report)
  step[hasPassed(report) ? 'detail' : 'fail'](`${passed} passed, ${failed} failed, ${skipped} skipped`)
  return report
}

function healthOf(report: SmokeReport): HealthReport {
  const { soak, reports, isCancelled } = report
  const failures = reports.filter(isFailure)
  if (failures.length > 0) {
    const ran = countsOf(report).passed + failures.length
    return { kind: 'unhealthy', reason: `${failures.length} of ${ran} checks failed:\n${listOf(failures)}` }
  }
  if (soak?.kind === 'failed') return { kind: 'unhealthy', reason: `During the soak, ${breachText(soak.breach)}` }
  if (isCancelled || soak?.kind === 'cancelled') {
    return { kind: 'cancelled', reason: 'The job was cancelled before the checks were over.' }
  }
  return { kind: 'healthy' }
}

/** As many as can be read; all of them are in the report. */
function listOf(failures: readonly CheckReport[]): string {
  const shown = failures.slice(0, 10).map((failure) => `- ${failure.check.name}: ${failureText(failure)}`)
  const rest = failures.length > shown.length ? [`and ${failures.length - shown.length} more.`] : []
  return [...shown, ...rest].join('\n')
}

function breachText(breach: CheckReport): string {
  return `"${breach.check.name}" failed: ${failureText(breach)}`
}

function failureText({ outcome }: CheckReport): string {
  return outcome.kind === 'failed'
    ? `expected ${outcome.expected}, and it was ${outcome.actual}`
    : `it could not run: ${'reason' in outcome ? outcome.reason : ''}`
}
