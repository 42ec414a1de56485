import { changeText } from '../migration/change.ts'
import { checkConditions } from '../migration/check-conditions.ts'
import { conditionText } from '../migration/condition.ts'
import { rollBack } from '../release/roll-back.ts'
import { failuresOf, hasPassed, type SmokeReport } from '../smoke/check-report.ts'
import { failuresIn } from './failed-checks.ts'
import { hideInSmokeReport } from './hide-report.ts'
import type { WayBackReport } from './rehearsal.ts'
import { checkPlace, countHere, lostRows, microsNow, type OldRelease, type Rehearsing } from './rehearsing.ts'

/**
 * Brings the old module back as a rollback does, where that is possible, and checks it: by what any module has to pass
 * (the old module's own checks are not known here), and by the number of rows, which must not have become smaller.
 * `undefined` when nothing was migrated.
 */
export async function goBack(rehearsing: Rehearsing, old: OldRelease): Promise<WayBackReport | undefined> {
  const { found } = rehearsing
  const wayBack = found.deployment?.judgement?.wayBack
  if (wayBack === undefined) return undefined
  if (wayBack.reversible === 'no') {
    return {
      kind: 'impossible',
      reason: wayBack.blockers.map(changeText).join('; ') || 'the old module is not at hand'
    }
  }
  const unmet = await unmetConditions(rehearsing)
  if (unmet.length > 0) return { kind: 'not-now', reason: unmet.join('; ') }
  await countHere(rehearsing, 'leaving')
  const since = microsNow(rehearsing)
  const failure = await publishBack(rehearsing, old)
  if (failure !== undefined) return { kind: 'failed', reason: failure }
  await countHere(rehearsing, 'back')
  return checkOld(rehearsing, old, since)
}

async function unmetConditions({ tools, request, found, hide }: Rehearsing): Promise<string[]> {
  const conditions = found.deployment?.judgement?.wayBack.conditions ?? []
  const checked = await checkConditions(tools.server, request.database, conditions)
  return checked
    .filter(({ state }) => state === 'unmet')
    .map(({ condition, detail }) => hide(`only while ${conditionText(condition)}, but ${detail}`))
}

/** Why it failed; `undefined` when the old module is live again. */
async function publishBack(
  { request, tools, journal, hide }: Rehearsing,
  old: OldRelease
): Promise<string | undefined> {
  return journal.step('Bring the old module back', async (step) => {
    const back = { database: request.database, previous: old.module, next: request.module }
    const outcome = await rollBack(tools.server, back, tools.clock)
    if (outcome.result === 'rolled-back') {
      step.detail(`the server serves ${old.module.hash.slice(0, 12)} again`)
      return undefined
    }
    step.fail(outcome.reason)
    return hide(outcome.reason)
  })
}

async function checkOld(rehearsing: Rehearsing, old: OldRelease, since: bigint): Promise<WayBackReport> {
  const { tools, hide, found } = rehearsing
  const place = checkPlace(rehearsing, old.module, old.schema, { after: since, what: 'publish' })
  const wanted = tools.defaultChecks(old.schema, old.module.hash)
  const checks = hideInSmokeReport(await tools.runChecks(wanted, place, {}), hide)
  if (!hasPassed(checks) && !isAsBefore(checks, found.checksBefore)) {
    return { kind: 'failed', reason: `The old module is back, and does not work: ${failuresIn(checks)}.`, checks }
  }
  const lost = found.rows.size > 0 && !hasSchedules(rehearsing) ? lostRows(rehearsing, 'leaving', 'back') : undefined
  if (lost !== undefined) return { kind: 'failed', reason: `The way back lost rows: ${lost}.`, checks }
  return { kind: 'gone-back', checks }
}

/** Whether nothing fails that did not fail before the migration. */
function isAsBefore(checks: SmokeReport, before: SmokeReport | undefined): boolean {
  if (checks.isCancelled || before === undefined) return false
  const failedBefore = failuresOf(before).map(({ check }) => check.name)
  return failuresOf(checks).every(({ check }) => failedBefore.includes(check.name))
}

/** Reducers that run by themselves may delete rows at any time, so that fewer rows mean nothing. */
export function hasSchedules({ found }: Rehearsing): boolean {
  return found.old?.schema.tables.some(({ schedule }) => schedule !== undefined) ?? false
}
