import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import { runLog } from '../../../src/smoke/kinds/log.ts'
import type { CheckPlace, LogMark } from '../../../src/smoke/place.ts'
import { startProxy } from '../../faults/proxy.ts'
import { call, prepareWorld } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

type Written = Readonly<Record<string, unknown>>

async function log(database: string, written: Written, others: Partial<CheckPlace> = {}) {
  return tryOnce(runLog, checkOf('log', { log: written }), await placeOf(world, database, others))
}

/** The end of the log as it is now. */
async function markAt(database: string): Promise<LogMark> {
  let after = 0n
  for await (const { timestamp } of world.owner.client.logs(database, {})) after = timestamp
  return { after, what: 'publish' }
}

describe('the log since the mark', () => {
  test.each<[Written]>([
    [{ below: 'warn' }],
    [{ below: 'panic' }],
    [{ without: 'unhealthy' }],
    [{ with: '^counter v\\d initialised$' }],
    [{ below: 'error', without: 'nothing like it', with: 'initialised' }]
  ])('is as it should be: %j', async (written) => {
    expect(await log(await world.shared('counter'), written)).toEqual({
      kind: 'passed',
      detail: expect.stringMatching(/^\d+ lines since the checks began$/)
    })
  })

  test('a level that should not be, a pattern that should not be, one that is missing', async () => {
    const name = await world.create('counter-panics')
    await call(world.owner, name, 'health_check', [])
    expect(await log(name, { below: 'error' })).toEqual({
      kind: 'failed',
      expected: 'no line of level error or worse',
      actual: expect.stringMatching(
        /^\d of \d+ lines since the checks began: .*Panic "health_check panicked on purpose/
      ),
      final: true
    })
    expect(await log(name, { below: 'panic' })).toMatchObject({ expected: 'no line of level panic' })
    expect(await log(name, { without: 'on purpose \\(\\d rows' })).toMatchObject({
      expected: 'no line that matches /on purpose \\(\\d rows/',
      actual: expect.stringMatching(/^1 of \d+ lines/),
      final: true
    })
    expect(await log(name, { with: 'never said' })).toEqual({
      kind: 'failed',
      expected: 'a line that matches /never said/',
      actual: expect.stringMatching(/^none of \d+ lines since the checks began$/)
    })
  })

  test('lines of before do not count', async () => {
    const name = await world.create('counter-panics')
    await call(world.owner, name, 'health_check', [])
    const since = await markAt(name)
    expect(await log(name, { below: 'debug' }, { since })).toEqual({
      kind: 'passed',
      detail: '0 lines since the publish'
    })
    await call(world.owner, name, 'health_check', [])
    expect(await log(name, { below: 'panic' }, { since })).toMatchObject({
      kind: 'failed',
      actual: expect.stringContaining('since the publish: Panic "health_check')
    })
  })

  test('is the owner’s', async () => {
    const name = await world.shared('counter')
    const check = checkOf('log', { log: { below: 'error' }, as: 'anonymous' })
    expect(await tryOnce(runLog, check, await placeOf(world, name))).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining('Only the owner of a database may do this'),
      final: true
    })
  })

  test('a day that has ended since is told of', async () => {
    const name = await world.shared('counter')
    const since: LogMark = { after: BigInt(Date.now() - 86_400_000) * 1000n, what: 'publish' }
    expect(await log(name, { with: 'initialised' }, { since })).toMatchObject({
      detail: expect.stringContaining('from midnight UTC on')
    })
  })

  test('an answer that breaks off has failed, one that never comes too', async () => {
    const proxy = await startProxy(world.url)
    try {
      const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
      const check = checkOf('log', { log: { with: 'initialised' }, timeout: '2s' })
      proxy.inject({ match: { path: /logs/, nth: 1 }, fault: { kind: 'cut' } })
      expect(await tryOnce(runLog, check, place)).toMatchObject({ kind: 'failed', expected: 'an answer' })
      proxy.inject({ match: { path: /logs/ }, fault: { kind: 'hang' } })
      expect(await tryOnce(runLog, check, place)).toEqual({
        kind: 'failed',
        expected: 'an answer within 2s',
        actual: 'none'
      })
    } finally {
      await proxy.close()
    }
  })
})

