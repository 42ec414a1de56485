import type { IncomingMessage } from 'node:http'
import { DeadlineExceeded } from './attempt.ts'
import type { Answer } from './transport.ts'

/** The answer has more bytes than the caller would take. */
export class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong'
}

/** The body, once its first bytes are there. */
export async function begun(message: IncomingMessage): Promise<AsyncIterable<Uint8Array>> {
  const chunks: AsyncIterator<Uint8Array> = message[Symbol.asyncIterator]()
  const first = await chunks.next()
  return continued(first, chunks)
}

async function* continued(
  first: IteratorResult<Uint8Array>,
  chunks: AsyncIterator<Uint8Array>
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; !next.done; next = await chunks.next()) yield next.value
  } finally {
    await chunks.return?.()
  }
}

/** The chunks; `idle`, which ends the request, is aborted when none comes for that many milliseconds. */
export async function* withIdleLimit(
  chunks: AsyncIterable<Uint8Array>,
  milliseconds: number,
  idle: AbortController
): AsyncGenerator<Uint8Array> {
  const wait = () => setTimeout(() => idle.abort(new DeadlineExceeded(milliseconds)), milliseconds)
  let timer = wait()
  try {
    for await (const chunk of chunks) {
      clearTimeout(timer)
      yield chunk
      timer = wait()
    }
  } catch (cause) {
    throw idle.signal.aborted ? idle.signal.reason : cause
  } finally {
    clearTimeout(timer)
  }
}

/** The body as text. Throws `AnswerTooLong`. */
export async function readWhole(message: IncomingMessage, longest: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length > longest) throw new AnswerTooLong(`the answer is longer than ${longest} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An answer without its body. */
export function headOf(message: IncomingMessage): Omit<Answer, 'body'> {
  return { status: message.statusCode ?? 0, headers: message.headers }
}
