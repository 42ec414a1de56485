import { type Connection, openConnection } from '../src/action/connection.ts'
import { log } from '../src/action/log.ts'
import { workspaceOf } from '../src/action/workspace.ts'
import { type GivenModule, versionOf } from './given-module.ts'
import { bring, type InstallInputs } from './installing.ts'
import type { LeftoversKeeper } from './leftovers.ts'
import type { ReleasingStep } from './releasing.ts'
import { startThrowAway } from './throw-away-server.ts'

/** A server that was started for a module. */
export type ThrowAway = {
  readonly connection: Connection
  readonly logFile: string
}

/**
 * Brings the version of SpacetimeDB that a module is for to this machine, and starts it. Throws a `ConfigurationError`, or a
 * `SetupFailure` when the server does not come up.
 */
export async function startFor(
  wanted: GivenModule,
  inputs: InstallInputs & { readonly path: string | undefined },
  step: ReleasingStep,
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
