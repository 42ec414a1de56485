import { describe, expect, test } from '@jest/globals'
import { findLogMark } from '../../src/smoke/log-mark.ts'
import { type LogLine, type Server, ServerFailure } from '../../src/spacetimedb/server.ts'
import { turnedClock } from './model-place.ts'

const servers = (timestamp: number, message: string, by = '__spacetimedb__'): LogLine => ({
  level: 'Info',
  timestamp: BigInt(timestamp),
  message,
  target: '__spacetimedb__',
  function: by
})

const many = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) => servers(from + index, 'Database updated', 'add'))

function serverOf(log: readonly LogLine[], asked: unknown[] = []): Pick<Server, 'logs'> {
  return {
    async *logs(_, { lines = log.length }) {
      asked.push(lines)
      yield* log.slice(-lines)
    }
  }
}

const clock = () => turnedClock()

describe('the mark of the newest publish', () => {
  const updates = [
    servers(10, 'Creating table `a`'),
    servers(11, 'Database initialized'),
    servers(20, 'Updated program to 1'),
    servers(21, 'Database update failed: rows'),
    servers(30, 'Updated program to 2'),
    servers(31, 'Database updated')
  ]

  test('is found behind many lines, and not taken from a line of the module', async () => {
    const asked: unknown[] = []
    const log = [...updates, ...many(1500, 40)]
    expect(await findLogMark(serverOf(log, asked), 'a', { clock: clock() })).toEqual({ after: 29n, what: 'publish' })
    expect(asked).toEqual([1000, 10_000])
  })

  test('is not looked for in older lines than it needs', async () => {
    const asked: unknown[] = []
    const log = [...many(5000, -6000), ...updates, ...many(100, 40)]
    expect(await findLogMark(serverOf(log, asked), 'a', { clock: clock() })).toEqual({ after: 29n, what: 'publish' })
    expect(asked).toEqual([1000])
  })

  test('of a first publish takes in all of it, however much it logged', async () => {
    const log = [...many(1800, -2000), servers(11, 'Database initialized'), ...many(100, 40)]
    expect(await findLogMark(serverOf(log), 'a', { clock: clock() })).toEqual({ after: -2001n, what: 'publish' })
  })

  test('is the newest line where there was none', async () => {
    expect(await findLogMark(serverOf(many(1500, 40)), 'a', { clock: clock() })).toEqual({
      after: 1539n,
      what: 'start'
    })
  })

  test('is the newest line where it lies too far back to be found in time', async () => {
    const turned = clock()
    const log = many(50_000, 40)
    const slow: Pick<Server, 'logs'> = {
      async *logs(_, { lines = log.length, signal }) {
        for (const [at, line] of log.slice(-lines).entries()) {
          if (at % 1000 === 0) await turned.sleep(2000, signal)
          if (signal?.aborted) return
          yield line
        }
      }
    }
    const mark = await turned.turnUntil(findLogMark(slow, 'a', { clock: turned }))
    expect(mark).toEqual({ after: 50_039n, what: 'start' })
    expect(turned.now()).toBeLessThanOrEqual(30_000)
  })
})

describe.each(['publish', 'start'] as const)('where the log can’t be read, the mark from the %s on', (from) => {
  function failing(failure: (tries: number) => ServerFailure | undefined): Pick<Server, 'logs'> {
    let tries = 0
    return {
      async *logs() {
        const thrown = failure(++tries)
        if (thrown !== undefined) throw thrown
        yield servers(30, 'Updated program to 2')
        yield servers(31, 'Database updated')
      }
    }
  }

  test('is the beginning for one who may not read it', async () => {
    const server = failing(() => new ServerFailure('forbidden', 'not yours'))
    expect(await findLogMark(server, 'a', { from, clock: clock() })).toEqual({ after: 0n, what: 'start' })
  })

  test.each(['unauthorized', 'server-error', 'interrupted'] as const)(
    'is asked for again, and is no other one: %s',
    async (kind) => {
      const turned = clock()
      const server = failing((tries) => (tries < 4 ? new ServerFailure(kind, `it is ${kind}`) : undefined))
      const mark = await turned.turnUntil(findLogMark(server, 'a', { from, clock: turned }))
      expect(mark).toEqual(from === 'publish' ? { after: 29n, what: 'publish' } : { after: 31n, what: 'start' })
      const never = failing(() => new ServerFailure(kind, `it is ${kind}`))
      const again = clock()
      await expect(again.turnUntil(findLogMark(never, 'a', { from, clock: again }))).rejects.toThrow(`it is ${kind}`)
      expect(again.now()).toBeLessThanOrEqual(30_000)
    }
  )

  test('ends with an error when no answer comes', async () => {
    const turned = clock()
    const silent: Pick<Server, 'logs'> = {
      async *logs(_, { signal }) {
        await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      }
    }
    await expect(turned.turnUntil(findLogMark(silent, 'a', { from, clock: turned }))).rejects.toThrow(
      'The log of "a" could not be read within 30s'
    )
  })
})
