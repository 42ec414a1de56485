import { join } from 'node:path'
import { warn } from '../../src/action/annotations.ts'
import { openConnection, openConnectionAsStranger } from '../../src/action/connection.ts'
import { acknowledgedIds } from '../../src/action/connection-inputs.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { messageOf } from '../../src/errors.ts'
import type { OldModule, Rehearsal, RehearsalOutcome, RehearsalRequest } from '../../src/rehearsal/rehearsal.ts'
import type { Checks } from '../../src/smoke/check.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { fetchBaseModule } from '../base-module.ts'
import type { GivenModule } from '../given-module.ts'
import { stepsIn } from '../releasing.ts'
import type { ThrowAway } from '../server-for-module.ts'
import { conclude } from './reporting.ts'
import { type spec, usualDatabase } from './spec.ts'

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
  const { rehearse } = inputs
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
    seed: inputs.seed === undefined ? undefined : await readSeed(inputs.seed),
    isAskedFor: rehearse !== undefined
  }
}

/** What the database of a plain smoke test is called. One of a rehearsal that could not be begun may be there already. */
export function plainDatabase(
  rehearsable: Pick<RehearsalRequest, 'old'> | undefined,
  { database = usualDatabase }: SmokeInputs
): string {
  const isFree = rehearsable === undefined || rehearsable.old.kind === 'none'
  return databaseName(isFree ? database : `${database}-plain`)
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
  log(`The live database "${database}", which is only read from:`)
  if (inputs.token === undefined && inputs.auth === undefined) {
    return { kind: 'live', database, ...(await openConnectionAsStranger(liveServer)) }
  }
  const { server, credential } = await openConnection({ ...inputs, server: liveServer }, environment)
  return { kind: 'live', server, database, identity: credential.identity }
}

async function baseModuleOf(inputs: SmokeInputs, environment: Environment, folder: string): Promise<OldModule> {
  const { artifactName, githubToken } = inputs
  const branch = inputs.baseRef ?? environment.GITHUB_BASE_REF
  if (!branch) return { kind: 'none', reason: 'this is no pull request, and no branch is named (`base-ref`)' }
  const asked =
    inputs.rehearse === undefined
      ? { input: `A rehearsal with the module of branch ${branch}`, instead: 'Give it, or `rehearse: none`.' }
      : { input: '`rehearse: base`', instead: 'Leave it out here.' }
  const base = await fetchBaseModule({ branch, artifactName, githubToken, folder, ...asked }, environment)
  return base.kind === 'none' ? { kind: 'none', reason: base.name } : { ...base, kind: 'base' }
}

/**
 * Rehearses, and reports it. Answers nothing when there is nothing to rehearse or to rehearse with, or when what nobody
 * asked for could not be begun, which the summary says: a plain smoke test is left to do then.
 */
export async function rehearseRelease(
  rehearsable: Omit<RehearsalRequest, 'checks'> | undefined,
  { connection }: ThrowAway,
  { inputs, step, folder, written }: SmokeTest
): Promise<Outcome<typeof spec> | undefined> {
  if (rehearsable === undefined) return undefined
  const [{ rehearseOn }, { renderRehearsal }] = await Promise.all([
    import('../rehearsing.ts'),
    import('../../src/rehearsal/summary.ts')
  ])
  const setting = { action: 'smoke-test', connection, step, written, allowed: inputs }
  const rehearsal = await rehearseOn(setting, rehearsable)
  await writeSummary(renderRehearsal(rehearsal), step.environment)
  const { outcome } = rehearsal
  if (outcome.kind === 'nothing-to-rehearse') return undefined
  if (outcome.kind === 'not-rehearsed') {
    warn('smoke-test: could not be rehearsed', `${outcome.reason}\nWhat follows is a plain smoke test.`)
    return undefined
  }
  return outcomeOf(rehearsal, outcome, folder, step)
}

/** The checks of the new module are reported as those of a plain smoke test, and the rest fails the step too. */
async function outcomeOf(
  rehearsal: Rehearsal,
  end: RehearsalEnd,
  folder: string,
  { environment }: SmokeStep
): Promise<Outcome<typeof spec>> {
  const { checks, moduleHash } = rehearsal
  const checked: Outcome<typeof spec> = checks
    ? await conclude(checks, folder, environment, { isThrowAway: true })
    : { outputs: {} }
  const { failureOfRehearsal, writeRehearsal } = await import('../rehearsing.ts')
  const path = await writeRehearsal(rehearsal, folder)
  const outputs = { moduleHash, ...checked.outputs, rehearsal: path }
  if (end.kind === 'passed') return { ...checked, outputs }
  const result = checks ? ('failed' as const) : ('error' as const)
  // What the checks say, if they failed, is more than that they did.
  return { outputs: { ...outputs, result }, failure: checked.failure ?? failureOfRehearsal('smoke-test', end) }
}

type RehearsalEnd = Extract<RehearsalOutcome, { kind: 'passed' | 'failed' | 'cancelled' }>
