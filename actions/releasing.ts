import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { warn } from '../src/action/annotations.ts'
import { type Connection, type ConnectionInputs, connectAsNobody, openConnection } from '../src/action/connection.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { logNarrator } from '../src/action/narrator.ts'
import { originOf } from '../src/action/origin.ts'
import type { Cancellation } from '../src/action/signals.ts'
import type { State } from '../src/action/state.ts'
import { writeSummary } from '../src/action/summary.ts'
import { systemClock } from '../src/clock.ts'
import { messageOf } from '../src/errors.ts'
import { describeOnce } from '../src/module/describe-once.ts'
import { loadModule } from '../src/module/load.ts'
import { type Approved, readApproved } from '../src/release/approved.ts'
import type { Checkpoint } from '../src/release/checkpoint.ts'
import { type Deployment, type Ending, isSuccess } from '../src/release/deployment.ts'
import { endCutOff, isUnwritten } from '../src/release/ledger/end-cut-off.ts'
import type { Ledger } from '../src/release/ledger/ledger.ts'
import { recover } from '../src/release/recover.ts'
import { headlineOf, renderRecovery } from '../src/release/summary.ts'
import type { DeployTools } from '../src/release/work.ts'
import type { Step } from '../src/steps/steps-file.ts'
import { keepSavedModule } from './keep-module.ts'
import { type LedgerChoice, openLedger } from './ledger.ts'
import { downloadRunArtifact } from './run-artifact.ts'

/** The step of an action that publishes. */
export type ReleasingStep = { readonly environment: Environment; readonly cancellation: Cancellation }

/** A folder of its own for what a step hands on. */
export function stepFolder({ RUNNER_TEMP }: Environment): string {
  return join(RUNNER_TEMP ?? tmpdir(), 'stdb-actions', randomUUID().slice(0, 8))
}

/** What a deploy works with in a step of an action. */
export function deployTools(
  action: string,
  { server, credential }: Connection,
  { environment, cancellation }: ReleasingStep,
  remember: DeployTools['remember'],
  ledger?: Ledger
): DeployTools {
  return {
    server,
    anonymous: connectAsNobody(server.url),
    identity: credential.identity,
    describe: describeOnce(),
    clock: systemClock,
    narrator: logNarrator(action),
    folder: stepFolder(environment),
    origin: originOf(environment),
    ledger,
    remember,
    cancelled: cancellation.signal
  }
}

/**
 * The approved plan that inputs name; none when they name none. Throws a `ConfigurationError` when it is not there, or not
 * the approved one.
 */
export async function approvedIn(
  { plan, planDigest, maxPlanAge }: PlanInputs,
  environment: Environment
): Promise<Approved | undefined> {
  if (plan === undefined) return undefined
  const name = /^artifact:(.+)$/.exec(plan)?.[1]
  const path = name === undefined ? plan : await planInArtifact(name, environment)
  return readApproved(path, maxPlanAge, planDigest)
}

type PlanInputs = {
  readonly plan: string | undefined
  readonly planDigest: string | undefined
  readonly maxPlanAge: number
}

async function planInArtifact(name: string, environment: Environment): Promise<string> {
  const folder = stepFolder(environment)
  await downloadRunArtifact({ name, input: 'plan' }, folder, environment)
  return join(folder, 'plan.json')
}

/** The steps of a file; none without one. Throws a `ConfigurationError` when it can't be read or is wrong. */
export async function stepsIn(path: string | undefined): Promise<readonly Step[]> {
  if (path === undefined) return []
  // Reading YAML takes code that most deploys do without.
  const { readSteps } = await import('../src/steps/steps-file.ts')
  return readSteps(path)
}

/**
 * In a post step: finishes or undoes what the main step began, when it was cut off, and writes down how it ended where
 * the main step could not.
 */
