import {
  array,
  bytes,
  decode,
  encode,
  i64,
  option,
  product,
  string,
  sum,
  u16,
  type ValueOf
} from '../../src/module/codec.ts'
import { httpMethod } from '../../src/module/raw-module-def-v10.ts'
import { fatalError } from './database.ts'
import { type Answer, type Request, type Server, text } from './exchange.ts'
import type { Program } from './program.ts'

/**
 * Answers what is for a module's own HTTP handlers: anyone may ask, and no connection is told of. `undefined` when it is
 * for something else. Throws HttpError.
 */
export async function answerRoute({ control }: Server, request: Request): Promise<Answer | undefined> {
  const [root, name, action] = request.path
  if (root !== 'database' || name === undefined || action !== 'route') return undefined
  const database = control.database(name)
  const { program } = database.record
  const handler = handlerOf(program, request)
  if (handler === undefined) return { ...text('Database has not registered a handler for this route'), status: 404 }
  if (program.module.kind === 'js')
    return { ...text('the embedded server does not run JavaScript modules'), status: 501 }
  const outcome = await database.exclusively(() =>
    database.handle(handler.id, handler.name, encode(httpRequest, requestOf(request)), request.body)
  )
  if (outcome.kind !== 'returned') {
    const why = outcome.kind === 'failed' ? 'unexpected code 1' : fatalError
    return { ...text(`The module instance encountered a fatal error: ${why}`), status: 500 }
  }
  const { code, headers } = decode(httpResponse, outcome.bytes)
  return { status: code, headers: valuesByName(headers.entries), body: outcome.body }
}

/** The handler of the first route with the path and method, and its position among the handlers. */
function handlerOf({ raw }: Program, { method, url }: Request): { id: number; name: string } | undefined {
  if (raw.version !== 10) return undefined
  const path = decodeURIComponent(/^\/v1\/database\/[^/]+\/route(.*)$/.exec(new URL(url).pathname)?.[1] ?? '')
  const { sections } = raw.def
  const route = sections
    .flatMap((section) => (section.kind === 'HttpRoutes' ? section.value : []))
    .find((each) => each.path === path && (each.method.kind === 'Any' || isMethod(each.method.value, method)))
  const handlers = sections.flatMap((section) => (section.kind === 'HttpHandlers' ? section.value : []))
  const id = handlers.findIndex(({ source_name: name }) => name === route?.handler_function)
  const name = handlers[id]?.source_name
  return name === undefined ? undefined : { id, name }
}

function isMethod(known: ValueOf<typeof httpMethod>, method: string): boolean {
  return (known.kind === 'Extension' ? known.value : known.kind.toUpperCase()) === method
}

function requestOf({ method, headers, url }: Request): ValueOf<typeof httpRequest> {
  const kind = simpleMethods.find((known) => known.toUpperCase() === method)
  const entries = headers.map(([name, value]) => ({ name: name.toLowerCase(), value: Buffer.from(value, 'latin1') }))
  return {
    method: kind === undefined ? { kind: 'Extension', value: method } : { kind, value: {} },
    headers: { entries },
    timeout: undefined,
    uri: url,
    version: { kind: 'Http11', value: {} }
  }
}

function valuesByName(entries: readonly { name: string; value: Uint8Array }[]): Record<string, string[]> {
  const values: Record<string, string[]> = {}
  for (const { name, value } of entries) {
    values[name] = [...(values[name] ?? []), Buffer.from(value).toString('latin1')]
  }
  return values
}

const unit = product({})
const simpleMethods = ['Get', 'Head', 'Post', 'Put', 'Delete', 'Connect', 'Options', 'Trace', 'Patch'] as const

/** These are crates/lib/src/http.rs of https://github.com/clockworklabs/SpacetimeDB. */
const httpVersion = sum({ Http09: unit, Http10: unit, Http11: unit, Http2: unit, Http3: unit })
const httpHeaders = product({ entries: array(product({ name: string, value: bytes })) })
const httpRequest = product({
  method: httpMethod,
  headers: httpHeaders,
  timeout: option(product({ __time_duration_micros__: i64 })),
  uri: string,
  version: httpVersion
})
const httpResponse = product({ headers: httpHeaders, version: httpVersion, code: u16 })
