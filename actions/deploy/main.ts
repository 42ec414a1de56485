import { resolve } from 'node:path'
import { openConnection } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { loadModule } from '../../src/module/load.ts'
import { deploy } from '../../src/release/deploy.ts'
import { renderDeployment } from '../../src/release/summary.ts'
import { healthChoice } from '../../src/smoke/health.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { approvedIn, deployTools, failureOf, outputsOfCutOff, outputsOfRelease, stepsIn } from '../releasing.ts'
import { checkingFor } from '../wanted-checks.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

export async function main(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const module = await loadModule(inputs.module)
  const approved = await approvedIn(inputs, step.environment)
  const checking = await checkingFor(inputs)
  const checks = await checking?.releaseChecksIn(inputs)
  const connection = await openConnection(inputs, step.environment)
  const tools = {
    ...deployTools('deploy', connection, step, (state) => {
      checkpoint.save(state)
      if (state.phase === 'changing') step.setOutputs(outputsOfCutOff(state))
    }),
    onReport: checking?.tellCheck
  }
  const request = {
    ...inputs,
    database: databaseName(inputs.database),
    module,
    modulePath: inputs.module,
    healthCheck: healthChoice(inputs.healthCheck),
    acknowledged: acknowledgedIds(inputs.acknowledge),
    approved,
    checks,
    steps: { before: await stepsIn(inputs.stepsBefore), after: await stepsIn(inputs.stepsAfter) }
  }
  const folder = resolve(inputs.reportFolder ?? tools.folder)
  await checking?.makeReportFolder(folder)
  const deployment = await deploy(request, tools)
  await writeSummary(renderDeployment(deployment), step.environment)
  const checked = await checking?.reportChecks(deployment, folder, step.environment)
  const outputs = { ...outputsOfRelease(deployment), ...checked }
  return { outputs, ...failureOf('deploy', deployment, inputs.database) }
}
