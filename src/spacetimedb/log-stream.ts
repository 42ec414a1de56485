import { logLineAnswer } from './answers.ts'
import { databasePath } from './database.ts'
import { isItSpacetimeDb } from './failures.ts'
import type { Limits } from './limits.ts'
import type { LogLine, LogOptions } from './server.ts'
import type { Question, Session } from './session.ts'
import type { Answer } from './transport.ts'

/**
 * The last lines of a database's log, and with `follow` those to come, until the signal is aborted. Throws a
 * `ServerFailure` when it can't begin or breaks off.
 */
export async function* readLogs(
  session: Session,
  limits: Limits,
  database: string,
  { lines, follow, signal }: LogOptions
): AsyncGenerator<LogLine> {
  const question: Question = {
    purpose: `read the logs of "${database}"`,
    method: 'GET',
    path: `${databasePath(database)}/logs?num_lines=${lines}${follow ? '&follow=true' : ''}`,
    longestAnswer: 256 * 1024 * 1024,
    ...limits.read
  }
  try {
    yield* logLines(follow ? followed(session, question, signal) : whole(session, question))
  } catch (failure) {
    if (!signal?.aborted) throw failure
  }
}

async function* whole(session: Session, question: Question): AsyncGenerator<Uint8Array> {
  const answer = await session.ask(question)
  insistOnLog(session, question, answer)
  yield new TextEncoder().encode(answer.body)
}

async function* followed(session: Session, question: Question, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
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

async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest + decoder.decode()
}

function parseLine(text: string): LogLine | undefined {
  try {
    return logLineAnswer.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
