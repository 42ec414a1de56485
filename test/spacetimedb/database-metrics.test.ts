import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { connect } from '../../src/spacetimedb/client.ts'
import {
  type DatabaseMetrics,
  databaseMetricsIn,
  latencyQuantile,
  metricsBetween,
  quantileBounds,
  readDatabaseMetrics
} from '../../src/spacetimedb/database-metrics.ts'
import { fixturePath } from '../fixtures.ts'
import { type Answering, serve } from './http-server.ts'
import { replay } from './replay.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

async function against(answering: Answering) {
  const server = await serve(answering)
  open.push(server)
  return connect({ url: server.url })
}

const identityOf = (number: number) => `c200${String(number).padStart(60, '0')}`
const recorded = readFileSync(fixturePath('metrics.txt'), 'utf8').replace(/<identity (\d+)>/g, (_, number) =>
  identityOf(Number(number))
)

describe('what a real server has counted', () => {
  test('is read for one database', async () => {
    const client = await against((_, response) => response.end(recorded))
    const panics = await readDatabaseMetrics(client, identityOf(2))
    expect(panics).toMatchObject({ connectedClients: 0, queueLength: 0, instanceErrors: 1 })
    expect(panics?.reducers.map(({ reducer }) => reducer).sort()).toEqual([
      'clear_counters',
      'health_check',
      'increment_counter',
      'init'
    ])
    expect(panics?.reducers.find(({ reducer }) => reducer === 'health_check')).toEqual({
      reducer: 'health_check',
      committed: 0,
      failed: 1,
      seconds: { count: 1, sum: 0.000344093, buckets: [] }
    })
    const quiet = await readDatabaseMetrics(client, identityOf(10))
    expect(quiet).toMatchObject({ connectedClients: 0, instanceErrors: 0 })
    const buckets = quiet?.reducers.find(({ reducer }) => reducer === 'clear_audit')?.seconds.buckets
    expect(buckets).toHaveLength(12)
    expect(buckets?.at(-1)).toEqual({ le: Number.POSITIVE_INFINITY, count: 0 })
  })

  test('is nothing for a database that it has not heard of', async () => {
    const client = await against((_, response) => response.end(recorded))
    expect(await readDatabaseMetrics(client, identityOf(99))).toEqual({ reducers: [] })
  })

  test('is found by name', async () => {
    const info = await replay('database-info')
    open.push(info)
    const { identity } = (await connect({ url: info.url }).resolve('counter')) as { identity: string }
    const { headers, body } = info.recording.response
    const client = await against((request, response) =>
      request.path === '/v1/metrics'
        ? response.end(`spacetime_worker_connected_clients{database_identity="${identity}"} 3\n`)
        : response
            .writeHead(200, headers as Record<string, string>)
            .end(
              body
                .replaceAll(/<identity of database [\w-]+>|<identity>/g, identity)
                .replaceAll(/<identity of \w+>/g, identityOf(1))
            )
    )
    expect(await readDatabaseMetrics(client, 'counter')).toMatchObject({ connectedClients: 3 })
  })

  test.each([401, 403, 404])('is hidden by %i', async (status) => {
    const client = await against((_, response) => response.writeHead(status).end('no'))
    expect(await readDatabaseMetrics(client, identityOf(1))).toBeUndefined()
  })

  test('is not a page', async () => {
    const client = await against((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    )
    await expect(client.databaseMetrics(identityOf(1))).rejects.toMatchObject({ kind: 'unexpected-answer' })
  })

  test('of a database that is not there, by name', async () => {
    const client = await against((_, response) => response.writeHead(404).end('`nope` not found'))
    await expect(client.databaseMetrics('nope')).rejects.toMatchObject({ name: 'ServerFailure', kind: 'missing' })
  })

  test('can be any amount: only lines about the database are kept', async () => {
    const other = recorded.replaceAll('c200', 'c201')
    const client = await against(async (_, response) => {
      response.write(recorded)
      for (let count = 0; count < 500; count++) {
        if (!response.write(other)) await new Promise((resolve) => response.once('drain', resolve))
      }
      response.end()
    })
    expect(await readDatabaseMetrics(client, identityOf(2))).toMatchObject({ instanceErrors: 1 })
  })
})

/** Cumulative counts at 0.1 s, 1 s and beyond. */
const metrics = (
  counts: Record<string, [committed: number, failed: number, buckets?: number[]]>,
  instanceErrors = 0
): DatabaseMetrics => ({
  instanceErrors,
  reducers: Object.entries(counts).map(([reducer, [committed, failed, buckets = [0, 0, 0]]]) => ({
    reducer,
    committed,
    failed,
    seconds: {
      count: buckets.at(-1) ?? 0,
      sum: buckets.at(-1) ?? 0,
      buckets: [0.1, 1, Number.POSITIVE_INFINITY].map((le, index) => ({ le, count: buckets[index] ?? 0 }))
    }
  }))
})

describe('between two readings', () => {
  test('each reducer that was called has its calls, errors and times', () => {
    const before = metrics({ add: [10, 5, [15, 15, 15]], idle: [3, 0, [3, 3, 3]] }, 1)
    const after = metrics({ add: [16, 7, [19, 22, 23]], idle: [3, 0, [3, 3, 3]], fresh: [0, 2, [0, 2, 2]] }, 2)
    const { reducers, all, instanceErrors } = metricsBetween(before, after)
    expect(reducers).toMatchObject([
      { reducer: 'add', calls: 8, errors: 2, errorRate: 0.25, seconds: { count: 8, sum: 8 } },
      { reducer: 'fresh', calls: 2, errors: 2, errorRate: 1 }
    ])
    expect(reducers[0]?.seconds.buckets.map(({ count }) => count)).toEqual([4, 7, 8])
    expect(all).toMatchObject({ calls: 10, errors: 4, errorRate: 0.4 })
    expect(all.seconds.buckets.map(({ count }) => count)).toEqual([4, 9, 10])
    expect(instanceErrors).toBe(1)
  })

  test('nothing happened', () => {
    const quiet = metricsBetween(metrics({ add: [1, 0] }), metrics({ add: [1, 0] }))
    expect(quiet.reducers).toEqual([])
    expect(quiet.all).toMatchObject({ calls: 0, errors: 0 })
    expect(quiet.all).not.toHaveProperty('errorRate')
    expect(metricsBetween({ reducers: [] }, { reducers: [] }).all.seconds).toEqual({ count: 0, sum: 0, buckets: [] })
  })

  test('a restart takes all counters from zero, also those that have got further already', () => {
    const { reducers, instanceErrors } = metricsBetween(
      metrics({ a: [5, 0], b: [1, 0] }, 0),
      metrics({ a: [2, 0], b: [4, 0] }, 3)
    )
    expect(reducers.map(({ calls }) => calls)).toEqual([2, 4])
    expect(instanceErrors).toBe(3)
    expect(metricsBetween(metrics({ b: [1, 0] }, 3), metrics({ b: [4, 0] }, 0)).reducers[0]?.calls).toBe(4)
  })

  test('is never negative, and adds up', () => {
    const counts = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.tuple(fc.nat(50), fc.nat(50)))
    fc.assert(
      fc.property(counts, counts, fc.nat(9), fc.nat(9), (first, second, x, y) => {
        const { reducers, all, instanceErrors } = metricsBetween(metrics(first, x), metrics(second, y))
        for (const { calls, errors } of [...reducers, all]) expect(0 <= errors && errors <= calls).toBe(true)
        expect(reducers.reduce((sum, { calls }) => sum + calls, 0)).toBe(all.calls)
        expect(instanceErrors).toBeGreaterThanOrEqual(0)
      })
    )
  })
})

