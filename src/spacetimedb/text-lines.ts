import { StringDecoder } from 'node:string_decoder'
import { AnswerTooLong } from './answer-body.ts'

/** In characters. */
const longestLine = 16 * 1024 * 1024

/**
 * The lines of a text in UTF-8, wherever its chunks are cut; what follows the last newline too. Throws `AnswerTooLong`
 * for a line of more than 16 Mi characters.
 */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let begun: string[] = []
  let length = 0
  for await (const chunk of chunks) {
    const [first = '', ...more] = decoder
      .write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      .split('\n')
    begun.push(first)
    length += first.length
    if (length > longestLine) throw new AnswerTooLong(`a line is longer than ${longestLine} characters`)
    const last = more.pop()
    if (last === undefined) continue
    yield begun.join('')
    yield* more
    begun = [last]
    length = last.length
  }
  yield begun.join('') + decoder.end()
}
