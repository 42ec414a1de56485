import type { CheckInputs } from '../../src/action/check-inputs.ts'
import type { Connection } from '../../src/action/connection.ts'
import { log } from '../../src/action/log.ts'
import { logNarrator } from '../../src/action/narrator.ts'
import { messageOf } from '../../src/errors.ts'
import { readSeed } from '../../src/rehearsal/seed-file.ts'
import { renderRehearsal } from '../../src/rehearsal/summary.ts'
import type { Readied } from '../../src/release/ready.ts'
import type { DeployRequest } from '../../src/release/work.ts'
import { SetupFailure } from '../../src/setup/failure.ts'
import { isIdentity } from '../../src/spacetimedb/identity.ts'
import type { GivenModule } from '../given-module.ts'
import type { InstallInputs } from '../installing.ts'
import { LeftoversKeeper, leftoversFolder } from '../leftovers.ts'
import { failureOfRehearsal, rehearseOn, writeRehearsal } from '../rehearsing.ts'
import type { ReleasingStep } from '../releasing.ts'
import { startFor } from '../server-for-module.ts'
import { leftovers } from './leftovers.ts'

export type RehearsalInputs = InstallInputs & Pick<CheckInputs, 'allowWrites' | 'allowedLoadHosts'>

/** What is rehearsed, and what it is rehearsed by. */
export type RehearsedDeploy = {
  readonly request: DeployRequest
  readonly given: GivenModule
  /** To the live database, which is only read from. */
  readonly live: Connection
  readonly seed: Awaited<ReturnType<typeof readSeed>> | undefined
  /** For the report. */
  readonly folder: string
}

/** How a rehearsal went: whether the release may go on, and what is to be said of it. */
export type DeployRehearsal = {
  readonly readied: Readied
  /** Markdown; without it nothing was rehearsed. */
  readonly report?: string
  /** Of the report as JSON. */
  readonly path?: string | undefined
}

/** The seed of the input of that name. Throws a `ConfigurationError` when it can't be read or is wrong. */
export async function seedIn(path: string | undefined): Promise<RehearsedDeploy['seed']> {
  return path === undefined ? undefined : readSeed(path)
}

/** Tries a release on a throw-away server, which is ended whatever happens. Throws a `ConfigurationError`. */
export async function rehearseDeploy(
  rehearsed: RehearsedDeploy,
  inputs: RehearsalInputs,
  step: ReleasingStep
): Promise<DeployRehearsal> {
  const left = new LeftoversKeeper(leftoversFolder('deploy', step.environment), leftovers)
  try {
    return await rehearse(rehearsed, inputs, step, left)
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    return { readied: { kind: 'not-ready', reason: `The release could not be rehearsed: ${messageOf(error)}` } }
  } finally {
    await left.endServer()
  }
}

async function rehearse(
  { request, given, live, seed, folder }: RehearsedDeploy,
  inputs: RehearsalInputs,
  step: ReleasingStep,
  left: LeftoversKeeper
): Promise<DeployRehearsal> {
  const { connection } = await startFor(given, { ...inputs, path: undefined }, step, left)
  // What is to be warned of the release, the deploy itself has warned of.
  const narrator = { ...logNarrator('deploy'), warn: log }
  const setting = { action: 'deploy', connection, step, written: request.checks?.checks, allowed: inputs, narrator }
  const rehearsal = await rehearseOn(setting, {
    old: { kind: 'live', server: live.server, database: request.database, identity: live.credential.identity },
    module: request.module,
    modulePath: request.modulePath,
    database: isIdentity(request.database) ? 'rehearsal' : request.database,
    release: { ...request, onFailure: 'rollback' },
    seed,
    isAskedFor: true
  })
  const { outcome } = rehearsal
  const said = { report: renderRehearsal(rehearsal, { hasPlan: false }), path: await writeRehearsal(rehearsal, folder) }
  if (outcome.kind !== 'failed' && outcome.kind !== 'cancelled') return { readied: { kind: 'ready' }, ...said }
  const reason = `The rehearsal did not pass. ${failureOfRehearsal('deploy', outcome).message}`
  const isConfiguration = outcome.kind === 'failed' && outcome.isConfiguration
  return { readied: { kind: 'not-ready', reason, isConfiguration }, ...said }
}
