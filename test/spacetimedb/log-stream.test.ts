import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { logLines } from '../../src/spacetimedb/log-stream.ts'
import { all } from './all.ts'

const line = fc.record({
  level: fc.constantFrom('Trace', 'Debug', 'Info', 'Warn', 'Error', 'Panic'),
  ts: fc.integer({ min: 0, max: 2 ** 52 }),
  message: fc.string({ unit: 'grapheme' }),
  trace: fc.jsonValue()
})

async function* chunked(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  let start = 0
  for (const end of ends) {
    yield bytes.subarray(start, end)
    start = end
  }
}

describe('newline-delimited JSON', () => {
  test('gives the same lines wherever it is cut, in the middle of a character too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), fc.boolean(), async (lines, cuts, ended) => {
        const text = lines.map((each) => JSON.stringify(each)).join('\n') + (ended ? '\n' : '')
        const found = await all(logLines(chunked(new TextEncoder().encode(text), cuts)))
        expect(found).toEqual(lines.map(({ level, ts, message }) => ({ level, timestamp: BigInt(ts), message })))
      })
    )
  })

  test('a line that is broken is left out, also the last', async () => {
    const text = '{"level":"Info","ts":1,"mess\n{"level":"Warn","ts":2,"message":"m"}\n\n[]\n{"level":"In'
    expect(await all(logLines(chunked(new TextEncoder().encode(text), [])))).toEqual([
      { level: 'Warn', timestamp: 2n, message: 'm' }
    ])
  })

  test('optional parts are kept where they are', async () => {
    const text = '{"level":"Info","ts":1,"message":"m","target":"t","filename":"f","line_number":7,"function":null}'
    expect(await all(logLines(chunked(new TextEncoder().encode(text), [])))).toEqual([
      { level: 'Info', timestamp: 1n, message: 'm', target: 't', file: 'f', line: 7 }
    ])
  })
})
