import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { warn } from '../../src/action/annotations.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import { logNarrator } from '../../src/action/narrator.ts'
import { originOf } from '../../src/action/origin.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { type Journal, startJournal } from '../../src/journal.ts'
import { changeText } from '../../src/migration/change.ts'
import { type CheckedCondition, checkConditions, unmetTexts } from '../../src/migration/check-conditions.ts'
import { type GateAnswer, gate } from '../../src/migration/gate.ts'
import { writePlan } from '../../src/migration/plan-file.ts'
import { type PlanBase, type PlannedMigration, planMigration } from '../../src/migration/plan-migration.ts'
import { describeOnce } from '../../src/module/describe-once.ts'
import { requiredModule } from '../given-module.ts'
import { stepFolder } from '../releasing.ts'
import { baseOf } from './base.ts'
import { outputsOfPlan, publishReport } from './report.ts'
import type { spec } from './spec.ts'

type PlanInputs = Inputs<typeof spec>

/** Finds out what the module would do, reports it everywhere, and changes nothing. */
export async function makeAndReportPlan(inputs: PlanInputs, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const folder = stepFolder(step.environment)
  await mkdir(folder, { recursive: true })
  const { module } = await requiredModule(inputs, join(folder, 'module'), step.environment)
  const base = await baseOf(inputs, step.environment, join(folder, 'base'))
  const journal = startJournal(systemClock, logNarrator('migrate-schema'))
  const origin = originOf(step.environment)
  const planned = await planMigration(module, base, { describe: describeOnce(), clock: systemClock, journal, origin })
  for (const change of planned.plan.changes) journal.tell(`    ${change.verdict}: ${changeText(change)}`)
  const decided = await decide(planned, base, inputs, journal)
  const path = join(folder, 'plan.json')
  await writePlan(path, planned.plan)
  const report = { ...planned, ...decided }
  const artifactId = await publishReport(report, { inputs, step, folder, path })
  const identity = base.kind === 'database' ? base.identity : undefined
  return { outputs: { ...outputsOfPlan(report, path), identity, artifactId }, ...failureOf(decided.decision) }
}

type Decided = { readonly decision?: GateAnswer; readonly checked?: readonly CheckedCondition[] }

/** Whether the plan would be let through, and what the data says of it. */
async function decide(
  { judgement, plan }: PlannedMigration,
  base: PlanBase,
  inputs: PlanInputs,
  journal: Journal
): Promise<Decided> {
  if (judgement === undefined) return {}
  const answer = gate({ ...judgement, ...inputs, acknowledged: acknowledgedIds(inputs.acknowledge) })
  const { conditions } = judgement
  // Row-level security hides rows from all others, who would count too few.
  const isOwner = plan.serverPlan !== undefined
  if (base.kind !== 'database' || !isOwner || conditions.length === 0) return { decision: answer }
  const checked = await journal.step('Look at the data', async (step) => {
    const found = await checkConditions(base.server, base.database, conditions)
    step.detail(`${found.filter(({ state }) => state === 'met').length} of ${found.length} conditions are met`)
    return found
  })
  return { decision: withData(answer, checked), checked }
}

/** Data can change until the plan is applied, so that what it does not allow now is a warning. */
function withData(answer: GateAnswer, checked: readonly CheckedCondition[]): GateAnswer {
  return answer.allowed ? { ...answer, warnings: [...answer.warnings, ...unmetTexts(checked)] } : answer
}

function failureOf(decision: GateAnswer | undefined) {
  if (decision === undefined) return {}
  if (decision.allowed) {
    for (const warning of decision.warnings) warn('migrate-schema', warning)
    return {}
  }
  return { failure: { title: 'migrate-schema: refused', message: decision.reasons.join('\n') } }
}
