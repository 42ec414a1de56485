import { stringify } from 'lossless-json'
import { messageOf } from '../errors.ts'
import { isServersOwn } from './answers.ts'
import { ClientLink } from './client-link.ts'
import { clientProtocol, type RawRows } from './client-messages.ts'
import { type Columns, columnsIn, type Row, readRow } from './client-rows.ts'
import { databasePath, saysNothingThere } from './database.ts'
import type { Identity } from './identity.ts'
import type { Limits } from './limits.ts'
import { readSchema } from './live.ts'
import { type CallAnswer, ServerFailure } from './server.ts'
import type { Question, Session } from './session.ts'
import type { Answer } from './transport.ts'

export type { Row } from './client-rows.ts'
export { SubscriptionRefused } from './subscription-refused.ts'

/**
 * A client of a database, connected over a WebSocket as the clients of a module are. Times are in milliseconds. What
 * needs the connection throws a `ServerFailure`: `timed-out` when no answer came in time, and otherwise why the
 * connection ended.
 */
export type ClientConnection = {
  /** Who we are, as the server says. */
  readonly identity: Identity
  /**
   * All rows of the queries, in one snapshot; from then on their changes come. It replaces an earlier subscription.
   * Throws `SubscriptionRefused` for a query that the server refuses.
   */
  subscribe(queries: readonly string[], timeout: number): Promise<Snapshot>
  /**
   * Calls a reducer and waits for its outcome; sent once. After a `ServerFailure` it may have been carried out. Of
   * several calls of one reducer at a time, a call that the server rejects unread may be taken for an older one: it
   * doesn't say which it was.
   */
  call(reducer: string, args: readonly unknown[], timeout: number): Promise<CallAnswer>
  /**
   * The changes that arrived since the connection was made and were not taken yet, then those to come, until `signal`
   * is aborted or `close` is called. When the connection ends in another way, it throws why.
   */
  changes(signal?: AbortSignal): AsyncIterable<TableChange>
  /** Resolves with the reason when the connection ended, by whoever. */
  readonly closed: Promise<string>
  close(): Promise<void>
}

/** A table without rows may be absent. */
export type Snapshot = { readonly tables: readonly TableRows[] }

export type TableRows = { readonly table: string; readonly inserts: readonly Row[]; readonly deletes: readonly Row[] }

/**
 * What one transaction changed in one table. An updated row is a delete and an insert. A row that several of the
 * queries want is there once for each.
 */
export type TableChange = TableRows & {
  /** When it arrived, in milliseconds, by `performance.now()`. */
  readonly at: number
  /** Of modules of version 2 on, only where we called it ourselves. */
  readonly reducer?: string
}

export type ClientOptions = {
  /** Milliseconds, until the server has told who we are. */
  readonly timeout?: number
  /** Gives up connecting, and later ends the connection. */
  readonly signal?: AbortSignal
  /** Without the credential: as somebody new. */
  readonly anonymous?: boolean
}

/** In bytes, as SQL answers. */
const longestMessage = 256 * 1024 * 1024

/** What the server takes in one message, in bytes (docs/server-behaviour.md, "WebSocket"). */
const longestCall = 32 * 1024 * 1024

/**
 * Connects as a client of the database, once, and waits until the server has told who we are: it runs the module's
 * `client_connected` before. Throws a `ServerFailure` when that can't be had.
 */
export async function connectClient(
  session: Session,
  limits: Limits,
  database: string,
  { timeout = limits.read.timeout, signal, anonymous = false }: ClientOptions = {}
): Promise<ClientConnection> {
  const question: Question = {
    purpose: `connect to "${database}" as a client`,
    method: 'GET',
    path: `${databasePath(database)}/subscribe?compression=None`,
    anonymous,
    timeout,
    timeoutInput: limits.read.timeoutInput
  }
  const end = performance.now() + timeout
  const opened = await session.upgrade(question, { protocol: clientProtocol, longestMessage }, signal)
  if (opened.kind !== 'upgraded') throw refusal(session, question, database, opened.answer)
  const link = new ClientLink(session, question, database, opened, limits.silence.timeout)
  signal?.addEventListener('abort', () => link.abandon(), { once: true })
  if (signal?.aborted) link.abandon()
  const identity = await link.greeting(timeout, Math.max(1, end - performance.now()))
  return connectionOn(link, identity, session, limits, database)
}

/** The failure that an answer instead of an upgrade is. */
function refusal(session: Session, question: Question, database: string, answer: Answer): ServerFailure {
  const failure = session.failure(question, answer)
  if (!mayBeProxy(answer, database)) return failure
  const hint =
    'A proxy in front of the server has to pass WebSocket upgrades (nginx: the headers Upgrade and Connection).'
  return new ServerFailure(failure.kind, `${failure.message} ${hint}`, failure.status)
}

/** 426 is what the server says when the headers of the upgrade were lost on the way. */
function mayBeProxy(answer: Answer, database: string): boolean {
  if (answer.status === 426) return true
  if (isServersOwn(answer) || saysNothingThere(answer, database)) return false
  return answer.status < 300 || [400, 403, 404, 405, 501].includes(answer.status)
}

function connectionOn(
  link: ClientLink,
  identity: Identity,
  session: Session,
  limits: Limits,
  database: string
): ClientConnection {
  let schema: Promise<Columns> | undefined
  const columns = () => {
    schema ??= readSchema(session, limits, database).then(columnsIn)
    return schema
  }
  const named = async ({ table, inserts, deletes }: RawRows): Promise<TableRows> => {
    // Rows of a snapshot name their columns themselves.
    const names = isList(inserts[0] ?? deletes[0]) ? (await columns()).get(table) : undefined
    const read = (rows: readonly string[]) => rows.map((row) => readRow(row, names))
    try {
      return { table, inserts: read(inserts), deletes: read(deletes) }
    } catch (error) {
      throw link.end({ kind: 'unexpected-answer', problem: `rows of "${table}" can't be read: ${messageOf(error)}.` })
    }
  }
  return {
    identity,
    closed: link.closed,
    close: () => link.close(),
    subscribe: async (queries, timeout) => {
      const snapshot = await link.subscribe(queries, timeout)
      return { tables: await Promise.all(snapshot.map(named)) }
    },
    call: async (reducer, args, timeout) => {
      const json = stringify(args) ?? '[]'
      const bytes = Buffer.byteLength(json)
      if (bytes < longestCall) return link.call(reducer, json, timeout)
      const reason = `The arguments have ${bytes} bytes; a message of ${longestCall} is allowed.`
      return { kind: 'rejected', status: 413, reason }
    },
    changes: (signal) => takeChanges(link, named, signal)
  }
}

async function* takeChanges(
  link: ClientLink,
  named: (rows: RawRows) => Promise<TableRows>,
  signal: AbortSignal | undefined
): AsyncGenerator<TableChange> {
  for await (const { at, reducer, rows } of link.changes(signal)) {
    yield { ...(await named(rows)), at, ...(reducer !== '' && { reducer }) }
  }
}

function isList(row: string | undefined): boolean {
  return row?.startsWith('[') ?? false
}