export async function finishCutOff(
  action: string,
  state: State<Checkpoint>,
  inputs: ConnectionInputs & Partial<LedgerChoice>,
  { environment }: ReleasingStep,
  telling: Telling = asDeploy
): Promise<Failing> {
  const left = state.read(environment)
  if (left === undefined || (left.phase === 'settled' && !isUnwritten(left))) {
    log('Nothing was cut off.')
    return {}
  }
  const ending = left.phase === 'settled' ? undefined : await finish(inputs, environment, left)
  await writeEndDown(action, left, ending, inputs, environment)
  if (ending === undefined) {
    log('There is nothing to add to what was said of the publish.')
    return {}
  }
  await writeSummary(telling.summary(left, ending), environment)
  return failureWith(action, ending, telling.headline(left, ending))
}

/** How the reader is told what became of a step that was cut off. */
export type Telling = {
  /** Markdown. */
  summary(left: Checkpoint, ending: Ending): string
  headline(left: Checkpoint, ending: Ending): string
}

const asDeploy: Telling = {
  summary: renderRecovery,
  headline: ({ database }, ending) => headlineOf(ending, database)
}

/** In the ledger that the release was begun in. */
async function writeEndDown(
  action: string,
  left: Checkpoint,
  ending: Ending | undefined,
  { ledger: kind = 'none', ...choice }: Partial<LedgerChoice>,
  environment: Environment
): Promise<void> {
  if (left.releaseId === undefined) return
  if (left.previous) await keepSavedModule(left.previous.path, left.previous.hash, environment)
  const ledger = await openLedger({ ...choice, ledger: kind }, left.database, environment)
  const written = ledger && (await endCutOff(ledger, left, ending, { action, clock: systemClock }))
  if (written?.kind === 'ok') log(`Release ${written.value.id} is written down as ${written.value.result}.`)
  else if (written) warn(action, `How the release ended could not be written down: ${written.reason}`)
}

/** Whatever stands in the way, the reader is told in which state the database may be. */
async function finish(inputs: ConnectionInputs, environment: Environment, left: Checkpoint) {
  try {
    const { server } = await openConnection(inputs, environment)
    return await recover(server, left, loadModule, systemClock)
  } catch (error) {
    return { result: 'unknown', live: { kind: 'unknown' }, reason: messageOf(error) } as const
  }
}

export type Failing = { readonly failure?: { readonly title: string; readonly message: string } }

/** The error of a step whose ending isn't what was asked for. */
export function failureOf(action: string, ending: Ending, database: string): Failing {
  return isSuccess(ending.result) ? {} : failureWith(action, ending, headlineOf(ending, database))
}

/** The error of a step that failed; `headline` says in one line how it ended. */
export function failureWith(action: string, ending: Ending, headline: string): Failing {
  if (ending.isConfiguration) {
    return { failure: { title: `${action}: wrong configuration`, message: ending.reason ?? '' } }
  }
  return { failure: { title: `${action}: ${ending.result}`, message: `${headline}\n${ending.reason}` } }
}

/** The outputs that all actions which publish have in common, whatever the result. */
export function outputsOfRelease(deployment: Deployment) {
  const { judgement } = deployment
  return {
    result: deployment.result,
    verdict: judgement?.verdict ?? (deployment.exists === false ? ('none' as const) : undefined),
    reversible: judgement?.wayBack.reversible,
    conditions: JSON.stringify(conditionsOf(judgement)),
    plan: deployment.planPath,
    moduleHash: deployment.moduleHash,
    previousModuleHash: deployment.previousHash,
    databaseIdentity: deployment.databaseIdentity,
    releaseId: deployment.release && String(deployment.release.id),
    identity: deployment.identity,
    previousModule: deployment.previousModulePath
  }
}

/** What a step that is killed from now on leaves: what is live is not known, and how to go back is. */
export function outputsOfCutOff({ next, previous }: Checkpoint) {
  const result = 'unknown' as const
  return { result, moduleHash: next.hash, previousModuleHash: previous?.hash, previousModule: previous?.path }
}

type Judged = {
  readonly conditions: readonly object[]
  readonly wayBack?: { readonly conditions: readonly object[] } | undefined
}

/** Conditions there and back, each with its way. */
export function conditionsOf(judged: Judged | undefined): object[] {
  if (!judged) return []
  return [
    ...judged.conditions.map((condition) => ({ way: 'forward', ...condition })),
    ...(judged.wayBack?.conditions ?? []).map((condition) => ({ way: 'back', ...condition }))
  ]
}
