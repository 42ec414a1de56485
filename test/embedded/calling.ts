import { decode, valueCodec } from '../../src/module/bsatn.ts'
import type { Schema } from '../../src/module/schema.ts'
import { type Callable, type CallableProcedure, findProcedure, findReducer, LifecycleOnly } from './callable.ts'
import { connect, disconnect } from './connecting.ts'
import { type Database, fatalError, newConnection } from './database.ts'
import { type Answer, type Request, requireJson, text } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { BadArguments, type Callee, encodeArguments } from './json-arguments.ts'
import { stringify, valueJson } from './sats-json.ts'
import type { Bearer } from './tokens.ts'

/** Answers a call of a reducer or procedure. Throws HttpError. */
export function callFunction(database: Database, name: string, request: Request, bearer: Bearer): Promise<Answer> {
  requireJson(request.contentType)
  if (database.record.program.module.kind === 'js')
    throw new HttpError(501, `the embedded server does not run JavaScript modules: \`${name}\` was not called`)
  return withConnection(database, bearer, name, async (connection, onStart) => {
    const { program, statistics } = database.record
    const { schema } = program
    const found = findFunction(schema, name, database.record.owner === bearer.identity)
    const { callee, id } = found
    const returnType = 'returnType' in found ? found.returnType : undefined
    const argsText = request.body.toString()
    const args = argumentsOf(argsText, callee, schema)
    const { outcome, micros } = await database.call({
      kind: callee.kind,
      id,
      requester: bearer,
      connection,
      args,
      argsText,
      onStart
    })
    if (callee.kind === 'reducer') statistics.countTransaction('Reducer', name, outcome.kind === 'returned', micros)
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
    if (callee.kind === 'reducer') return { ...text(body), status: 530, headers }
    return { ...text(`The module instance encountered a fatal error: ${body}`), status: 500 }
  })
}

/** Answers a statement of SQL. */
export function runStatement(database: Database, sql: string, bearer: Bearer): Promise<Answer> {
  return withConnection(database, bearer, 'sql', async (connection) => {
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
  label: string,
  run: (connection: Uint8Array, onStart: () => void) => Promise<Answer>
): Promise<Answer> {
  return database.together(async (started) => {
    const connection = newConnection()
    const refusal = await connect(database, bearer, connection)
    if (refusal !== undefined) throw new HttpError(403, refusal)
    try {
      return await run(connection, started)
    } finally {
      await disconnect(database, bearer, connection)
    }
  }, label)
}

function findFunction(schema: Schema, name: string, isOwner: boolean): Callable | CallableProcedure {
  try {
    const found = findReducer(schema, name, isOwner) ?? findProcedure(schema, name, isOwner)
    if (found !== undefined) return found
  } catch (error) {
    if (error instanceof LifecycleOnly) throw new HttpError(400, error.message)
    throw error
  }
  throw new HttpError(404, 'No such procedure')
}

function argumentsOf(json: string, callee: Callee, { typespace }: Schema): Uint8Array {
  try {
    return encodeArguments(json, callee, typespace)
  } catch (error) {
    if (error instanceof BadArguments) throw new HttpError(400, error.message)
    throw error
  }
}