test('levels, from the harmless to the worst; one that is not known counts as the worst', async () => {
  const levels = ['Trace', 'Debug', 'Info', 'Warn', 'Error', 'Panic', 'Doom']
  const lines = levels.map((level, at) => `${JSON.stringify({ level, ts: 1 + at, message: level })}\n`)
  const proxy = await startProxy(world.url)
  try {
    const headers = { 'content-type': 'application/x-ndjson' }
    proxy.inject({ match: { path: /logs/ }, fault: { kind: 'answer', status: 200, headers, body: lines.join('') } })
    const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
    for (const [at, below] of ['debug', 'info', 'warn', 'error', 'panic'].entries()) {
      const finding = await tryOnce(runLog, checkOf('log', { log: { below } }), place)
      const worse = levels.slice(at + 1)
      expect(finding).toMatchObject({
        actual: expect.stringMatching(new RegExp(`^${worse.length} of 7 .*: ${worse[0]} `))
      })
    }
  } finally {
    await proxy.close()
  }
})

describe('a long log', () => {
  const count = 100_000
  const begin = BigInt(Date.now()) * 1000n

  /** A server with a log of 30 MB, which gives as many of the newest lines as it is asked for. */
  async function withLongLog(
    test: (url: string) => Promise<void>,
    { linesPause = 0, onChunk = () => {} }: { linesPause?: number; onChunk?: (at: number) => void } = {}
  ): Promise<(string | null)[]> {
    const asked: (string | null)[] = []
    const server = createServer(async (request, response) => {
      const lines = new URL(request.url ?? '', 'http://localhost').searchParams.get('num_lines')
      asked.push(lines)
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'spacetime-identity': 'x' })
      for (let at = count - Math.min(count, Number(lines ?? count)); at < count; at += 1000) {
        const chunk = Array.from({ length: 1000 }, (_, next) => line(at + next)).join('')
        if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
        if (linesPause > 0) await setTimeout(linesPause)
        onChunk(at)
      }
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    } finally {
      server.close()
      server.closeAllConnections()
    }
    return asked
  }

  const line = (at: number) =>
    `${JSON.stringify({ level: at % 1000 === 0 ? 'Error' : 'Info', ts: Number(begin) + at, target: 'game', filename: 'src/lib.rs', line_number: 7, message: `tick ${at} ${'x'.repeat(200)}` })}\n`

  const markAfter = (at: number): LogMark => ({ after: begin + BigInt(at), what: 'start' })

  test('is read back to the mark, and no further', async () => {
    const asked = await withLongLog(async (url) => {
      const place = await placeOf(world, await world.shared('counter'), { url, since: markAfter(count - 501) })
      const check = checkOf('log', { log: { below: 'error', with: 'tick 99999' } })
      expect(await tryOnce(runLog, check, place)).toEqual({
        kind: 'passed',
        detail: '500 lines since the checks began'
      })
      const further = { ...place, since: markAfter(count - 2001) }
      expect(await tryOnce(runLog, checkOf('log', { log: { below: 'panic' } }), further)).toEqual({
        kind: 'passed',
        detail: '2000 lines since the checks began'
      })
    })
    expect(asked).toEqual(['1000', '1000', '10000'])
  })

  test('that can not be read in time says how far it was read, and what was found so far', async () => {
    await withLongLog(
      async (url) => {
        const place = await placeOf(world, await world.shared('counter'), { url, since: markAfter(-1) })
        const written = { timeout: '1500ms' }
        expect(await tryOnce(runLog, checkOf('log', { log: { with: 'never' }, ...written }), place)).toEqual({
          kind: 'failed',
          expected: 'the end of the log within 1500ms',
          actual: expect.stringMatching(
            /^still reading after \d+ lines since the checks began: give this check a longer `timeout`$/
          )
        })
        expect(await tryOnce(runLog, checkOf('log', { log: { below: 'error' }, ...written }), place)).toMatchObject({
          kind: 'failed',
          expected: 'no line of level error or worse',
          actual: expect.stringContaining('Error "tick '),
          final: true
        })
      },
      { linesPause: 100 }
    )
  }, 20_000)

  test('is read in seconds, and not kept', async () => {
    const memory: number[] = []
    await withLongLog(
      async (url) => {
        const place = await placeOf(world, await world.shared('counter'), { url, since: markAfter(1) })
        const check = checkOf('log', { log: { below: 'warn', with: 'tick 99999' }, timeout: '100s' })
        expect(await tryOnce(runLog, check, place)).toEqual({
          kind: 'failed',
          expected: 'no line of level warn or worse',
          actual: expect.stringMatching(
            /^99 of 99998 lines since the checks began: Error "tick 1000 x+…" \(src\/lib.rs:7\); .*; and 96 more$/
          ),
          final: true
        })
      },
      { onChunk: (at) => at % 20_000 === 10_000 && memory.push(heapInUse()) }
    )
    // The lines together have 30 MB.
    expect(Math.max(...memory) - Math.min(...memory)).toBeLessThan(5 * 1024 * 1024)
  }, 120_000)
})

/** Bytes, without garbage. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
