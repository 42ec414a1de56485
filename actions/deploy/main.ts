import { resolve } from 'node:path'
import { type Connection, openConnection } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { workspaceOf } from '../../src/action/workspace.ts'
import { deploy } from '../../src/release/deploy.ts'
import { renderDeployment } from '../../src/release/summary.ts'
import type { DeployRequest, DeployTools } from '../../src/release/work.ts'
import { healthChoice } from '../../src/smoke/health.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { keepReplacedModule } from '../keep-module.ts'
import { notesOf, openLedger } from '../ledger.ts'
import { approvedIn, deployTools, failureOf, outputsOfCutOff, outputsOfRelease, stepsIn } from '../releasing.ts'
import { checkingFor } from '../wanted-checks.ts'
import type { Place } from './place.ts'
import { preparationFor } from './preparation.ts'
import { type Source, sourceOf } from './source.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

type DeployInputs = Inputs<typeof spec>
type DeployStep = Step<typeof spec>

export async function main(inputs: DeployInputs, step: DeployStep): Promise<Outcome<typeof spec>> {
  const place = await placeOf(inputs, step)
  const asked = await askedIn(inputs)
  const approved = await approvedIn(inputs, step.environment)
  const connection = await openConnection({ ...inputs, ...place }, step.environment)
  const source = await sourceOf(inputs, place.database, step)
  if (source.kind === 'none') return { outputs: {}, failure: source.failure }
  const request: DeployRequest = {
    ...inputs,
    ...asked.request,
    database: databaseName(place.database),
    module: source.module,
    modulePath: source.path,
    approved,
    notes: notesOf('deploy', step.environment, source.notes)
  }
  return release({ inputs, step, connection, source, request, checking: asked.checking })
}

/** Where nothing but an environment says it, reading it takes code that most deploys do without. */
async function placeOf(inputs: DeployInputs, { environment }: DeployStep): Promise<Place> {
  const { server, database } = inputs
  if (server !== undefined && database !== undefined) return { server, database }
  const { placeIn } = await import('./place.ts')
  return placeIn(inputs, workspaceOf(environment))
}

/** What small files say: it is read before anything takes its time. */
async function askedIn(inputs: DeployInputs) {
  const checking = await checkingFor(inputs)
  const request = {
    checks: await checking?.releaseChecksIn(inputs),
    healthCheck: healthChoice(inputs.healthCheck),
    acknowledged: acknowledgedIds(inputs.acknowledge),
    steps: { before: await stepsIn(inputs.stepsBefore), after: await stepsIn(inputs.stepsAfter) }
  }
  return { checking, request }
}

type Releasing = {
  readonly inputs: DeployInputs
  readonly step: DeployStep
  readonly connection: Connection
  readonly source: Source
  readonly request: DeployRequest
  readonly checking: Awaited<ReturnType<typeof checkingFor>>
}

async function release(releasing: Releasing): Promise<Outcome<typeof spec>> {
  const { inputs, step, connection, source, request, checking } = releasing
  const { environment } = step
  const usual = deployTools('deploy', connection, step, (state) => {
    checkpoint.save(state)
    if (state.phase === 'changing') step.setOutputs(outputsOfCutOff(state))
  })
  const folder = resolve(inputs.reportFolder ?? usual.folder)
  await checking?.makeReportFolder(folder)
  step.setOutputs({ module: source.path, moduleArtifact: source.notes.moduleArtifact })
  const preparation = await preparationFor({ inputs, request, source, live: connection, folder }, step)
  try {
    const tools: DeployTools = {
      ...usual,
      ledger: await openLedger(inputs, request.database, environment),
      onReport: checking?.tellCheck,
      beforeChange: preparation?.beforeChange
    }
    const deployment = await deploy(request, tools)
    const outputs = outputsOfRelease(deployment)
    // What follows takes its time where there is an image.
    step.setOutputs(outputs)
    await writeSummary(renderDeployment(deployment), environment)
    await keepReplacedModule(deployment, environment)
    const checked = await checking?.reportChecks(deployment, folder, environment)
    const concluded = await preparation?.conclude(deployment)
    if (source.report !== undefined) await writeSummary(`${source.report}\n`, environment)
    return {
      outputs: { ...outputs, ...checked, ...concluded?.outputs },
      ...concluded?.failing,
      ...failureOf('deploy', deployment, request.database)
    }
  } finally {
    await preparation?.remove()
  }
}
