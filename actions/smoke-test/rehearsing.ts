import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { warn } from '../../src/action/annotations.ts'
import { connectAsNobody, openConnection, openPublicConnection } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import type { Environment } from '../../src/action/inputs.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { messageOf } from '../../src/errors.ts'
import { describeOnce } from '../../src/module/describe-once.ts'
import type { OldModule, Rehearsal, RehearsalRequest } from '../../src/rehearsal/rehearsal.ts'
import type { Checks } from '../../src/smoke/check.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { fetchBaseModule } from '../base-module.ts'
import { tellCheck } from '../checking.ts'
import type { GivenModule } from '../given-module.ts'
import { deployTools, stepsIn } from '../releasing.ts'
import { conclude, insistOnRunnable } from './reporting.ts'
import { type spec, usualDatabase } from './spec.ts'
import type { ThrowAway } from './throw-away.ts'

type SmokeInputs = Inputs<typeof spec>
type SmokeStep = Step<typeof spec>

/** What is to be done, when all that the inputs name was read. */
export type SmokeTest = {
  readonly inputs: SmokeInputs
  readonly step: SmokeStep
  /** For the reports. */
  readonly folder: string
  /** `undefined` where nobody wrote any. */
  readonly written: Checks | undefined
  readonly wanted: GivenModule | undefined
}

/**
 * What the inputs ask to rehearse; `undefined` when nothing. `folder` is for the module of a branch. Throws a
 * `ConfigurationError` for what is named and is not there.
 */
export async function rehearsableOf(
  inputs: SmokeInputs,
  { module, path: modulePath }: GivenModule,
  step: SmokeStep,
  folder: string
): Promise<Omit<RehearsalRequest, 'checks'> | undefined> {
  const old = await oldModuleOf(inputs, step, join(folder, 'base'))
  if (old === undefined) return undefined
  const { readSeed } = await import('../../src/rehearsal/seed-file.ts')
  return {
    old,
    module,
    modulePath,
    database: databaseName(inputs.database ?? usualDatabase),
    release: {
      allowBreakingClients: inputs.allowBreakingClients,
      allowIrreversible: inputs.allowIrreversible,
      acknowledged: acknowledgedIds(inputs.acknowledge),
      healthCheck: { kind: 'auto' },
      healthTimeout: 30_000,
      onFailure: 'rollback',
      steps: { before: await stepsIn(inputs.stepsBefore), after: await stepsIn(inputs.stepsAfter) }
    },
    seed: inputs.seed === undefined ? undefined : await readSeed(inputs.seed)
  }
}

async function oldModuleOf(
  inputs: SmokeInputs,
  { environment }: SmokeStep,
  folder: string
): Promise<OldModule | undefined> {
  const { rehearse, liveServer, liveDatabase } = inputs
  if (rehearse === 'live' && liveServer !== undefined && liveDatabase !== undefined) {
    return liveModuleOf(inputs, liveServer, databaseName(liveDatabase), environment)
  }
  if (rehearse === 'base') return baseModuleOf(inputs, environment, folder)
  const isUsual = rehearse === undefined && inputs.soak === undefined && Boolean(environment.GITHUB_BASE_REF)
  if (!isUsual) return undefined
  // Nobody has asked for it by name, so what stands in its way is told, and the smoke test goes on without it.
  return baseModuleOf(inputs, environment, folder).catch(
    (error): OldModule => ({ kind: 'none', reason: messageOf(error) })
  )
}

async function liveModuleOf(
  inputs: SmokeInputs,
  liveServer: string,
  database: string,
  environment: Environment
): Promise<OldModule> {
  if (inputs.token === undefined && inputs.auth === undefined) {
    return { kind: 'live', server: openPublicConnection(liveServer), database, identity: undefined }
  }
  const { server, credential } = await openConnection({ ...inputs, server: liveServer }, environment)
  return { kind: 'live', server, database, identity: credential.identity }
}

