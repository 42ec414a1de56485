import { stringify } from 'lossless-json'
import { isServersOwn, reasonIn } from './answers.ts'
import { databasePath, saysNothingThere } from './database.ts'
import type { Limits } from './limits.ts'
import type { CallAnswer } from './server.ts'
import type { Question, Session } from './session.ts'
import { parseWithBigIntegers } from './sql-answer.ts'
import type { Answer } from './transport.ts'

export type FunctionCall = {
  readonly database: string
  readonly reducer: string
  /** In the reducer's order; bigints are written as JSON integers. */
  readonly args: readonly unknown[]
  /** In milliseconds. */
  readonly timeout: number | undefined
}

/** What the server takes as the body of a call, in bytes (docs/server-behaviour.md, "Calls"). */
const longestArguments = 2 * 1024 * 1024

/**
 * Calls a reducer or procedure, with one request: it may have been carried out although no answer came, and then a
 * `ServerFailure` is thrown, as it is when there is no such database or the token is refused.
 */
export async function callFunction(session: Session, limits: Limits, call: FunctionCall): Promise<CallAnswer> {
  const question = callQuestion(limits, call)
  const tooLong = objectionTo(question.body)
  if (tooLong !== undefined) return tooLong
  const outcome = await session.sendOnce(question)
  if (outcome.kind !== 'answered') throw outcome.failure
  return judgeCall(session, question, call.database, outcome.answer)
}

/** The request that a call is. */
export function callQuestion(limits: Limits, call: FunctionCall): CallQuestion {
  return {
    purpose: `call "${call.reducer}" of "${call.database}"`,
    method: 'POST',
    path: `${databasePath(call.database)}/call/${encodeURIComponent(call.reducer)}`,
    body: new TextEncoder().encode(stringify(call.args) ?? '[]'),
    // Exactly this: with a charset the server answers 415.
    contentType: 'application/json',
    ...limits.call,
    ...(call.timeout !== undefined && { timeout: call.timeout, timeoutInput: undefined })
  }
}

export type CallQuestion = Question & { readonly body: Uint8Array; readonly contentType: string }

/** What the server would answer to more than it takes. */
export function objectionTo(body: Uint8Array): CallAnswer | undefined {
  if (body.length <= longestArguments) return undefined
  const reason = `The arguments have ${body.length} bytes; ${longestArguments} are allowed.`
  return { kind: 'rejected', status: 413, reason }
}

/** What an answer to a call says. Throws a `ServerFailure` where that is nothing about the call. */
export function judgeCall(session: Session, question: Question, database: string, answer: Answer): CallAnswer {
  if (answer.status === 200) return committed(session, question, answer)
  // Cloudflare has a 530 too, for a server that it can't reach; that one is no reducer's.
  if (!isServersOwn(answer) || answer.status === 401) throw session.failure(question, answer)
  if (answer.status === 530 || isPanicOfProcedure(answer)) {
    return { kind: 'failed', reason: session.redact(reasonIn(answer)) }
  }
  if (answer.status >= 500 || saysNothingThere(answer, database)) throw session.failure(question, answer)
  return { kind: 'rejected', status: answer.status, reason: session.redact(reasonIn(answer)) }
}

/**
 * A server that is in trouble itself answers 500 as well, with another text (docs/server-behaviour.md, "Calls").
 */
function isPanicOfProcedure({ status, body }: Answer): boolean {
  return status === 500 && body.startsWith('The module instance encountered a fatal error')
}

function committed(session: Session, question: Question, answer: Answer): CallAnswer {
  const micros = Number(answer.headers['spacetime-execution-duration-micros'] ?? Number.NaN)
  return {
    kind: 'ok',
    value: valueIn(session, question, answer),
    ...(Number.isFinite(micros) && { durationMicros: micros })
  }
}

/** A reducer answers nothing, a procedure JSON. */
function valueIn(session: Session, question: Question, answer: Answer): unknown {
  if (answer.body === '') return undefined
  try {
    return parseWithBigIntegers(answer.body)
  } catch {
    throw session.unexpected(question, answer, 'it was carried out, but what it returned is not JSON.')
  }
}
