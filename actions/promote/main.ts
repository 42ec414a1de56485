import { join, resolve } from 'node:path'
import { openConnection } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { keepProgress } from '../../src/release/promote/progress.ts'
import { type Progress, type PromoteRequest, type PromoteTools, promote } from '../../src/release/promote/promote.ts'
import { saveModule } from '../../src/release/save.ts'
import { healthChoice } from '../../src/smoke/health.ts'
import { notesOf, openLedger } from '../ledger.ts'
import { deployTools, outputsOfCutOff, stepsIn } from '../releasing.ts'
import { checkingFor } from '../wanted-checks.ts'
import { databasesIn } from './databases.ts'
import { findOrigin, type Origin } from './origin.ts'
import { refusal, reporterFor } from './report.ts'
import type { spec } from './spec.ts'
import { progressFolder } from './state.ts'

type PromoteInputs = Inputs<typeof spec>
type PromoteStep = Step<typeof spec>

export async function main(inputs: PromoteInputs, step: PromoteStep): Promise<Outcome<typeof spec>> {
  const { environment } = step
  const checking = await checkingFor(inputs)
  const checks = await checking?.releaseChecksIn(inputs)
  const steps = { before: await stepsIn(inputs.stepsBefore), after: await stepsIn(inputs.stepsAfter) }
  const connection = await openConnection(inputs, environment)
  const databases = await databasesIn(inputs, connection.server.url, environment)
  const ledger = await openLedger(inputs, databases[0] ?? '', environment)
  const tools = deployTools('promote', connection, step, () => {}, ledger)
  const origin = await findOrigin(inputs, tools, environment)
  if (origin.kind === 'refused') return refusal(origin, tools.identity, environment)
  const request: PromoteRequest = {
    ...inputs,
    databases,
    module: origin.module,
    modulePath: await saveModule(tools.folder, 'promoted', origin.module),
    healthCheck: healthChoice(inputs.healthCheck),
    acknowledged: acknowledgedIds(inputs.acknowledge),
    checks,
    steps,
    stopOn: ({ true: 'any', canary: 'canary', false: 'none' } as const)[inputs.stopOnFailure],
    notes: notesOf('promote', environment, notesFrom(origin, inputs.reason))
  }
  const folder = resolve(inputs.reportFolder ?? tools.folder)
  await checking?.makeReportFolder(folder)
  const isAlone = databases.length === 1
  const reporter = reporterFor(isAlone, { folder, environment, checking, provenance: origin.provenance })
  const promotion = await promote(request, {
    ...tools,
    ...(isAlone && { onReport: checking?.tellCheck }),
    progress: progressFor(request, tools, step),
    onDeployed: reporter.add
  })
  if (!request.dryRun) progressFolder.save({ folder: progressIn(tools), isOver: true })
  return reporter.finish(promotion)
}

/** What the module was built from is what its release says, and not the commit of this run. */
function notesFrom({ provenance: { from, release } }: Extract<Origin, { kind: 'found' }>, reason: string | undefined) {
  const { commit, ref, image, moduleArtifact, artifact } = release?.record ?? {}
  return {
    commit,
    ref,
    image,
    moduleArtifact,
    artifact,
    reason,
    from: release ? `release ${release.id}, ${from}` : from
  }
}

/** A killed step leaves what the post step needs, and outputs that say nothing wrong. */
function progressFor(request: PromoteRequest, tools: Tools, { setOutputs }: PromoteStep): Progress {
  const { databases, dryRun: isDryRun, module } = request
  const moduleHash = module.hash
  const folder = progressIn(tools)
  const kept = keepProgress(folder, {
    server: tools.server.url,
    identity: tools.identity,
    moduleHash,
    databases,
    isDryRun
  })
  if (!isDryRun) progressFolder.save({ folder, isOver: false })
  return {
    ...kept,
    remember: (database, checkpoint) => {
      kept.remember(database, checkpoint)
      if (checkpoint.phase !== 'changing') return
      setOutputs(databases.length === 1 ? outputsOfCutOff(checkpoint) : { result: 'unknown', moduleHash })
    }
  }
}

type Tools = Omit<PromoteTools, 'progress'>

function progressIn({ folder }: Tools): string {
  return join(folder, 'progress')
}
