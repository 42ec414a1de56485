import { openConnection } from '../../src/action/connection.ts'
import { log } from '../../src/action/log.ts'
import type { Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { workspaceOf } from '../../src/action/workspace.ts'
import { deploy } from '../../src/release/deploy.ts'
import type { Deployment } from '../../src/release/deployment.ts'
import { type GivenModule, versionOf } from '../given-module.ts'
import { bring } from '../installing.ts'
import type { LeftoversKeeper } from '../leftovers.ts'
import { deployTools } from '../releasing.ts'
import { startThrowAway } from '../throw-away-server.ts'
import type { spec } from './spec.ts'

/** A server that was started for the checks. */
export type ThrowAway = {
  readonly connection: Awaited<ReturnType<typeof openConnection>>
  readonly logFile: string
}

/**
 * Brings the version of SpacetimeDB that a module is for to this machine, and starts it. Throws a `ConfigurationError`, or a
 * `SetupFailure` when the server does not come up.
 */
export async function startFor(
  wanted: GivenModule,
  inputs: Inputs<typeof spec>,
  step: Step<typeof spec>,
  left: LeftoversKeeper
): Promise<ThrowAway> {
  const { environment, cancellation } = step
  const workspace = workspaceOf(environment)
  const { installed } = await bring(
    inputs,
    { withServer: true, versionOfModule: () => versionOf(wanted, inputs.path, workspace) },
    { environment, signal: cancellation.signal, left }
  )
  const { url, token, process: server } = await startThrowAway(installed, step, left)
  log('The throw-away server:')
  const credential = { token, auth: undefined, audience: undefined, allowInsecure: false }
  return { connection: await openConnection({ server: url, ...credential }, environment), logFile: server.logFile }
}

/** Publishes the module to a new database, as a first release does it. */
export function publishTo(
  { connection }: ThrowAway,
  { module, path: modulePath }: GivenModule,
  database: string,
  step: Step<typeof spec>
): Promise<Deployment> {
  const request = {
    database,
    module,
    modulePath,
    create: true,
    allowBreakingClients: false,
    allowIrreversible: false,
    healthCheck: { kind: 'none' },
    healthTimeout: 0,
    onFailure: 'keep',
    dryRun: false
  } as const
  // Nothing is left to finish when the step is cut off: the server goes with all that is in it.
  return deploy(
    request,
    deployTools('smoke-test', connection, step, () => {})
  )
}
