import { resolve } from 'node:path'
import { openConnection } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { loadModule } from '../../src/module/load.ts'
import type { Checkpoint } from '../../src/release/checkpoint.ts'
import { hasRolledBack, type Rollback, rollback } from '../../src/release/rollback/rollback.ts'
import { renderRollback, rollbackHeadline } from '../../src/release/rollback/summary.ts'
import { nameOf } from '../../src/release/rollback/target.ts'
import type { Goal, RollbackTools } from '../../src/release/rollback/work.ts'
import { healthChoice } from '../../src/smoke/health.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { keepReplacedModule } from '../keep-module.ts'
import { notesOf, openLedger } from '../ledger.ts'
import { sourcesFor } from '../module-sources.ts'
import { deployTools, type Failing, failureWith, outputsOfCutOff, outputsOfRelease } from '../releasing.ts'
import { checkingFor } from '../wanted-checks.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

type RollbackInputs = Inputs<typeof spec>

export async function main(inputs: RollbackInputs, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const { environment } = step
  const goal = await goalOf(inputs)
  const checking = await checkingFor(inputs)
  const checks = await checking?.releaseChecksIn(inputs)
  const connection = await openConnection(inputs, environment)
  const database = databaseName(inputs.database)
  const ledger = await openLedger(inputs, database, environment)
  const remember = (state: Checkpoint) => {
    checkpoint.save(state)
    if (state.phase === 'changing') step.setOutputs(outputsOfCutOff(state))
  }
  const deploying = deployTools('rollback', connection, step, remember, ledger)
  const tools: RollbackTools = {
    ...deploying,
    onReport: checking?.tellCheck,
    sourcesFor: (record) => {
      const { folder, cancelled: signal } = deploying
      return sourcesFor(record, { githubToken: inputs.githubToken, folder, signal }, environment)
    }
  }
  const request = {
    ...inputs,
    database,
    goal,
    checks,
    healthCheck: healthChoice(inputs.healthCheck),
    acknowledged: acknowledgedIds(inputs.acknowledge),
    notes: notesOf('rollback', environment, { reason: inputs.reason })
  }
  const folder = resolve(inputs.reportFolder ?? tools.folder)
  await checking?.makeReportFolder(folder)
  const report = await rollback(request, tools)
  const { deployment } = report
  await writeSummary(renderRollback(report), environment)
  if (deployment) await keepReplacedModule(deployment, environment)
  const checked = deployment && (await checking?.reportChecks(deployment, folder, environment))
  return { outputs: { ...outputsOf(report), ...checked }, ...failureOfRollback(report) }
}

async function goalOf({ to, module: path }: RollbackInputs): Promise<Goal> {
  if (path !== undefined) return { kind: 'module', module: await loadModule(path), path }
  return { kind: 'release', to: to ?? 'previous' }
}

function outputsOf({ deployment, ending, target, liveHash, databaseIdentity, identity }: Rollback) {
  return {
    moduleHash: target?.hash,
    previousModuleHash: liveHash,
    databaseIdentity,
    identity,
    ...(deployment && outputsOfRelease(deployment)),
    result: ending.result,
    restoredRelease: target?.release && String(target.release.id)
  }
}

function failureOfRollback({ ending, database, target }: Rollback): Failing {
  if (hasRolledBack(ending)) return {}
  return failureWith('rollback', ending, rollbackHeadline(ending, database, target && nameOf(target)))
}
