import { type Clock, systemClock } from '../clock.ts'
import { type ConnectOptions, connect, createIdentity } from '../spacetimedb/client.ts'
import { type Credential, tokenCredential } from '../spacetimedb/credential.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import { oidcCredential, subjectWarnings } from '../spacetimedb/oidc.ts'
import { type Server, ServerFailure } from '../spacetimedb/server.ts'
import { serverAddress } from '../spacetimedb/server-url.ts'
import { version } from '../version.ts'
import { warn } from './annotations.ts'
import type { Environment } from './inputs.ts'
import { log } from './log.ts'
import { maskSecret } from './masking.ts'
import { requestIdToken } from './oidc.ts'

/** The inputs by which every action names its server and credential. */
export type ConnectionInputs = {
  readonly server: string
  readonly token: string | undefined
  readonly auth: 'oidc' | undefined
  readonly audience: string | undefined
  readonly allowInsecure: boolean
}

export type Connection = { readonly server: Server; readonly credential: Credential }

/**
 * Opens the connection that the inputs ask for and says to which server and as whom, before anything is asked of
 * the server. Throws a `ConfigurationError` for a wrong server or a credential that no server would take.
 */
export async function openConnection(
  inputs: ConnectionInputs,
  environment: Environment,
  options: Pick<ConnectOptions, 'timeouts' | 'timeoutInputs'> = {},
  clock: Clock = systemClock
): Promise<Connection> {
  const address = serverAddress(inputs.server, { withToken: true, allowInsecure: inputs.allowInsecure })
  for (const warning of address.warnings) warn('Connection without encryption', warning)
  const credential = await credentialOf(inputs, environment, clock)
  log(`Server:   ${address.url}`)
  log(`Identity: ${credential.identity} (${credential.subject} of ${credential.issuer})`)
  const server = connect({
    url: address.url,
    credential,
    onSecret: maskSecret,
    onRetry: everyFewSeconds(log, clock),
    version,
    clock,
    ...options
  })
  return { server, credential }
}

/** A server that is away is asked many times a second at first; saying so now and then is enough. */
function everyFewSeconds(tell: (text: string) => void, clock: Clock): (text: string) => void {
  let last = Number.NEGATIVE_INFINITY
  return (text) => {
    if (clock.now() - last < 5000) return
    last = clock.now()
    tell(text)
  }
}

async function credentialOf(inputs: ConnectionInputs, environment: Environment, clock: Clock): Promise<Credential> {
  const { token, audience } = inputs
  if (token !== undefined) return tokenCredential(token, clock)
  const request = (wanted: string | undefined) => requestIdToken(wanted, environment)
  const credential = await oidcCredential({ request, audience, clock })
  for (const warning of subjectWarnings(credential.subject)) warn('Identity not pinned', warning)
  return credential
}

/**
 * Opens a connection without a credential: only what anyone may ask can be asked then. Throws a `ConfigurationError` for
 * a wrong server.
 */
export function openPublicConnection(server: string, clock: Clock = systemClock): Server {
  const { url } = serverAddress(server, { withToken: false, allowInsecure: true })
  log(`Server:   ${url}`)
  log('Identity: none: there is no credential, so only what is public is asked for.')
  return connectAsNobody(url, clock)
}

/**
 * Opens a connection without a credential, by which one new identity asks all: else each question that runs the module's
 * `client_connected` would be somebody else's. Without that where the server gives no identity. Throws a
 * `ConfigurationError` for a wrong server.
 */
export async function openConnectionAsStranger(
  server: string,
  clock: Clock = systemClock
): Promise<{ readonly server: Server; readonly identity: Identity | undefined }> {
  const { url } = serverAddress(server, { withToken: false, allowInsecure: true })
  try {
    const { identity, token } = await createIdentity({ url, onSecret: maskSecret, version, clock })
    log(`Server:   ${url}`)
    log(`Identity: ${identity}, a new one: there is no credential, so only what is public is asked for.`)
    return { server: connectAs(tokenCredential(token, clock), url, clock), identity }
  } catch (failure) {
    if (!(failure instanceof ServerFailure)) throw failure
    return { server: openPublicConnection(server, clock), identity: undefined }
  }
}

/** A server at a URL, asked without a credential. */
export function connectAsNobody(url: string, clock: Clock = systemClock): Server {
  return connectAs(undefined, url, clock)
}

function connectAs(credential: Credential | undefined, url: string, clock: Clock): Server {
  return connect({
    url,
    credential,
    onSecret: maskSecret,
    onRetry: everyFewSeconds(log, clock),
    version,
    clock
  })
}
