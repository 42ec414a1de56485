import { messageOf } from '../errors.ts'
import { deploy } from '../release/deploy.ts'
import { isSuccess } from '../release/deployment.ts'
import { headlineOf } from '../release/summary.ts'
import type { Checks } from '../smoke/check.ts'
import { type CheckReport, hasPassed, type SmokeReport } from '../smoke/check-report.ts'
import type { CheckPlace } from '../smoke/place.ts'
import { askUntil } from './ask.ts'
import { copiedValues } from './copied-values.ts'
import { failuresIn } from './failed-checks.ts'
import { fillAsStep, timeToFill } from './fill.ts'
import { goBack, hasSchedules } from './go-back.ts'
import { hideInCheckReport, hideInDeployment, hideInSmokeReport } from './hide-report.ts'
import { limitsOf } from './limits.ts'
import { callProblems, copyProblems } from './plan-copies.ts'
import type {
  CheckOptions,
  OldFacts,
  OldModule,
  Rehearsal,
  RehearsalOutcome,
  RehearsalRequest,
  RehearsalTools
} from './rehearsal.ts'
import {
  checkPlace,
  countHere,
  countProduction,
  type Ended,
  failedAt,
  lostRows,
  microsNow,
  type OldRelease,
  type Rehearsing,
  startRehearsing,
  thrownAway
} from './rehearsing.ts'
import type { Seed } from './seed-file.ts'
import { bringOldModule } from './take-old-module.ts'

/**
 * Tries a release on a server that is thrown away: the old module, filled, is migrated to the new one as production
 * would be, checked, and brought back where there is a way. Of the live database it only reads, by `SELECT`s, each of
 * which is a connection there (docs/server-behaviour.md, "Connections"). Every end is a value.
 */
export async function rehearse(request: RehearsalRequest, tools: RehearsalTools): Promise<Rehearsal> {
  const startedAt = tools.clock.now()
  const rehearsing = startRehearsing(request, tools)
  const end = await carryOut(rehearsing).catch((error) => failedAt(rehearsing, messageOf(error)))
  const outcome = couldNotBegin(rehearsing, end) && !request.isAskedFor ? notRehearsed(end) : end
  const { found } = rehearsing
  const { checksBefore, deployment, checks, wayBack, seed, old } = found
  return {
    outcome,
    old: factsOf(request.old, old),
    moduleHash: request.module.hash,
    tables: (old?.schema.tables ?? []).map(({ name }) => {
      const copy = found.copies.get(name)
      return { name, rows: found.rows.get(name) ?? {}, ...(copy && { copy }) }
    }),
    seed,
    ...(checksBefore && { checksBefore }),
    ...(deployment && { deployment }),
    ...(checks && { checks }),
    ...(wayBack && { wayBack }),
    limits: old && deployment ? limitsOf(rehearsing, old) : found.gaps,
    milliseconds: tools.clock.now() - startedAt
  }
}

/** Whether the old module or the gate kept the new module from being tried. */
function couldNotBegin({ found }: Rehearsing, end: RehearsalOutcome): end is Failed {
  return end.kind === 'failed' && (end.stage === 'old module' || found.deployment?.result === 'refused')
}

type Failed = Extract<RehearsalOutcome, { kind: 'failed' }>

function notRehearsed({ reason }: Failed): RehearsalOutcome {
  return { kind: 'not-rehearsed', reason }
}

function factsOf(old: OldModule, taken: OldRelease | undefined): OldFacts {
  const hash = taken && { hash: taken.module.hash }
  switch (old.kind) {
    case 'live':
      return { kind: 'live', name: `${old.database} on ${old.server.url}`, ...hash }
    case 'base':
      return { kind: 'base', name: old.name, ...hash }
    case 'none':
      return { kind: 'none', name: old.reason }
  }
}

async function carryOut(rehearsing: Rehearsing): Promise<RehearsalOutcome> {
  const { request, found } = rehearsing
  if (request.old.kind === 'none') return { kind: 'nothing-to-rehearse', reason: request.old.reason }
  const unavailable = await bringOldModule(rehearsing, request.old)
  if (unavailable !== undefined) return unavailable
  const { old } = found
  if (old === undefined) throw new Error('There is no old module.')
  return (
    (await fillOld(rehearsing, old)) ??
    (await checkBefore(rehearsing, old)) ??
    (await migrate(rehearsing)) ??
    (await checkNewAndGoBack(rehearsing, old))
  )
}

async function fillOld(rehearsing: Rehearsing, old: OldRelease): Promise<Ended | undefined> {
  const { request, found } = rehearsing
  found.stage = 'seed'
  const { seed } = request
  const ended = seed && (await fillWith(rehearsing, old, seed))
  if (ended) return ended
  await countProduction(rehearsing)
  await countHere(rehearsing, 'filled')
  return undefined
}