async function baseModuleOf(inputs: SmokeInputs, environment: Environment, folder: string): Promise<OldModule> {
  const { artifactName, githubToken } = inputs
  const branch = inputs.baseRef ?? environment.GITHUB_BASE_REF
  if (!branch) return { kind: 'none', reason: 'this is no pull request, and no branch is named (`base-ref`)' }
  const asked = { input: '`rehearse: base`', instead: 'Leave it out here.' }
  const base = await fetchBaseModule({ branch, artifactName, githubToken, folder, ...asked }, environment)
  return base.kind === 'none' ? { kind: 'none', reason: base.name } : { ...base, kind: 'base' }
}

/**
 * Rehearses, and reports it. Answers nothing when there is nothing to rehearse or to rehearse with, which the summary
 * says: a plain smoke test is left to do then.
 */
export async function rehearseRelease(
  rehearsable: Omit<RehearsalRequest, 'checks'> | undefined,
  { connection }: ThrowAway,
  { inputs, step, folder, written }: SmokeTest
): Promise<Outcome<typeof spec> | undefined> {
  if (rehearsable === undefined) return undefined
  const { module, database } = rehearsable
  const { server } = connection
  const describe = describeOnce()
  const expectedHash = module.hash
  const [{ rehearse }, { defaultChecks }, { runChecks }, { renderRehearsal }] = await Promise.all([
    import('../../src/rehearsal/rehearse.ts'),
    import('../../src/smoke/default-checks.ts'),
    import('../../src/smoke/run-checks.ts'),
    import('../../src/rehearsal/summary.ts')
  ])
  if (written !== undefined) {
    const place = { server, database, schema: await describe(module), expectedHash, isThrowAway: true }
    insistOnRunnable(written, place, inputs, step)
  }
  const rehearsal = await rehearse(
    { ...rehearsable, checks: written },
    {
      ...deployTools('smoke-test', connection, step, () => {}),
      describe,
      anonymous: connectAsNobody(server.url),
      runChecks,
      // Any hash will do: which one has to be live the rehearsal knows.
      defaultChecks: (schema) => defaultChecks(schema, expectedHash),
      onReport: tellCheck
    }
  )
  await writeSummary(renderRehearsal(rehearsal), step.environment)
  if (rehearsal.outcome.kind === 'nothing-to-rehearse') return undefined
  return outcomeOf(rehearsal, folder, step)
}

/** The checks of the new module are reported as those of a plain smoke test, and the rest fails the step too. */
async function outcomeOf(
  rehearsal: Rehearsal,
  folder: string,
  { environment }: SmokeStep
): Promise<Outcome<typeof spec>> {
  const { outcome, checks, moduleHash } = rehearsal
  const checked: Outcome<typeof spec> = checks ? await conclude(checks, folder, environment) : { outputs: {} }
  const path = await writeRehearsal(rehearsal, folder)
  const outputs = { moduleHash, ...checked.outputs, rehearsal: path }
  switch (outcome.kind) {
    case 'passed':
    case 'nothing-to-rehearse':
      return { ...checked, outputs }
    case 'cancelled': {
      const message = `The job was cancelled during the rehearsal, at: ${outcome.stage}.`
      return { outputs: { ...outputs, result: 'failed' }, failure: { title: 'smoke-test: cancelled', message } }
    }
    case 'failed': {
      const title = outcome.isConfiguration ? 'smoke-test: wrong configuration' : 'smoke-test: the rehearsal failed'
      // What the checks say, if they failed, is more than that they did.
      const failure = { title, message: `At ${outcome.stage}: ${outcome.reason}` }
      return { outputs: { ...outputs, result: 'failed' }, failure: checked.failure ?? failure }
    }
  }
}

async function writeRehearsal(rehearsal: Rehearsal, folder: string): Promise<string | undefined> {
  const { rehearsalJson } = await import('../../src/rehearsal/summary.ts')
  const path = join(folder, 'rehearsal.json')
  try {
    await writeFile(path, rehearsalJson(rehearsal))
    return path
  } catch (error) {
    warn('No report', `The report of the rehearsal could not be written: ${messageOf(error)}`)
    return undefined
  }
}
