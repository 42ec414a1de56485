import { messageOf } from '../errors.ts'
import { hashModule, moduleHashFromU256 } from '../module/hash.ts'
import type { Module, ModuleKind } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { schemaFromJson } from '../module/schema-json.ts'
import { liveAnswer, liveModuleAnswer } from './answers.ts'
import { databasePath, saysNothingThere } from './database.ts'
import type { Limits } from './limits.ts'
import { type LiveModule, ServerFailure } from './server.ts'
import type { Question, Session } from './session.ts'
import { parseWithBigIntegers } from './sql-answer.ts'
import type { Answer } from './transport.ts'

/**
 * Which module the database runs, from its system table `st_module`, which anyone may read. `initial_program` of
 * the database's description is no substitute: it never changes (docs/server-behaviour.md, "What is live").
 */
export async function readLive(session: Session, limits: Limits, database: string): Promise<LiveModule> {
  const question: Question = {
    ...sqlQuestion(`find out what "${database}" runs`, database, 'SELECT program_kind, program_hash FROM st_module'),
    ...limits.read
  }
  const answer = await askAnyhow(session, question, database)
  const [kind, hash] = session.parse(question, answer, liveAnswer)
  return { kind: moduleKind(session, question, answer, kind), hash: moduleHashFromU256(hash) }
}

/** The module that the database runs, byte by byte. Fails when the bytes don't have the hash that the server states. */
export async function readLiveModule(session: Session, limits: Limits, database: string): Promise<Module> {
  const statement = 'SELECT program_kind, program_hash, program_bytes FROM st_module'
  const question: Question = {
    ...sqlQuestion(`fetch the module that "${database}" runs`, database, statement),
    ...limits.liveModule,
    longestAnswer: 512 * 1024 * 1024
  }
  const answer = await askDatabase(session, question, database)
  const [number, u256, hex] = session.parse(question, answer, liveModuleAnswer)
  const kind = moduleKind(session, question, answer, number)
  const bytes = new Uint8Array(Buffer.from(hex.replace(/^0x/i, ''), 'hex'))
  const hash = hashModule(bytes)
  if (hash !== moduleHashFromU256(u256)) {
    const problem = `the ${bytes.length} bytes that came have hash ${hash}, but the server states ${moduleHashFromU256(u256)}.`
    throw session.unexpected(question, answer, problem)
  }
  return { kind, bytes, hash }
}

/** The schema that the database serves, in the newest form that the server knows. */
export async function readSchema(session: Session, limits: Limits, database: string): Promise<Schema> {
  const questionFor = (version: 9 | 10): Question => ({
    purpose: `read the schema of "${database}"`,
    method: 'GET',
    path: `${databasePath(database)}/schema?version=${version}`,
    ...limits.read
  })
  const newest = await session.ask(questionFor(10))
  // Servers before 2.0 refuse the number 10 with 400.
  const answer = newest.status === 400 ? await session.ask(questionFor(9)) : newest
  insistOnDatabase(session, questionFor(10), database, answer)
  try {
    return schemaFromJson(parseWithBigIntegers(answer.body))
  } catch (error) {
    throw session.unexpected(questionFor(10), answer, `${messageOf(error)}.`)
  }
}

function sqlQuestion(purpose: string, database: string, statement: string) {
  return { purpose, method: 'POST', path: `${databasePath(database)}/sql`, body: statement, connects: true } as const
}

/** Anyone may ask this: when our token is refused, or none can be had, it is asked without one. */
async function askAnyhow(session: Session, question: Question, database: string): Promise<Answer> {
  try {
    return await askDatabase(session, question, database)
  } catch (failure) {
    if (failure instanceof ServerFailure && failure.kind !== 'unauthorized') throw failure
    return askDatabase(session, { ...question, anonymous: true }, database)
  }
}

async function askDatabase(session: Session, question: Question, database: string): Promise<Answer> {
  const answer = await session.ask(question)
  insistOnDatabase(session, question, database, answer)
  return answer
}

function insistOnDatabase(session: Session, question: Question, database: string, answer: Answer): void {
  if (answer.status === 200) return
  if (answer.status === 404 && !saysNothingThere(answer, database)) {
    throw session.unexpected(question, answer, 'it says "not found" (404), but not that the database is missing.')
  }
  throw session.failure(question, answer)
}

/** `program_kind` of `st_module`. */
const moduleKinds: ReadonlyMap<number, ModuleKind> = new Map([
  [0, 'wasm'],
  [1, 'js']
])

function moduleKind(session: Session, question: Question, answer: Answer, number: number): ModuleKind {
  const kind = moduleKinds.get(number)
  if (kind !== undefined) return kind
  throw session.unexpected(question, answer, `the module is of kind ${number}, neither 0 (Wasm) nor 1 (JavaScript).`)
}
