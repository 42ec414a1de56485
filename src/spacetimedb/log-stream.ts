import { logLineAnswer } from './answers.ts'
import { databasePath } from './database.ts'
import type { Limits } from './limits.ts'
import type { LogLine, LogOptions } from './server.ts'
import type { Question, Session } from './session.ts'
import type { Stream } from './transport.ts'

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
    ...limits.read
  }
  if (signal?.aborted) return
  try {
    const { answer, body } = await session.stream(question, signal)
    if (answer.status !== 200) throw session.failure(question, { ...answer, body: await startOfText(body) })
    if (!/json/i.test(answer.headers['content-type'] ?? '')) {
      const start = { ...answer, body: await startOfText(body) }
      throw session.unexpected(question, start, 'the answer is no log. Is this a SpacetimeDB server?')
    }
    yield* logLines(unbroken(session, question, body))
  } catch (failure) {
    if (!signal?.aborted) throw failure
  }
}

type Body = Extract<Stream, { kind: 'answered' }>['body']

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

async function* unbroken(session: Session, question: Question, body: Body): Body {
  try {
    yield* body
  } catch (cause) {
    throw session.broken(question, cause)
  }
}

async function startOfText(body: Body): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > 2000) break
  }
  return text
}