async function fillWith(rehearsing: Rehearsing, { schema }: OldRelease, seed: Seed): Promise<Ended | undefined> {
  const { request, tools, journal, found } = rehearsing
  const problems = [
    ...(request.old.kind === 'live' ? copyProblems(seed, schema) : []),
    ...callProblems(seed, schema, 'The old module')
  ]
  if (problems.length > 0) {
    const lines = problems.map(({ line, column, message }) => `${seed.path}:${line}:${column}: ${message}`)
    return failedAt(rehearsing, lines.join('\n'), true)
  }
  const { server } = tools
  const bounds = timeToFill(seed, tools)
  const live =
    request.old.kind === 'live'
      ? askUntil(request.old.server, 'The live server', request.old.database, bounds)
      : undefined
  found.copied ??= copiedValues(schema)
  const { copied } = found
  const { database } = request
  const filling = await fillAsStep(seed, { server, name: thrownAway, database, live, schema, copied, bounds }, journal)
  found.seed = filling.entries
  found.copies = filling.tables
  if (filling.kind === 'cancelled') return { kind: 'cancelled', stage: found.stage }
  return filling.kind === 'failed' ? failedAt(rehearsing, filling.reason) : undefined
}

/**
 * A module that is unwell with this data already would let the new one seem to be the cause, so that is told. It is no
 * failure: the new module may be there to mend it.
 */
async function checkBefore(rehearsing: Rehearsing, { module, schema }: OldRelease): Promise<Ended | undefined> {
  const { found, tools, journal } = rehearsing
  found.stage = 'checks before'
  const place = checkPlace(rehearsing, module, schema, { after: microsNow(rehearsing), what: 'start' })
  const checks = tools.defaultChecks(schema, module.hash)
  found.checksBefore = await check(rehearsing, 'Check the old module', checks, place)
  if (tools.cancelled.aborted) return { kind: 'cancelled', stage: found.stage }
  if (hasPassed(found.checksBefore)) return undefined
  const unfilled = [...found.copies.values()].some(({ kind }) => kind === 'not-copied')
  const why = unfilled ? ' Perhaps it needs the tables that could not be copied: fill them by `call`.' : ''
  const gap = `The old module does not work with this data, before anything is migrated: ${failuresIn(found.checksBefore)}. What fails later need not be the new module's doing.${why}`
  found.gaps.push(gap)
  journal.warn(gap)
  return undefined
}

async function migrate(rehearsing: Rehearsing): Promise<Ended | undefined> {
  const { request, tools, found, hide } = rehearsing
  found.stage = 'migration'
  const { database, module, modulePath, release } = request
  const deployed = await deploy(
    { ...release, database, module, modulePath, create: false, dryRun: false },
    { ...tools, remember: () => {} }
  )
  found.deployment = hideInDeployment(deployed, hide)
  if (!isSuccess(deployed.result)) {
    const headline = headlineOf(deployed, `The database of the rehearsal`)
    const wayOut = deployed.result === 'refused' ? ['A release that is not to be rehearsed has `rehearse: none`.'] : []
    return failedAt(rehearsing, [headline, deployed.reason, ...wayOut].join('\n'), deployed.isConfiguration)
  }
  await countHere(rehearsing, 'migrated')
  const steps = (release.steps?.before.length ?? 0) + (release.steps?.after.length ?? 0)
  const lost = steps > 0 || hasSchedules(rehearsing) ? undefined : lostRows(rehearsing, 'filled', 'migrated')
  return lost === undefined ? undefined : failedAt(rehearsing, `The migration lost rows: ${lost}.`)
}

/** The way back is tried after failed checks too: that is when it is needed. */
async function checkNewAndGoBack(rehearsing: Rehearsing, old: OldRelease): Promise<RehearsalOutcome> {
  const { request, tools, found, hide } = rehearsing
  found.stage = 'checks'
  const schema = await tools.describe(request.module)
  const since = { after: BigInt(publishedAt(rehearsing)) * 1000n, what: 'publish' } as const
  const place = checkPlace(rehearsing, request.module, schema, since)
  const checks = request.checks ?? tools.defaultChecks(schema, request.module.hash)
  const { onReport } = tools
  const options = {
    objections: request.objections ?? [],
    ...(onReport && { onReport: (report: CheckReport) => onReport(hideInCheckReport(report, hide)) })
  }
  found.checks = await check(rehearsing, 'Check the new module', checks, place, options)
  const failed = hasPassed(found.checks)
    ? undefined
    : failedAt(rehearsing, `Checks failed: ${failuresIn(found.checks)}.`)
  if (tools.cancelled.aborted) return { kind: 'cancelled', stage: found.stage }
  found.stage = 'way back'
  const wayBack = await goBack(rehearsing, old)
  if (wayBack !== undefined) found.wayBack = wayBack
  if (failed !== undefined) return failed
  if (tools.cancelled.aborted) return { kind: 'cancelled', stage: found.stage }
  return wayBack?.kind === 'failed' ? failedAt(rehearsing, wayBack.reason) : { kind: 'passed' }
}

/** When the new module was sent, in milliseconds since the epoch. */
function publishedAt({ found, tools }: Rehearsing): number {
  return found.deployment?.steps.find(({ name }) => name === 'Publish')?.startedAt ?? tools.clock.now()
}

async function check(
  { tools, journal, hide }: Rehearsing,
  title: string,
  checks: Checks,
  place: CheckPlace,
  options: CheckOptions = {}
): Promise<SmokeReport> {
  return journal.step(title, async (step) => {
    const report = hideInSmokeReport(await tools.runChecks(checks, place, options), hide)
    if (hasPassed(report)) step.detail(`${report.reports.length} checks`)
    else step.fail(failuresIn(report))
    return report
  })
}
