import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Finding } from '../../../src/smoke/check-report.ts'
import { runMetrics } from '../../../src/smoke/kinds/metrics.ts'
import type { CheckPlace } from '../../../src/smoke/place.ts'
import { type Answering, serve, type TestServer } from '../../spacetimedb/http-server.ts'
import { attempt, type CounterServer, checkOf, placeAt, startCounter } from './trial.ts'

type Written = Readonly<Record<string, unknown>>

/** With a shorter window than a file may have. */
function metrics(place: CheckPlace, written: Written, given = attempt(), window = 300): Promise<Finding> {
  const check = checkOf('metrics', { metrics: written })
  const wanted = { ...check.wanted, metrics: { ...check.wanted.metrics, window } }
  return runMetrics({ ...check, wanted }, place, given)
}

describe('metrics of a module', () => {
  let counter: CounterServer

  beforeAll(async () => {
    counter = await startCounter()
    await counter.owner.call('counter', 'clear_counters', [])
    // What is called before the server is watched does not count.
    for (let call = 0; call < 5; call++) await counter.owner.call('counter', 'health_check', [])
  })

  afterAll(() => counter.embedded.close())

  /** Watches while each of these is called so often, and judges. */
  async function watch(written: Written, calls: Readonly<Record<string, number>>): Promise<Finding> {
    const othersOver = new AbortController()
    const work = metrics(counter.place, written, attempt(undefined, othersOver.signal))
    await sleep(100)
    for (const [reducer, count] of Object.entries(calls)) {
      const args = reducer === 'increment_counter' ? [1] : []
      for (let call = 0; call < count; call++) await counter.owner.call('counter', reducer, args)
    }
    othersOver.abort()
    return work
  }

  test('pass when what was called meanwhile is as it should be', async () => {
    const finding = await watch({ 'error-rate': 0, p50: '10s', p95: '10s', p99: '10s' }, { increment_counter: 20 })
    expect(finding).toMatchObject({ kind: 'passed', detail: expect.stringMatching(/^20 calls, 0 failed, p50 about /) })
  })

  test('fail when too many calls fail', async () => {
    const calls = { clear_counters: 1, health_check: 3 }
    expect(await watch({ 'error-rate': '75%' }, calls)).toMatchObject({ kind: 'passed' })
    expect(await watch({ 'error-rate': '74%' }, calls)).toEqual({
      kind: 'failed',
      expected: 'at most 74 % of the calls fail',
      actual: '3 of 4 (75 %) failed'
    })
    const alone = await watch({ reducer: 'clear_counters', 'error-rate': 0 }, calls)
    expect(alone).toMatchObject({ kind: 'passed', detail: expect.stringContaining('1 calls, 0 failed') })
  })

  test('are judged after the others are over, at the earliest after the window', async () => {
    const began = performance.now()
    await watch({ 'error-rate': 0 }, { increment_counter: 1 })
    expect(performance.now() - began).toBeGreaterThanOrEqual(290)

    const othersOver = new AbortController()
    let isJudged = false
    const work = metrics(counter.place, { 'error-rate': 1 }, attempt(undefined, othersOver.signal))
    void work.then(() => {
      isJudged = true
    })
    await sleep(600)
    expect(isJudged).toBe(false)
    await counter.owner.call('counter', 'increment_counter', [1])
    othersOver.abort()
    expect(await work).toMatchObject({ kind: 'passed', detail: expect.stringContaining('1 calls') })
  })

  test('are skipped when nobody called', async () => {
    const finding = await watch({ reducer: 'health_check', p95: '1s' }, { increment_counter: 1 })
    expect(finding).toMatchObject({ kind: 'skipped', reason: expect.stringContaining('No call of "health_check"') })
    expect(await watch({ 'error-rate': 0 }, {})).toMatchObject({ kind: 'skipped' })
    expect(await watch({ 'error-rate': 0, 'queue-length': 1000 }, {})).toMatchObject({ kind: 'skipped' })
  })

  test('tell how many calls waited', async () => {
    const finding = await watch({ 'queue-length': 1000 }, {})
    expect(finding).toMatchObject({ kind: 'passed', detail: expect.stringContaining('waited') })
  })

  test('of a database that is not there are not judged, nor tried again', async () => {
    const finding = await metrics({ ...counter.place, database: 'another' }, { 'error-rate': 0 })
    expect(finding).toMatchObject({ kind: 'not-run', final: true, reason: expect.stringContaining('another') })
  })
})

