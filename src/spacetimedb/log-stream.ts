import { AnswerTooLong } from './answer-body.ts'
import { logLineAnswer } from './answers.ts'
import { databasePath } from './database.ts'
import { isItSpacetimeDb } from './failures.ts'
import type { Limits } from './limits.ts'
import type { LogLine, LogOptions } from './server.ts'
import type { Question, Session } from './session.ts'
import { textLines } from './text-lines.ts'
import type { Answer } from './transport.ts'

/**
 * The last lines of a database's log, until the signal is aborted. They are given as they arrive, so a log of any length
 * can be read. Throws a `ServerFailure` when it can't begin or breaks off.
 */
export async function* readLogs(
  session: Session,
  limits: Limits,
  database: string,
  options: LogOptions
): AsyncGenerator<LogLine> {
  const question = questionFor(limits, database, options)
  const { signal } = options
  try {
    yield* logLines(bytesOf(session, question, signal))
  } catch (cause) {
    if (signal?.aborted) return
    throw cause instanceof AnswerTooLong ? session.broken(question, cause) : cause
  }
}

function questionFor(limits: Limits, database: string, { lines }: LogOptions): Question {
  const query = lines === undefined ? '' : `?num_lines=${lines}`
  return {
    purpose: `read the logs of "${database}"`,
    method: 'GET',
    path: `${databasePath(database)}/logs${query}`,
    ...limits.read,
    beginsWithBody: true,
    idleTimeout: limits.read.timeout
  }
}

async function* bytesOf(session: Session, question: Question, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const result = await session.stream(question, signal)
  insistOnLog(session, question, result.answer)
  if (result.kind !== 'streaming') return
  try {
    yield* result.chunks
  } catch (cause) {
    throw session.broken(question, cause)
  }
}

function insistOnLog(session: Session, question: Question, answer: Answer): void {
  if (answer.status !== 200) throw session.failure(question, answer)
  if (/json/i.test(answer.headers['content-type'] ?? '')) return
  throw session.unexpected(question, answer, `the answer is no log. ${isItSpacetimeDb}`)
}

/**
 * The lines in chunks of newline-delimited JSON, wherever the chunks are cut. A line that is no JSON is left out: a
 * server that died while it wrote leaves such.
 */
export async function* logLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  for await (const text of textLines(chunks)) {
    const line = parseLine(text)
    if (line !== undefined) yield line
  }
}

function parseLine(text: string): LogLine | undefined {
  try {
    return logLineAnswer.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
