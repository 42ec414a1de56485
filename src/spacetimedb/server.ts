import type { AlgebraicType } from '../module/algebraic-type.ts'
import type { ModuleHash } from '../module/hash.ts'
import type { Module, ModuleKind } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import type { ClientConnection, ClientOptions } from './client-connection.ts'
import type { Identity } from './identity.ts'
import type { MetricSample } from './metrics-text.ts'
import type { RouteAnswer, RouteRequest } from './route.ts'

/**
 * A SpacetimeDB server, as far as deploying needs it. Answers that a caller can go on from are values; everything
 * else is a `ServerFailure`. `database` is a name or an identity.
 */
export type Server = {
  /** Without a trailing slash. */
  readonly url: string
  ping(): Promise<void>
  resolve(database: string): Promise<Resolution>
  /** What the server would do to the database to publish the module. Owner only. */
  plan(database: string, module: Module): Promise<ServerPlan>
  /**
   * Publishes an update by compare-and-swap on the plan's token. Sent once, never repeated. Throws only what changed
   * nothing: a refused token (401), another owner (403), no such organisation or address (404).
   */
  publishUpdate(database: string, module: Module, token: string): Promise<PublishAnswer>
  /** Publishes to a name that holds no database. Sent once, never repeated. Throws as `publishUpdate` does. */
  publishFirst(database: string, module: Module, organization?: string): Promise<PublishAnswer>
  /** The hash of the module that the database runs now. */
  live(database: string): Promise<LiveModule>
  /** The module that the database runs now, its bytes checked against its hash. */
  liveModule(database: string): Promise<Module>
  schema(database: string): Promise<Schema>
  /** Calls a reducer or procedure, once: never repeated. `timeout` in milliseconds. */
  call(database: string, reducer: string, args: readonly unknown[], timeout?: number): Promise<CallAnswer>
  /**
   * Somebody who calls one reducer or procedure with the same arguments again and again. Connects with the first
   * call. Without a credential it is somebody new, who stays the same.
   */
  caller(database: string, reducer: string, args: readonly unknown[]): Caller
  /** Runs one statement. `timeout` in milliseconds, for all attempts together: a `SELECT` may be asked again. */
  sql(database: string, statement: string, timeout?: number): Promise<SqlAnswer>
  /**
   * The last lines of the log as it is now, oldest first, as they arrive; owner only. Asked again only before the first
   * line has come.
   */
  logs(database: string, options: LogOptions): AsyncIterable<LogLine>
  /**
   * Connects over WebSocket as a client of the module does, once. Throws a `ServerFailure` when that fails.
   * `anonymous`: without the credential.
   */
  connectClient(database: string, options?: ClientOptions): Promise<ClientConnection>
  /**
   * One request to an HTTP handler of the module, as its clients send it: without the credential, and once. Throws a
   * `ServerFailure` without an answer or a database, a `ConfigurationError` for a path that leads elsewhere.
   */
  route(database: string, request: RouteRequest): Promise<RouteAnswer>
  /** What the server counts about one database; `undefined` where it hides its metrics. */
  databaseMetrics(database: string): Promise<readonly MetricSample[] | undefined>
  /** Prometheus text; `undefined` where the server hides it. */
  metrics(): Promise<string | undefined>
  /** The databases that an identity owns. Anyone may ask. */
  databasesOf(owner: Identity): Promise<readonly Identity[]>
  /** All names that lead to a database, whoever gave them; none when there is none. */
  namesOf(database: string): Promise<readonly string[]>
  /**
   * Deletes a database with all its data, for good; owner only. Sent once, never repeated. By its identity alone: what a
   * name leads to can change. Throws only what changed nothing: a refused token (401), another owner (403), no such
   * address (404).
   */
  delete(database: Identity): Promise<DeleteAnswer>
  /** A locked database refuses to be cleared or deleted. */
  lock(database: string): Promise<void>
  unlock(database: string): Promise<void>
}

export type Resolution =
  | { readonly kind: 'exists'; readonly identity: Identity; readonly owner: Identity; readonly moduleKind: ModuleKind }
  /** No database and no claim: the first to publish gets the name. */
  | { readonly kind: 'free' }
  /** The name is claimed and holds nothing: deleted, or its first publish failed. Anyone may publish to it. */
  | { readonly kind: 'claimed' }

