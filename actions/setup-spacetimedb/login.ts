import { warn } from '../../src/action/annotations.ts'
import { log } from '../../src/action/log.ts'
import type { Step } from '../../src/action/run.ts'
import type { Inputs, Outputs } from '../../src/action/spec.ts'
import { type CliLogin, writeCliConfig } from '../../src/setup/cli-config.ts'
import type { Installed } from '../../src/setup/install.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import { serverAddress } from '../../src/spacetimedb/server-url.ts'
import type { LeftoversKeeper } from '../leftovers.ts'
import { startThrowAway } from '../throw-away-server.ts'
import type { spec } from './spec.ts'

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
  installed: Installed,
  step: Step<typeof spec>,
  left: LeftoversKeeper
): Promise<Login> {
  const { url, token, identity, process } = await startThrowAway(installed, step, left)
  log(`A server runs at ${url} until the end of the job; its log is in ${process.logFile}.`)
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
