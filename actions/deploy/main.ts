import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openConnection } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import { logNarrator } from '../../src/action/narrator.ts'
import { originOf } from '../../src/action/origin.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { describeModule } from '../../src/module/describe.ts'
import { loadModule } from '../../src/module/load.ts'
import { readApproved } from '../../src/release/approved.ts'
import { deploy } from '../../src/release/deploy.ts'
import { renderDeployment } from '../../src/release/summary.ts'
import { healthChoice } from '../../src/smoke/health.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { failureOf, outputsOf, outputsOfCutOff } from './report.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

export async function main(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const module = await loadModule(inputs.module)
  const { server, credential } = await openConnection(inputs, step.environment)
  const deployment = await deploy(
    {
      ...inputs,
      database: databaseName(inputs.database),
      module,
      modulePath: inputs.module,
      healthCheck: healthChoice(inputs.healthCheck),
      acknowledged: acknowledgedIds(inputs.acknowledge),
      ...(inputs.plan && { approved: await readApproved(inputs.plan, inputs.maxPlanAge) })
    },
    {
      server,
      identity: credential.identity,
      describe: describeModule,
      clock: systemClock,
      narrator: logNarrator('deploy'),
      folder: join(step.environment.RUNNER_TEMP ?? tmpdir(), 'stdb-actions', randomUUID().slice(0, 8)),
      origin: originOf(step.environment),
      remember: (state) => {
        checkpoint.save(state)
        if (state.phase === 'changing') step.setOutputs(outputsOfCutOff(state))
      },
      cancelled: step.cancellation.signal
    }
  )
  await writeSummary(renderDeployment(deployment), step.environment)
  return { outputs: outputsOf(deployment), ...failureOf(deployment, inputs.database) }
}
