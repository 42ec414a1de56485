import { afterEach, expect, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { type EmbeddedServer, type ServerOptions, startServer } from './server.ts'

/** Calls that come at once are sent to the module together: nothing of that may show. */
let server: EmbeddedServer
let owner: string

afterEach(() => server.close())

test('calls that come at once are all made, once', async () => {
  await start('counter')
  const calls = Array.from({ length: 200 }, (_, i) => call('increment_counter', [i % 2]))
  expect(new Set(await Promise.all(calls))).toEqual(new Set([200]))
  expect(await sql('SELECT * FROM counter')).toEqual([
    [0, 100],
    [1, 100]
  ])
})

test('a call that never ends takes none of the others with it', async () => {
  await start('counter-slow', { deadline: 1500 })
  const increment = () => call('increment_counter', [7])
  const calls = [increment(), increment(), call('spin_for', [1e15]), increment(), increment()]
  expect(await Promise.all(calls)).toEqual([200, 200, 530, 200, 200])
  expect(await sql('SELECT * FROM counter WHERE id = 7')).toEqual([[7, 4]])
})

test('a call that panics takes none of the others with it', async () => {
  await start('counter-panics')
  const increment = () => call('increment_counter', [7])
  const calls = [increment(), call('health_check', []), increment()]
  expect(await Promise.all(calls)).toEqual([200, 530, 200])
  expect(await sql('SELECT * FROM counter WHERE id = 7')).toEqual([[7, 2]])
})

test('the metrics tell of errors, of how long calls took and waited, and of the queue', async () => {
  await start('counter-unhealthy')
  await Promise.all([call('health_check', []), call('increment_counter', [1]), call('increment_counter', [1])])
  const metrics = await (await fetch(`${server.url}/v1/metrics`)).text()
  const value = (start: string, ...labels: readonly string[]) => {
    const isIt = (line: string) => line.startsWith(start) && labels.every((label) => line.includes(label))
    const line = metrics.split('\n').find(isIt)
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  expect(value('spacetime_worker_sender_errors_total', 'reducer_symbol="health_check"')).toBe(1)
  expect(value('spacetime_num_txns_total{committed="false"', 'reducer="health_check"')).toBe(1)
  expect(value('spacetime_worker_instance_operation_queue_length{')).toBe(0)
  for (const name of ['reducer_wait_time_sec', 'reducer_plus_query_duration_sec', 'txn_elapsed_time_sec']) {
    expect(value(`spacetime_${name}_count`, 'reducer="increment_counter"')).toBe(2)
    expect(value(`spacetime_${name}_bucket`, 'reducer="increment_counter"', 'le="+Inf"')).toBe(2)
  }
  expect(value('spacetime_worker_instance_operation_queue_length_histogram_count')).toBe(3)
})

async function start(module: string, options: ServerOptions = {}): Promise<void> {
  server = await startServer(options)
  owner = await server.issueToken('owner')
  expect((await send('PUT', '', new Uint8Array(fixtureModule(`${module}.wasm`)))).status).toBe(200)
}

async function call(reducer: string, args: readonly unknown[]): Promise<number> {
  return (await send('POST', `/call/${reducer}`, JSON.stringify(args))).status
}

async function sql(statement: string): Promise<unknown> {
  const answer = (await (await send('POST', '/sql', statement)).json()) as { rows: unknown }[]
  return answer[0]?.rows
}

async function send(method: string, path: string, body: Uint8Array<ArrayBuffer> | string): Promise<Response> {
  const headers = { authorization: `Bearer ${owner}`, 'content-type': 'application/json' }
  const answer = await fetch(`${server.url}/v1/database/counter${path}`, { method, headers, body })
  return new Response(await answer.text(), { status: answer.status })
}
