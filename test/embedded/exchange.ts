import type { Control } from './control.ts'
import type { DatabaseRecord } from './database.ts'
import { HttpError } from './http-error.ts'
import { type Json, stringify } from './sats-json.ts'
import type { Bearer, Tokens } from './tokens.ts'
import type { WorkerPool } from './worker-pool.ts'

/** A request whose body has arrived whole. */
export type Request = {
  readonly method: string
  /** Decoded parts of the path, without `v1`. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly contentType: string | undefined
  /** As they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The whole address, as the client has it. */
  readonly url: string
  readonly body: Buffer
  /** Whether the connection has ended. */
  isAbandoned(): boolean
}

export type Answer = {
  readonly status: number
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | Uint8Array
  /** More of the body as it comes; returns how to stop it. */
  readonly follow?: (send: (text: string) => void) => () => void
}

export type Server = {
  readonly control: Control
  readonly tokens: Tokens
  readonly workers: WorkerPool
  readonly firstPublishAbandonedOnReset: boolean
}

/** An answer in JSON. */
export function json(value: Json): Answer {
  return { status: 200, contentType: 'application/json', body: stringify(value) }
}

/** An answer in plain text. */
export function text(body: string): Answer {
  return { status: 200, contentType: 'text/plain; charset=utf-8', body }
}

/** Throws the 403 unless it is the owner who asks. */
export function authorize(
  record: Pick<DatabaseRecord, 'owner' | 'identity'>,
  { identity }: Bearer,
  action: string
): void {
  if (record.owner === identity) return
  const who = `${identity} is not authorized to perform action on database ${record.identity}`
  throw new HttpError(403, `${who}: ${action}`)
}

/** A parameter that is `true` or `false`, which is meant when it is missing. */
export function flag({ query }: Pick<Request, 'query'>, parameter: string): boolean {
  const given = query.get(parameter) ?? 'false'
  if (given !== 'true' && given !== 'false') throw badQuery('provided string was not `true` or `false`')
  return given === 'true'
}

/** The 400 for a query that can't be read. */
export function badQuery(why: string): HttpError {
  return new HttpError(400, `Failed to deserialize query string: ${why}`)
}

/** A parameter that has a few values, the first of which is meant when it is missing. */
export function variant<Name extends string>(
  { query }: Request,
  parameter: string,
  names: readonly [Name, ...Name[]]
): Name {
  const given = query.get(parameter) ?? names[0]
  const found = names.find((name) => name === given)
  if (found !== undefined) return found
  const known = names.map((name) => `\`${name}\``).join(' or ')
  throw badQuery(`unknown variant \`${given}\`, expected ${known}`)
}

/** Only this very type will do: a charset is refused. */
export function requireJson(contentType: string | undefined): void {
  if (contentType === undefined) throw new HttpError(400, 'Header of type `content-type` was missing')
  if (contentType !== 'application/json')
    throw new HttpError(415, 'Expected request with `Content-Type: application/json`')
}
