import { AnswerTooLong } from './answer-body.ts'

/** In characters. */
const longestLine = 16 * 1024 * 1024

/**
 * The lines of a text in UTF-8, wherever its chunks are cut; what follows the last newline too. Throws `AnswerTooLong`
 * for a line of more than 16 Mi characters.
 */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) throw new AnswerTooLong(`a line is longer than ${longestLine} characters`)
    yield* lines
  }
  yield rest + decoder.decode()
}