describe('metrics of a server', () => {
  let server: TestServer | undefined

  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  const database = 'c2'.padEnd(64, '7')

  async function at(look: (index: number) => string | number): Promise<CheckPlace> {
    let looks = 0
    const answering: Answering = ({ path }, response) => {
      const answer = path === '/v1/metrics' ? look(looks++) : 404
      if (typeof answer === 'number') response.writeHead(answer).end()
      else response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(answer)
    }
    await server?.close()
    server = await serve(answering)
    return { ...placeAt(server.url), database }
  }

  const counted = (
    committed: number,
    failed: number,
    seconds: readonly (readonly [le: string, count: number])[] = []
  ) =>
    [
      `spacetime_num_txns_total{committed="true",db="${database}",reducer="add",txn_type="Reducer"} ${committed}`,
      `spacetime_num_txns_total{committed="false",db="${database}",reducer="add",txn_type="Reducer"} ${failed}`,
      ...seconds.map(
        ([le, count]) =>
          `spacetime_reducer_plus_query_duration_sec_bucket{db="${database}",reducer="add",le="${le}"} ${count}`
      ),
      ''
    ].join('\n')

  const queue = (length: number) =>
    `spacetime_worker_instance_operation_queue_length{database_identity="${database}"} ${length}\n`

  test.each([401, 403, 404])('that hides them (%d) are skipped', async (status) => {
    const place = await at(() => status)
    expect(await metrics(place, { 'error-rate': 0 })).toEqual({
      kind: 'skipped',
      reason: `${server?.url} does not show its metrics.`
    })
  })

  test('that hides them in the middle are skipped too', async () => {
    const place = await at((index) => (index === 0 ? counted(1, 0) : 403))
    expect(await metrics(place, { 'error-rate': 0 })).toMatchObject({ kind: 'skipped' })
  })

  /** How many of 10 calls took up to each bound, in seconds, after 90 quick ones before the window. */
  const tenCalls = (upTo: readonly (readonly [le: string, count: number])[]) =>
    at((index) => {
      const extra = index === 0 ? 0 : 1
      const buckets = [...upTo, ['+Inf', 10] as const].map(([le, count]) => [le, 90 + extra * count] as const)
      return counted(90 + extra * 10, 0, buckets)
    })

  // A time is known to lie between two bounds: only one of which both are too long is certainly too long.
  test.each<[Written, buckets: readonly (readonly [le: string, count: number])[], object]>([
    [
      { p50: '100ms', p95: '200ms', p99: '250ms' },
      [
        ['0.1', 8],
        ['0.25', 8],
        ['0.5', 10]
      ],
      {
        kind: 'failed',
        expected: 'p95 at most 200 ms, p99 at most 250 ms',
        actual: 'p95 from 250 ms to 500 ms, p99 from 250 ms to 500 ms'
      }
    ],
    [
      { p50: '100ms', p95: '251ms', p99: '500ms' },
      [
        ['0.1', 8],
        ['0.25', 8],
        ['0.5', 10]
      ],
      { kind: 'passed' }
    ],
    [
      { p50: '5ms' },
      [
        ['0.005', 9],
        ['10', 10]
      ],
      { kind: 'passed' }
    ],
    [{ p99: '10s' }, [['10', 9]], { kind: 'failed', expected: 'p99 at most 10 s', actual: 'p99 over 10 s' }],
    [
      { p99: '10s' },
      [
        ['0.1', 9],
        ['1', 9]
      ],
      { kind: 'failed', expected: 'p99 at most 10 s', actual: 'p99 over 1 s' }
    ],
    [{ 'error-rate': 1 }, [['10', 9]], { kind: 'passed', detail: expect.stringContaining('p99 over 10 s in') }]
  ])('that was slow in the window alone are judged by that: %j of %j', async (written, buckets, finding) => {
    expect(await metrics(await tenCalls(buckets), written)).toMatchObject(finding)
  })

  test('that was restarted says so', async () => {
    const place = await at((index) => (index === 0 ? counted(90, 5) : counted(3, 1)))
    expect(await metrics(place, { 'error-rate': '10%' })).toMatchObject({
      kind: 'failed',
      actual: expect.stringMatching(/^1 of 4 \(25 %\) failed .*was restarted/)
    })
    const gone = await at((index) => (index === 0 ? counted(90, 5) : queue(0)))
    expect(await metrics(gone, { 'error-rate': '10%' })).toMatchObject({
      kind: 'skipped',
      reason: expect.stringContaining('was restarted')
    })
  })

  test('fail by the longest queue of all looks', async () => {
    const place = await at((index) => queue([0, 7, 2][index] ?? 1))
    const finding = await metrics(place, { 'queue-length': 6 }, attempt(), 2500)
    expect(finding).toEqual({ kind: 'failed', expected: 'at most 6 calls wait', actual: '7 waited' })
    expect(server?.requests.length).toBe(4)
  })

  test('that does not tell of queues can not be judged by them', async () => {
    const place = await at(() => counted(1, 0))
    expect(await metrics(place, { 'queue-length': 6 })).toMatchObject({
      kind: 'not-run',
      reason: expect.stringContaining('does not tell')
    })
  })

  test('are not judged when the watch is cut off', async () => {
    const place = await at(() => counted(1, 0))
    const given = { ...attempt(AbortSignal.timeout(200)), othersOver: new AbortController().signal }
    expect(await metrics(place, { 'error-rate': 0 }, given)).toMatchObject({ kind: 'not-run' })
  })

  test('that is not there are not judged', async () => {
    const place = await at(() => 404)
    await server?.close()
    expect(await metrics(place, { 'error-rate': 0 })).toMatchObject({
      kind: 'not-run',
      reason: expect.stringContaining('nothing listens')
    })
  })
})
