import { join } from 'node:path'
import { warn } from '../../src/action/annotations.ts'
import { log } from '../../src/action/log.ts'
import { maskSecret } from '../../src/action/masking.ts'
import type { Step } from '../../src/action/run.ts'
import type { Inputs, Outputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { type CliLogin, writeCliConfig } from '../../src/setup/cli-config.ts'
import { plainEnvironment } from '../../src/setup/environment.ts'
import { SetupFailure } from '../../src/setup/failure.ts'
import type { Installed } from '../../src/setup/install.ts'
import { startLocalServer } from '../../src/setup/local-server.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import { serverAddress } from '../../src/spacetimedb/server-url.ts'
import type { spec } from './spec.ts'
import type { LeftoversKeeper } from './state.ts'

/** Whom the CLI is logged in as. */
export type Login = CliLogin & { readonly identity: string }

/**
 * The login that the inputs ask for, if any. Throws a `ConfigurationError` for a server or a token that can't be right,
 * before anything is downloaded.
 */
export function givenLogin({ server, token, allowInsecure }: Inputs<typeof spec>): Login | undefined {
  if (server === undefined || token === undefined) return undefined
  const { url, warnings } = serverAddress(server, { withToken: true, allowInsecure })
  for (const warning of warnings) warn('Connection without encryption', warning)
  const { identity } = tokenCredential(token)
  const isNickname = /^[a-z]+$/i.test(server)
  return { url, nickname: isNickname ? server.toLowerCase() : new URL(url).hostname, token: token.trim(), identity }
}

/** Starts a throw-away server; the login is that of somebody new there. */
export async function startServer(
  { server: program }: Installed,
  { environment, cancellation }: Pick<Step<typeof spec>, 'environment' | 'cancellation'>,
  left: LeftoversKeeper
): Promise<Login> {
  if (program === undefined)
    throw new SetupFailure('server not started', 'There is no spacetimedb-standalone to start.')
  const { url, token, identity } = await startLocalServer({
    program,
    folder: join(left.root, 'server'),
    environment: plainEnvironment(environment),
    clock: systemClock,
    onSecret: maskSecret,
    onStarted: (server) => left.add({ server }),
    signal: cancellation.signal
  })
  log(`A server runs at ${url} until the end of the job; its log is in ${join(left.root, 'server', 'server.log')}.`)
  return { url, nickname: 'local', token, identity }
}

/** Logs the CLI in. What is only known of a server of this job is an output. */
export async function logIn(login: Login, isOwnServer: boolean, left: LeftoversKeeper): Promise<Outputs<typeof spec>> {
  const cliConfig = await writeCliConfig(left.root, login)
  log(`The CLI is logged in at ${login.url} (\`${login.nickname}\`) as ${login.identity}.`)
  return {
    cliConfig,
    identity: login.identity,
    ...(isOwnServer && { server: login.url, token: login.token })
  }
}
