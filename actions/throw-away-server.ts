import { join } from 'node:path'
import type { Environment } from '../src/action/inputs.ts'
import { maskSecret } from '../src/action/masking.ts'
import type { Cancellation } from '../src/action/signals.ts'
import { systemClock } from '../src/clock.ts'
import { plainEnvironment } from '../src/setup/environment.ts'
import { SetupFailure } from '../src/setup/failure.ts'
import type { Installed } from '../src/setup/install.ts'
import { type LocalServer, startLocalServer } from '../src/setup/local-server.ts'
import type { LeftoversKeeper } from './leftovers.ts'

/**
 * Starts a server that keeps all in memory and belongs to nobody else. It is among the leftovers before it answers. Throws
 * a `SetupFailure` when it does not come up.
 */
export async function startThrowAway(
  { server: program }: Installed,
  { environment, cancellation }: { readonly environment: Environment; readonly cancellation: Cancellation },
  left: LeftoversKeeper
): Promise<LocalServer> {
  if (program === undefined) {
    throw new SetupFailure('server not started', 'There is no spacetimedb-standalone to start.')
  }
  return startLocalServer({
    program,
    folder: join(left.root, 'server'),
    environment: plainEnvironment(environment),
    clock: systemClock,
    onSecret: maskSecret,
    onStarted: (server) => left.add({ server }),
    signal: cancellation.signal
  })
}
