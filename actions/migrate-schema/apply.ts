import { join } from 'node:path'
import { openConnection } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { Checkpoint } from '../../src/release/checkpoint.ts'
import { deploy } from '../../src/release/deploy.ts'
import { renderDeployment } from '../../src/release/summary.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { requiredModule } from '../given-module.ts'
import { keepReplacedModule } from '../keep-module.ts'
import { notesOf, openLedger } from '../ledger.ts'
import {
  approvedIn,
  deployTools,
  failureOf,
  outputsOfCutOff,
  outputsOfRelease,
  stepFolder,
  stepsIn
} from '../releasing.ts'
import { outputsInPlan } from './report.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

/** Carries out exactly the approved plan, with the steps around it, or nothing. What to do after a failure is the caller's. */
export async function applyPlan(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const { server, database } = inputs
  const folder = join(stepFolder(step.environment), 'module')
  const { module, path: modulePath } = await requiredModule(inputs, folder, step.environment)
  const approved = await approvedIn(inputs, step.environment)
  if (server === undefined || database === undefined || approved === undefined) {
    throw new ConfigurationError('With `mode: apply` give `plan`, `server` and `database`.')
  }
  const steps = { before: await stepsIn(inputs.stepsBefore), after: await stepsIn(inputs.stepsAfter) }
  const connection = await openConnection({ ...inputs, server }, step.environment)
  const remember = (state: Checkpoint) => {
    checkpoint.save(state)
    if (state.phase === 'changing') step.setOutputs(outputsOfCutOff(state))
  }
  const ledger = await openLedger(inputs, database, step.environment)
  const tools = deployTools('migrate-schema', connection, step, remember, ledger)
  const request = {
    ...inputs,
    database: databaseName(database),
    module,
    modulePath,
    approved,
    steps,
    acknowledged: acknowledgedIds(inputs.acknowledge),
    notes: notesOf('migrate-schema', step.environment),
    create: false,
    dryRun: false,
    healthCheck: { kind: 'none' },
    healthTimeout: 0,
    onFailure: 'keep'
  } as const
  const deployment = await deploy(request, tools)
  await writeSummary(renderDeployment(deployment), step.environment)
  await keepReplacedModule(deployment, step.environment)
  const found = Object.entries(outputsOfRelease(deployment)).filter(([, value]) => value !== undefined)
  const outputs = { ...outputsInPlan(approved.plan), ...Object.fromEntries(found), plan: approved.path }
  return { outputs, ...failureOf('migrate-schema', deployment, database) }
}
