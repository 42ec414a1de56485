import { ConfigurationError } from '../errors.ts'
import { databasePath, saysNothingThere } from './database.ts'
import type { Limits } from './limits.ts'
import type { Question, Session } from './session.ts'
import type { Answer, Method } from './transport.ts'

export type RouteRequest = {
  readonly method: Method
  /** As the module's router has it, with a query: `/health?full=1`. Begins with '/'. */
  readonly path: string
  /** All that is sent besides what HTTP itself needs; a handler that wants a token gets it here. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Milliseconds. */
  readonly timeout?: number
}

export type RouteAnswer = {
  readonly status: number
  /** Names in lower case; several of one name are joined by ', '. */
  readonly headers: Readonly<Record<string, string>>
  /** Text, of 16 MiB at most. */
  readonly body: string
}

/**
 * Sends one request to an HTTP handler of the module, without a token: handlers are for anybody
 * (docs/server-behaviour.md, "HTTP handlers"). Throws a `ServerFailure` without an answer, or without a database.
 */
export async function requestRoute(
  session: Session,
  limits: Limits,
  database: string,
  { method, path, headers, body, timeout }: RouteRequest
): Promise<RouteAnswer> {
  const question: Question = {
    purpose: `request ${method} ${path} of "${database}"`,
    method,
    path: routePath(session.url, database, path),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
    anonymous: true,
    ...limits.call,
    ...(timeout !== undefined && { timeout, timeoutInput: undefined })
  }
  const outcome = await session.sendOnce(question)
  if (outcome.kind !== 'answered') throw outcome.failure
  if (saysNothingThere(outcome.answer, database)) throw session.failure(question, outcome.answer)
  return { status: outcome.answer.status, headers: headersOf(outcome.answer), body: outcome.answer.body }
}

/** With `..` in it, a path would lead to something else than a handler. */
function routePath(server: string, database: string, path: string): string {
  const root = `${databasePath(database)}/route`
  const { href, hash } = new URL(`${server}${root}${path}`)
  if (path.startsWith('/') && hash === '' && href.startsWith(`${server}${root}/`)) return `${root}${path}`
  throw new ConfigurationError(
    `The path "${path}" is none of an HTTP handler. Give one that begins with /, without . or .. as a part, and without #.`
  )
}

function headersOf({ headers }: Answer): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]]
    )
  )
}