describe('a quantile', () => {
  const of = (...buckets: [le: number, count: number][]) => ({
    count: buckets.at(-1)?.[1] ?? 0,
    sum: 0,
    buckets: buckets.map(([le, count]) => ({ le, count }))
  })
  const infinity = Number.POSITIVE_INFINITY

  // What Prometheus' histogram_quantile gives for these.
  test.each([
    ['in the first bucket, from 0', of([0.1, 10], [1, 10], [infinity, 10]), 0.5, 0.05],
    ['within a bucket', of([0.1, 5], [1, 10], [infinity, 10]), 0.75, 0.55],
    ['at a bound', of([0.1, 5], [1, 10], [infinity, 10]), 0.5, 0.1],
    ['beyond the last finite bound', of([0.1, 5], [1, 6], [infinity, 10]), 0.9, 1],
    ['the least', of([0.1, 0], [1, 10], [infinity, 10]), 0, 0.1],
    ['the most', of([0.1, 5], [1, 10], [infinity, 10]), 1, 1]
  ])('%s', (_, histogram, q, expected) => {
    expect(latencyQuantile(histogram, q)).toBeCloseTo(expected, 10)
    const { from, upTo } = quantileBounds(histogram, q) ?? { from: 1, upTo: 0 }
    expect(from).toBeLessThanOrEqual(expected)
    expect(upTo).toBeGreaterThanOrEqual(expected)
  })

  test.each([
    ['no calls', of([0.1, 0], [infinity, 0])],
    ['no buckets', of()],
    ['no infinite bucket', of([0.1, 1], [1, 2])],
    ['only the infinite bucket', of([infinity, 3])]
  ])('of %s is none', (_, histogram) => {
    expect(latencyQuantile(histogram, 0.5)).toBeUndefined()
    expect(quantileBounds(histogram, 0.5)).toBeUndefined()
  })

  test.each([-0.1, 1.1, Number.NaN])('%d is none', (q) => {
    expect(() => latencyQuantile(of([1, 1], [infinity, 1]), q)).toThrow(RangeError)
  })

  test('grows with q, and lies within the bounds', () => {
    const steps = fc.array(fc.nat(20), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(
        steps,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, a, b) => {
          const counts = given.map((_, index) => given.slice(0, index + 1).reduce((sum, each) => sum + each, 0))
          const histogram = of(
            ...[0.1, 0.5, 2, infinity].map((le, index): [number, number] => [le, counts[index] ?? 0])
          )
          const [low, high] = [latencyQuantile(histogram, Math.min(a, b)), latencyQuantile(histogram, Math.max(a, b))]
          if (low === undefined || high === undefined) return expect(counts.at(-1)).toBe(0)
          expect(low).toBeLessThanOrEqual(high)
          expect(low).toBeGreaterThanOrEqual(0)
          expect(high).toBeLessThanOrEqual(2)
        }
      )
    )
  })
})

test('what is no metric of calls is left out', () => {
  const labels = { reducer: 'add', committed: 'true' }
  expect(
    databaseMetricsIn([
      { name: 'spacetime_num_txns_total', labels: { ...labels, txn_type: 'Update' }, value: 9 },
      { name: 'spacetime_num_txns_total', labels: { ...labels, txn_type: 'Reducer' }, value: 2 },
      {
        name: 'spacetime_num_txns_total',
        labels: { ...labels, reducer: '__identity_disconnected__', txn_type: 'Reducer' },
        value: 9
      }
    ]).reducers
  ).toMatchObject([{ reducer: 'add', committed: 2, failed: 0 }])
})
