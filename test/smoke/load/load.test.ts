import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Finding } from '../../../src/smoke/check-report.ts'
import { runLoad } from '../../../src/smoke/kinds/load.ts'
import type { LoadFigures } from '../../../src/smoke/load-figures.ts'
import type { CheckPlace } from '../../../src/smoke/place.ts'
import { type Answering, ownHeaders, serve, type TestServer } from '../../spacetimedb/http-server.ts'
import { attempt, type CounterServer, checkOf, placeAt, someToken, startCounter } from './trial.ts'

function load(place: CheckPlace, written: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Finding> {
  const given = { load: 'increment_counter', args: [1], callers: 4, rate: 50, for: '500ms', ...written }
  return runLoad(checkOf('load', given), place, attempt(signal))
}

function figuresOf(finding: Finding): LoadFigures {
  if (!('load' in finding) || finding.load === undefined) throw new Error(`no figures: ${JSON.stringify(finding)}`)
  return finding.load
}

describe('a load on a module', () => {
  let counter: CounterServer

  beforeAll(async () => {
    counter = await startCounter()
  })

  afterAll(() => counter.embedded.close())

  test('makes as many calls as its rate says, and tells how long they took', async () => {
    const finding = await load(counter.place, { args: [7], for: '1s', 'error-rate': 0, throughput: 45, max: '10s' })
    expect(finding).toMatchObject({ kind: 'passed', load: { calls: 50, failed: 0, reasons: [] } })
    const { latency, service, histogram, milliseconds, throughput } = figuresOf(finding)
    expect(milliseconds).toBeGreaterThanOrEqual(1000)
    expect(throughput).toBeGreaterThan(45)
    expect(latency.p50).toBeGreaterThan(0)
    expect(latency.max).toBeGreaterThanOrEqual(service.p50)
    expect(histogram.reduce((sum, { calls }) => sum + calls, 0)).toBe(50)
    const answer = await counter.owner.sql('counter', 'SELECT value FROM counter WHERE id = 7')
    expect(answer).toMatchObject({ rows: [[50]] })
  })

  test('without a rate calls as fast as it gets answers, and says so', async () => {
    const written = { load: 'increment_counter', args: [8], callers: 2, for: '500ms' }
    const finding = await runLoad(checkOf('load', written), counter.place, attempt())
    expect(finding).toMatchObject({
      kind: 'passed',
      detail: expect.stringContaining('as fast as 2 callers get answers')
    })
    const { calls, latency, service } = figuresOf(finding)
    expect(latency).toEqual(service)
    const answer = await counter.owner.sql('counter', 'SELECT value FROM counter WHERE id = 8')
    expect(answer).toMatchObject({ rows: [[calls]] })
  })

  test('without a credential is somebody new, who stays the same', async () => {
    expect(await load(counter.place, { as: 'anonymous' })).toMatchObject({ kind: 'passed' })
  })

  test('fails by what a reducer says, and counts it', async () => {
    await counter.owner.call('counter', 'clear_counters', [])
    const finding = await load(counter.place, { load: 'health_check', args: [] })
    expect(finding).toMatchObject({ kind: 'failed', expected: 'no call fails' })
    expect(finding).toMatchObject({ actual: '25 of 25 (100 %) failed: 25 × unhealthy: the counter table is empty' })
  })

  test.each([
    [{ load: 'no_such' }, 'No such procedure'],
    [{ args: [] }, 'HTTP 400'],
    [{ args: ['x'] }, 'HTTP 400']
  ])('%j is given up after its first answers', async (written, reason) => {
    const began = performance.now()
    const finding = await load(counter.place, { for: '1m', ...written })
    expect(finding).toMatchObject({ kind: 'not-run', final: true, reason: expect.stringContaining(reason) })
    expect(performance.now() - began).toBeLessThan(20_000)
  })

  test('a database that is not there is said', async () => {
    const finding = await load({ ...counter.place, database: 'another' }, { for: '1m' })
    expect(finding).toMatchObject({ kind: 'not-run', final: true, reason: expect.stringContaining('another') })
  })
})

describe('a load on a server', () => {
  let server: TestServer | undefined

  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  async function at(answering: Answering): Promise<{ server: TestServer; place: CheckPlace }> {
    server = await serve(answering)
    return { server, place: placeAt(server.url) }
  }

  const ok: Answering = (_, response) => response.writeHead(200, ownHeaders).end()
  const slow: Answering = (_, response) => setTimeout(() => response.writeHead(200, ownHeaders).end(), 40)

  test.each(['p50', 'p95', 'p99', 'max'])('fails when %s is over its threshold, and only then', async (threshold) => {
    const { place } = await at(slow)
    expect(await load(place, { [threshold]: '20s' })).toMatchObject({ kind: 'passed' })
    const finding = await load(place, { [threshold]: '20ms' })
    expect(finding).toMatchObject({ kind: 'failed', expected: `${threshold} at most 20 ms`, load: { calls: 25 } })
    expect(finding).toMatchObject({ actual: expect.stringMatching(new RegExp(`^${threshold} \\d[\\d.]* m?s$`)) })
  })

  test('fails when too few calls succeed in a second', async () => {
    const { place } = await at(slow)
    const finding = await load(place, { throughput: 200 })
    expect(finding).toMatchObject({ kind: 'failed', expected: 'at least 200 calls/s' })
    expect(await load(place, { throughput: 10 })).toMatchObject({ kind: 'passed' })
  })

  test('names all that is breached, side by side', async () => {
    const { place } = await at(slow)
    const finding = await load(place, { p50: '1ms', max: '2ms', throughput: 1000 })
    expect(finding).toMatchObject({ expected: 'p50 at most 1 ms, max at most 2 ms, at least 1000 calls/s' })
    expect((finding as { actual: string }).actual.split(', ')).toHaveLength(3)
  })

  test('bears as many failures as are allowed', async () => {
    let count = 0
    const { place } = await at((_, response) => {
      const status = ++count % 5 === 0 ? 530 : 200
      response.writeHead(status, ownHeaders).end(status === 530 ? 'no luck' : '')
    })
    expect(await load(place, { 'error-rate': '20%' })).toMatchObject({ kind: 'passed', load: { failed: 5 } })
    const finding = await load(place, { 'error-rate': '19.9%' })
    expect(finding).toMatchObject({
      kind: 'failed',
      expected: 'at most 19.9 % of the calls fail',
      actual: '5 of 25 (20 %) failed: 5 × no luck'
    })
  })

  test('shows a stall in the latency, and hardly in the service', async () => {
    let stalledUntil = 0
    const { place } = await at((request, response) => {
      if (stalledUntil === 0 && server?.requests.length === 30) stalledUntil = performance.now() + 300
      setTimeout(() => ok(request, response), Math.max(0, stalledUntil - performance.now()))
    })
    const { latency, service, late } = figuresOf(await load(place, { callers: 1, rate: 100, for: '1s' }))
    // The call that stalled is one of 100; those that were due meanwhile are 30 more.
    expect(service.max).toBeGreaterThan(290)
    expect(latency.p95).toBeGreaterThan(100)
    expect(service.p95).toBeLessThan(latency.p95 / 2)
    expect(late.calls).toBeGreaterThanOrEqual(28)
    expect(late.worst).toBeGreaterThan(250)
  })

  test('uses one connection for each caller, and closes it', async () => {
    const { server, place } = await at(slow)
    await load(place, { callers: 3, rate: 100 })
    expect(server.connections).toBe(3)
    expect(new Set(server.requests.map(({ path }) => path))).toEqual(
      new Set(['/v1/database/counter/call/increment_counter'])
    )
    await sleep(50)
    expect(server.requests.every(({ socket }) => socket.destroyed)).toBe(true)
  })

  test('sends its arguments exactly, and who it is', async () => {
    const { server, place } = await at(ok)
    await load(place, { args: [2n ** 100n, 'ä', null], for: '100ms' })
    const [{ body, headers }] = server.requests as [TestServer['requests'][number]]
    expect(String(body)).toBe('[1267650600228229401496703205376,"ä",null]')
    expect(headers).toMatchObject({ authorization: `Bearer ${someToken}`, 'content-type': 'application/json' })
  })

  test('keeps the token of the first answer where it has none', async () => {
    let issued = 0
    const { server, place } = await at((_, response) => {
      response.writeHead(200, { ...ownHeaders, 'spacetime-identity-token': `token-${++issued}` }).end()
    })
    await load(place, { as: 'anonymous', callers: 1 })
    const [first, ...others] = server.requests.map(({ headers }) => headers.authorization)
    expect(first).toBeUndefined()
    expect(new Set(others)).toEqual(new Set(['Bearer token-1']))
  })

  test('shows no token, whatever the server says', async () => {
    const { place } = await at((_, response) => response.writeHead(530, ownHeaders).end(`who is ${someToken}?`))
    expect(await load(place, {})).toMatchObject({ actual: '25 of 25 (100 %) failed: 25 × who is ***?' })
  })

  test.each([
    [402, { kind: 'not-run', final: true, reason: expect.stringContaining('402') }],
    [403, { kind: 'not-run', final: true, reason: expect.stringContaining('403') }],
    [401, { kind: 'not-run', final: true, reason: expect.stringContaining('401') }],
    [429, { kind: 'failed', load: { calls: 25, failed: 25 } }],
    [500, { kind: 'failed', load: { calls: 25, failed: 25 } }],
    [503, { kind: 'failed', load: { calls: 25, failed: 25 } }],
    [530, { kind: 'failed', load: { calls: 25, failed: 25 } }]
  ])('that always answers %d', async (status, expected) => {
    const { place } = await at((_, response) => response.writeHead(status, ownHeaders).end('because'))
    expect(await load(place, {})).toMatchObject(expected)
  })

  test('that dies half-way makes its failures count', async () => {
    const { server, place } = await at(ok)
    setTimeout(() => void server.close(), 500)
    const finding = await load(place, { for: '1s' })
    expect(finding).toMatchObject({ kind: 'failed', load: { calls: 50 } })
    const { failed, reasons } = figuresOf(finding)
    expect(failed).toBeGreaterThan(10)
    expect(failed).toBeLessThan(45)
    expect(reasons.map(({ reason }) => reason).join()).toContain('nothing listens')
  })

  test('that cuts connections makes those calls count, and the next ones connect anew', async () => {
    const { server, place } = await at((request, response) => {
      if (server.requests.length % 5 === 0) request.socket.destroy()
      else ok(request, response)
    })
    const finding = await load(place, { 'error-rate': '20%' })
    expect(finding).toMatchObject({ kind: 'passed', load: { failed: 5, reasons: [{ count: 5 }] } })
    expect(figuresOf(finding).reasons[0]?.reason).toContain('connection broke')
  })

  test('that never answers is waited for as long as one call may take', async () => {
    const { place } = await at(() => {})
    const began = performance.now()
    const finding = await load(place, { timeout: '300ms', callers: 2 })
    expect(performance.now() - began).toBeGreaterThanOrEqual(790)
    const { calls, failed, latency, reasons } = figuresOf(finding)
    expect([calls, failed]).toEqual([25, 25])
    expect(latency.max).toBeGreaterThanOrEqual(299)
    expect(reasons.map(({ reason }) => reason).sort()).toEqual([
      'never sent: all callers were waiting for answers',
      'no whole answer in time'
    ])
  })

  test('that is not there is given up, and may be tried again', async () => {
    const { server, place } = await at(ok)
    await server.close()
    const finding = await load(place, { for: '1m' })
    expect(finding).toMatchObject({ kind: 'not-run', reason: expect.stringContaining('nothing listens') })
    expect(finding).not.toHaveProperty('final')
  })

  test('ends when it is cancelled, with calls on their way', async () => {
    const { server, place } = await at(() => {})
    const began = performance.now()
    const finding = await load(place, { for: '1m' }, AbortSignal.timeout(200))
    expect(finding).toMatchObject({
      kind: 'not-run',
      reason: expect.stringMatching(/^It was ended after .* of 60 s\.$/)
    })
    expect(performance.now() - began).toBeLessThan(5000)
    await sleep(50)
    expect(server.requests.every(({ socket }) => socket.destroyed)).toBe(true)
  })
})
