import { type Clock, systemClock } from '../clock.ts'
import { defaultPatience, type Patience } from '../retry.ts'
import { newIdentityAnswer } from './answers.ts'
import { callFunction } from './call.ts'
import { openCaller } from './caller.ts'
import { connectClient } from './client-connection.ts'
import type { Credential } from './credential.ts'
import { databasePath, resolveDatabase } from './database.ts'
import type { Identity } from './identity.ts'
import { keepConnection } from './kept-connection.ts'
import { type Limits, limitsOf, type TimeoutInputs, type Timeouts } from './limits.ts'
import { readLive, readLiveModule, readSchema } from './live.ts'
import { readLogs } from './log-stream.ts'
import { readMetrics, readMetricsOf } from './metrics.ts'
import { databasesOf, deleteDatabase, namesOf } from './ownership.ts'
import { planUpdate, publish } from './publish.ts'
import { requestRoute } from './route.ts'
import { keepSecrets, type Secrets } from './secrets.ts'
import type { Server } from './server.ts'
import { openSession, type Session } from './session.ts'
import { runSql } from './sql-answer.ts'
import { createTransport } from './transport.ts'

export type ConnectOptions = {
  /** As `serverAddress` gives it: without a trailing slash. */
  readonly url: string
  /** Without one, only what anyone may do works. */
  readonly credential?: Credential | undefined
  /** Given every token that is sent or that an answer carries, before anything else is done with it: mask it. */
  readonly onSecret?: (secret: string) => void
  /** Told, as a sentence, when something is going to be asked again. */
  readonly onRetry?: (message: string) => void
  /** This project's, for the `User-Agent` header. */
  readonly version?: string
  readonly timeouts?: Partial<Timeouts>
  /** The inputs that raise a time limit, for messages. */
  readonly timeoutInputs?: TimeoutInputs
  /** How often questions are repeated; where it is silent, `defaultPatience`. */
  readonly patience?: Partial<Patience>
  readonly clock?: Clock
}

/**
 * The client of a SpacetimeDB server. Sends nothing yet. Questions are repeated, with pauses, where they fail for the
 * moment; what changes something (publish, call, delete, lock, SQL that writes) is sent exactly once.
 */
export function connect(options: ConnectOptions): Server {
  const session = sessionFor(options, keepSecrets(options.onSecret ?? (() => {})))
  const limits = limitsOf(options.timeouts ?? {}, options.timeoutInputs ?? {})
  return {
    url: session.url,
    ping: () => ping(session, limits),
    resolve: (database) => resolveDatabase(session, limits, database),
    plan: (database, module) => planUpdate(session, limits, database, module),
    publishUpdate: (database, module, token) => publish(session, limits, { kind: 'update', database, module, token }),
    publishFirst: (database, module, organization) =>
      publish(session, limits, { kind: 'first', database, module, organization }),
    live: (database) => readLive(session, limits, database),
    liveModule: (database) => readLiveModule(session, limits, database),
    schema: (database) => readSchema(session, limits, database),
    call: (database, reducer, args, timeout) => callFunction(session, limits, { database, reducer, args, timeout }),
    caller: (database, reducer, args) =>
      openCaller(session, limits, keepConnection(userAgentOf(options), session.url), { database, reducer, args }),
    sql: (database, statement, timeout) => runSql(session, limits, { database, statement, timeout }),
    logs: (database, logOptions) => readLogs(session, limits, database, logOptions),
    connectClient: (database, clientOptions) => connectClient(session, limits, database, clientOptions),
    route: (database, request) => requestRoute(session, limits, database, request),
    databaseMetrics: (database) => readMetricsOf(session, limits, database),
    metrics: () => readMetrics(session, limits),
    databasesOf: (owner) => databasesOf(session, limits, owner),
    namesOf: (database) => namesOf(session, limits, database),
    delete: (database) => deleteDatabase(session, limits, database),
    lock: (database) => setLock(session, limits, database, 'lock'),
    unlock: (database) => setLock(session, limits, database, 'unlock')
  }
}

/** Somebody new to a server: whoever has the token is this identity there. */
export type NewIdentity = { readonly identity: Identity; readonly token: string }

/** Has a server make a new identity. The token is given to `onSecret` before it is answered. */
export async function createIdentity(options: ConnectOptions): Promise<NewIdentity> {
  const secrets = keepSecrets(options.onSecret ?? (() => {}))
  const session = sessionFor(options, secrets)
  const question = {
    purpose: 'create an identity',
    method: 'POST',
    path: '/v1/identity',
    anonymous: true,
    ...limitsOf(options.timeouts ?? {}, options.timeoutInputs ?? {}).read
  } as const
  const answer = await session.ask(question)
  if (answer.status !== 200) throw session.failure(question, answer)
  const created = session.parse(question, answer, newIdentityAnswer)
  secrets.add(created.token)
  return created
}

function sessionFor(options: ConnectOptions, secrets: Secrets): Session {
  return openSession({
    url: options.url,
    credential: options.credential,
    transport: createTransport(userAgentOf(options)),
    secrets,
    clock: options.clock ?? systemClock,
    patience: { ...defaultPatience, ...options.patience },
    onRetry: options.onRetry
  })
}

function userAgentOf({ version = 'unreleased' }: ConnectOptions): string {
  return `stdb-actions/${version}`
}

async function ping(session: Session, limits: Limits): Promise<void> {
  const question = {
    purpose: 'reach SpacetimeDB',
    method: 'GET',
    path: '/v1/ping',
    anonymous: true,
    ...limits.read
  } as const
  const answer = await session.ask(question)
  if (answer.status === 200) return
  throw answer.status === 404
    ? session.unexpected(question, answer, 'it answers, but has no /v1/ping (404). Is this a SpacetimeDB server?')
    : session.failure(question, answer)
}

async function setLock(session: Session, limits: Limits, database: string, action: 'lock' | 'unlock'): Promise<void> {
  const question = {
    purpose: `${action} "${database}"`,
    method: 'POST',
    path: `${databasePath(database)}/${action}`,
    ...limits.read
  } as const
  const outcome = await session.sendOnce(question)
  if (outcome.kind !== 'answered') throw outcome.failure
  if (outcome.answer.status !== 200) throw session.failure(question, outcome.answer)
}