export type ServerPlan =
  | {
      readonly kind: 'automatic'
      readonly text: string
      readonly breaksClients: boolean
      /** To be sent back as it came. */
      readonly token: string
      readonly majorVersionUpgrade: boolean
    }
  | { readonly kind: 'manual'; readonly reason: string; readonly majorVersionUpgrade: boolean }
  /** The server can't load the module. */
  | { readonly kind: 'bad-module'; readonly reason: string }

export type PublishAnswer =
  | { readonly kind: 'published'; readonly operation: 'created' | 'updated'; readonly identity: Identity }
  /** Nothing was changed: the token or the policy doesn't allow it, or the data doesn't. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Nothing was changed: the module doesn't load, or its `init` failed. */
  | { readonly kind: 'bad-module'; readonly reason: string }
  /** Nothing was sent: there was no connection, or no token to be had. */
  | { readonly kind: 'not-sent'; readonly failure: Error }
  /** The answer was lost or says nothing certain: only the live hash tells. */
  | { readonly kind: 'uncertain'; readonly failure: Error }

export type DeleteAnswer =
  /** It is not there any more, or was not there before. */
  | { readonly kind: 'deleted' }
  /** Its owner has locked it: it is still there. */
  | { readonly kind: 'locked' }
  /** Nothing was sent: there was no connection. */
  | { readonly kind: 'not-sent'; readonly failure: Error }
  /** The answer was lost or says nothing certain: only looking at the database tells. */
  | { readonly kind: 'uncertain'; readonly failure: Error }

export type LiveModule = { readonly hash: ModuleHash; readonly kind: ModuleKind }

export type CallAnswer =
  | { readonly kind: 'ok'; readonly value: unknown; readonly durationMicros?: number }
  /** The reducer returned an error or panicked (530), and nothing was committed; or a procedure panicked (500). */
  | { readonly kind: 'failed'; readonly reason: string }
  /** No such reducer, wrong arguments, not allowed, out of energy: `status` tells. */
  | { readonly kind: 'rejected'; readonly status: number; readonly reason: string }

/** Calls over a connection of its own that is kept, one call at a time: for loads. */
export type Caller = {
  /** As `Server.call`: once, never repeated. `timeout` in milliseconds. */
  call(timeout: number): Promise<CallAnswer>
  /** Ends the connection, and a call that is on its way. */
  close(): void
}

export type SqlAnswer =
  | {
      readonly kind: 'rows'
      readonly columns: readonly string[]
      /** Of the columns, without references; `undefined` for one that this code does not know. */
      readonly types: readonly (AlgebraicType | undefined)[]
      /** Integers that don't fit a double are bigints. */
      readonly rows: readonly (readonly unknown[])[]
      readonly stats: { readonly inserted: number; readonly deleted: number; readonly updated: number }
      /** As the server measured it. */
      readonly durationMicros?: number
    }
  | { readonly kind: 'rejected'; readonly reason: string }

export type LogOptions = {
  /**
   * How many of the newest lines. Without it all lines of the log's newest file: a server begins one a day
   * (docs/server-behaviour.md, "Logs").
   */
  readonly lines?: number
  readonly signal?: AbortSignal | undefined
}

export type LogLine = {
  /** `Trace`, `Debug`, `Info`, `Warn`, `Error`, or `Panic`: a reducer panicked, with this message. */
  readonly level: string
  /** Microseconds since the epoch. */
  readonly timestamp: bigint
  readonly message: string
  readonly target?: string
  readonly file?: string
  readonly line?: number
  readonly function?: string
  /** Of a panic: the functions that were running, the innermost first, as far as the module has their names. */
  readonly trace?: readonly string[]
}

/** Why a server could not be asked, or would not answer. */
export type FailureKind =
  | 'unreachable'
  | 'timed-out'
  | 'tls'
  | 'interrupted'
  | 'unauthorized'
  | 'forbidden'
  | 'missing'
  | 'rate-limited'
  | 'server-error'
  | 'unexpected-answer'

/** A request that the caller can't go on from. The message is for the user: which call, what happened, what to do. */
export class ServerFailure extends Error {
  override readonly name = 'ServerFailure'
  readonly kind: FailureKind
  readonly status: number | undefined

  constructor(kind: FailureKind, message: string, status?: number, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
    this.status = status
  }
}
