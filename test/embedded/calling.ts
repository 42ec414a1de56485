import { decode, valueCodec } from '../../src/module/bsatn.ts'
import type { LifecycleReducer, Schema } from '../../src/module/schema.ts'
import { type Database, newConnection } from './database.ts'
import { type Answer, type Request, requireJson, text } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { BadArguments, type Callee, encodeArguments } from './json-arguments.ts'
import { fatalError } from './publishing.ts'
import { stringify, valueJson } from './sats-json.ts'
import type { Bearer } from './tokens.ts'

/** Answers a call of a reducer or procedure. Throws HttpError. */
export function callFunction(database: Database, name: string, request: Request, bearer: Bearer): Promise<Answer> {
  requireJson(request.contentType)
  if (database.record.program.module.kind === 'js')
    throw new HttpError(501, `the embedded server does not run JavaScript modules: \`${name}\` was not called`)
  return withConnection(database, bearer, async (connection) => {
    const { schema } = database.record.program
    const { callee, id, returnType } = findFunction(schema, name, database.record.owner === bearer.identity)
    const args = argumentsOf(request.body.toString(), callee, schema)
    const { outcome, micros } = await database.call(callee.kind, id, bearer, connection, args)
    if (callee.kind === 'reducer')
      database.record.statistics.countTransaction('Reducer', name, outcome.kind === 'returned')
    const headers = {
      'spacetime-execution-duration-micros': String(micros),
      ...(callee.kind === 'reducer' && { 'spacetime-energy-used': '0' })
    }
    if (outcome.kind === 'returned' && returnType !== undefined) {
      const value = decode(valueCodec(returnType, schema.typespace), outcome.bytes)
      const body = stringify(valueJson(value, returnType, schema.typespace))
      return { status: 200, contentType: 'application/json', headers, body }
    }
    if (outcome.kind === 'returned') return { ...text(''), headers }
    const body = outcome.kind === 'failed' ? outcome.message : fatalError
    return { ...text(body), status: callee.kind === 'reducer' ? 530 : 500, headers }
  })
}

/** Answers a statement of SQL. */
export function runStatement(database: Database, sql: string, bearer: Bearer): Promise<Answer> {
  return withConnection(database, bearer, async (connection) => {
    const { status, body, micros } = await database.sql(sql, bearer, connection)
    if (status !== 200) return { ...text(body), status }
    const headers = { 'spacetime-execution-duration-micros': String(micros) }
    return { status, contentType: 'application/json', headers, body }
  })
}

/** Does something between the module's `client_connected`, which may refuse it (403), and `client_disconnected`. */
function withConnection(
  database: Database,
  bearer: Bearer,
  run: (connection: Uint8Array) => Promise<Answer>
): Promise<Answer> {
  return database.exclusively(async () => {
    const connection = newConnection()
    const tell = (event: LifecycleReducer['event']) => runLifecycle(database, event, bearer, connection)
    const refusal = await tell('client_connected')
    const { statistics } = database.record
    statistics.countTransaction('Reducer', 'call_identity_connected', refusal === undefined)
    if (refusal !== undefined) throw new HttpError(403, refusal)
    try {
      return await run(connection)
    } finally {
      await tell('client_disconnected')
      statistics.countTransaction('Reducer', '__identity_disconnected__', true)
    }
  })
}

/** Why the module's reducer for the event, if it has one, failed. */
async function runLifecycle(
  database: Database,
  event: LifecycleReducer['event'],
  bearer: Bearer,
  connection: Uint8Array
): Promise<string | undefined> {
  const { schema, module } = database.record.program
  const found = schema.lifecycle.find((entry) => entry.event === event)
  if (found === undefined || module.kind === 'js') return undefined
  const id = schema.reducers.findIndex(({ name }) => name === found.reducer)
  const { outcome } = await database.call('reducer', id, bearer, connection, new Uint8Array())
  if (outcome.kind === 'returned') return undefined
  return outcome.kind === 'failed' ? outcome.message : fatalError
}

function findFunction(schema: Schema, name: string, isOwner: boolean) {
  const special = schema.lifecycle.find(({ reducer }) => reducer === name)
  if (special !== undefined)
    throw new HttpError(400, `can't directly call special ${lifecycleNames[special.event]} lifecycle reducer`)
  const isCallable = (entry: { name: string; visibility: string }) =>
    entry.name === name && (isOwner || entry.visibility === 'client')
  const reducer = schema.reducers.findIndex(isCallable)
  const procedure = schema.procedures.findIndex(isCallable)
  const found = schema.reducers[reducer] ?? schema.procedures[procedure]
  if (found === undefined) throw new HttpError(404, 'No such procedure')
  const kind = reducer >= 0 ? ('reducer' as const) : ('procedure' as const)
  const callee: Callee = { kind, name, parameters: found.parameters }
  return { callee, id: reducer >= 0 ? reducer : procedure, returnType: schema.procedures[procedure]?.returnType }
}

const lifecycleNames = { init: 'Init', client_connected: 'OnConnect', client_disconnected: 'OnDisconnect' }

function argumentsOf(json: string, callee: Callee, { typespace }: Schema): Uint8Array {
  try {
    return encodeArguments(json, callee, typespace)
  } catch (error) {
    if (error instanceof BadArguments) throw new HttpError(400, error.message)
    throw error
  }
}
