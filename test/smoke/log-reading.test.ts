import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { LinesSince, type LogPosition, positionOf, readBack } from '../../src/smoke/log-reading.ts'
import type { LogLine, Server } from '../../src/spacetimedb/server.ts'

const line = (timestamp: number, message = ''): LogLine => ({ level: 'Info', timestamp: BigInt(timestamp), message })

function serverOf(log: readonly LogLine[], asked: unknown[] = []): Pick<Server, 'logs'> {
  return {
    async *logs(_, { lines = log.length }) {
      asked.push(lines)
      yield* log.slice(-lines)
    }
  }
}

async function linesSince(log: readonly LogLine[], since: LogPosition, asked: unknown[] = []) {
  let messages: string[] = []
  let reader = new LinesSince(since, [])
  const end = await readBack(serverOf(log, asked), 'game', () => {
    messages = []
    const into = messages
    reader = new LinesSince(since, [{ see: ({ message }) => into.push(message) }])
    return reader
  })
  return { end, messages, newest: reader.newest, oldest: reader.oldest }
}

describe('the lines since a position', () => {
  const log = (count: number) => Array.from({ length: count }, (_, index) => line(index + 1, `${index + 1}`))

  test.each([
    [100, 90, [1000], 'enough'],
    [5000, 4990, [1000], 'enough'],
    [5000, 2000, [1000, 10_000], 'enough'],
    [50_000, 20_000, [1000, 10_000, 100_000], 'enough'],
    [5000, 0, [1000, 10_000], 'all']
  ])('of a log of %d, after line %d, are found by asking for %j lines', async (count, after, asked, end) => {
    const seen: unknown[] = []
    const found = await linesSince(log(count), positionOf({ after: BigInt(after), what: 'start' }), seen)
    expect(found.messages).toHaveLength(count - after)
    expect(found.messages[0]).toBe(`${after + 1}`)
    expect(found.end).toBe(end)
    expect(seen).toEqual(asked)
  })

  test('are asked for again where some lines of the answer could not be read', async () => {
    const seen: unknown[] = []
    const torn: Pick<Server, 'logs'> = {
      async *logs(database, options) {
        let at = 0
        for await (const each of serverOf(log(3000), seen).logs(database, options)) if (at++ % 100 !== 7) yield each
      }
    }
    await readBack(torn, 'game', () => new LinesSince(positionOf({ after: 500n, what: 'start' }), []))
    expect(seen).toEqual([1000, 10_000])
  })

  test('come once each, from one reading to the next, whichever have the same timestamp', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 60 }), async (steps) => {
        const written: LogLine[] = [line(10)]
        const seen: string[] = []
        let position: LogPosition = { timestamp: 10n, lines: 1 }
        let now = 10
        const readOn = async () => {
          const { messages, newest, oldest } = await linesSince(written, position)
          expect(oldest).toBe(10n)
          seen.push(...messages)
          position = newest
        }
        for (const [index, [step, looks]] of steps.entries()) {
          now += step
          written.push(line(now, `${index}`))
          if (looks) await readOn()
        }
        await readOn()
        expect(seen).toEqual(steps.map((_, index) => `${index}`))
      }),
      { numRuns: 200 }
    )
  })

  test('are all that there are where the log has begun anew, which is told', async () => {
    const found = await linesSince([line(20, 'a'), line(21, 'b')], { timestamp: 15n, lines: 1 })
    expect(found).toMatchObject({ end: 'all', messages: ['a', 'b'], oldest: 20n })
    const quiet = await linesSince([], { timestamp: 15n, lines: 1 })
    expect(quiet).toMatchObject({ messages: [], newest: { timestamp: 15n, lines: 1 } })
  })

  test('are no longer asked for once the signal is aborted', async () => {
    const stop = new AbortController()
    const asked: unknown[] = []
    const end = await readBack(
      serverOf(log(5000), asked),
      'game',
      () => {
        stop.abort()
        return new LinesSince(positionOf({ after: 0n, what: 'start' }), [])
      },
      stop.signal
    )
    expect(end).toBe('cut')
    expect(asked).toEqual([1000])
  })
})
