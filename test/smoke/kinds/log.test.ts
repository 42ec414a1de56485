import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

test('100,000 lines are read in seconds, and not kept', async () => {
  const count = 100_000
  const begin = BigInt(Date.now()) * 1000n
  const line = (at: number) =>
    `${JSON.stringify({ level: at % 1000 === 0 ? 'Error' : 'Info', ts: Number(begin) + at, target: 'game', filename: 'src/lib.rs', line_number: 7, message: `tick ${at} ${'x'.repeat(200)}` })}\n`
  const memory: number[] = []
  const server = createServer(async (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'spacetime-identity': 'x' })
    for (let at = 0; at < count; at += 1000) {
      const chunk = Array.from({ length: 1000 }, (_, next) => line(at + next)).join('')
      if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
      if (at % 20_000 === 10_000) memory.push(heapInUse())
    }
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const since: LogMark = { after: begin, what: 'start' }
    const place = await placeOf(world, await world.shared('counter'), { url, since })
    const check = checkOf('log', { log: { below: 'warn', with: 'tick 99999' }, timeout: '20s' })
    const finding = await tryOnce(runLog, check, place)
    expect(finding).toEqual({
      kind: 'failed',
      expected: 'no line of level warn or worse',
      actual: expect.stringMatching(
        /^99 of 99999 lines since the checks began: Error "tick 1000 x+…" \(src\/lib.rs:7\); .*; and 96 more$/
      ),
      final: true
    })
    // The lines together have 30 MB.
    expect(Math.max(...memory) - Math.min(...memory)).toBeLessThan(5 * 1024 * 1024)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

/** Bytes, without garbage. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
