import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { connect } from '../../src/spacetimedb/client.ts'
import { recordings } from '../fixtures.ts'
import { all } from './all.ts'
import { type Answering, serve, type TestServer } from './http-server.ts'
import { replay } from './replay.ts'
import { ownCredential } from './tokens.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

const ndjson = { 'content-type': 'application/x-ndjson' }
const line = (ts: number, message: string) =>
  `${JSON.stringify({ level: 'Info', ts, target: 't', filename: 'src/lib.rs', line_number: 1, function: 'f', message })}\n`

async function against(answering: Answering, timeouts = {}) {
  const server: TestServer = await serve(answering)
  open.push(server)
  return { server, client: connect({ url: server.url, credential: ownCredential, timeouts }) }
}

/** A hundred megabytes of log take their time on a busy machine. */
jest.setTimeout(120_000)

describe('a log that is read to its end', () => {
  test('may be of any length: lines come before the rest was sent, and none are kept', async () => {
    const total = 100_000
    let written = 0
    const { client } = await against(async (_, response) => {
      response.writeHead(200, ndjson)
      while (written < total) {
        const lines = Array.from({ length: 500 }, (_, index) =>
          line(written + index, `line ${written + index} ${'x'.repeat(900)}`)
        )
        written += lines.length
        if (!response.write(lines.join(''))) await new Promise((resolve) => response.once('drain', resolve))
      }
      response.end()
    })
    let seen = 0
    let mostOnTheWay = 0
    for await (const { timestamp } of client.logs('counter', {})) {
      if (timestamp !== BigInt(seen)) throw new Error(`line ${seen} has time ${timestamp}`)
      seen++
      mostOnTheWay = Math.max(mostOnTheWay, written - seen)
    }
    expect(seen).toBe(total)
    // Of the log's 100 MB the reader never holds more than what fits between it and the server, sockets included.
    expect(mostOnTheWay).toBeLessThan(total / 5)
  })

  test('is left when its reader has enough, and the server sees that', async () => {
    let gone: () => void = () => {}
    const left = new Promise<void>((resolve) => {
      gone = resolve
    })
    const { client } = await against((_, response) => {
      response.writeHead(200, ndjson).write(line(1, 'one'))
      response.on('close', () => gone())
    })
    for await (const _ of client.logs('counter', {})) break
    await left
  })

  test('that stops in the middle is a failure after the idle time, and its lines are not asked for again', async () => {
    const { client, server } = await against((_, response) => response.writeHead(200, ndjson).write(line(1, 'one')), {
      read: 1000
    })
    const seen: string[] = []
    const reading = (async () => {
      for await (const { message } of client.logs('counter', { lines: 5 })) seen.push(message)
    })()
    await expect(reading).rejects.toMatchObject({ kind: 'timed-out', message: expect.stringContaining('1 s') })
    expect(seen).toEqual(['one'])
    expect(server.requests).toHaveLength(1)
  })

  test('may take longer than the idle time as a whole', async () => {
    const { client } = await against(
      async (_, response) => {
        response.writeHead(200, ndjson)
        for (let count = 0; count < 6; count++) {
          response.write(line(count, 'm'))
          await new Promise((resolve) => setTimeout(resolve, 400))
        }
        response.end()
      },
      { read: 2000 }
    )
    expect(await all(client.logs('counter', {}))).toHaveLength(6)
  })

  test('that breaks off is a failure', async () => {
    const { client } = await against(({ socket }, response) => {
      response.writeHead(200, ndjson).write(line(1, 'one'))
      setTimeout(() => socket.destroy(), 20)
    })
    await expect(all(client.logs('counter', {}))).rejects.toMatchObject({ kind: 'interrupted' })
  })

  test('ends when it is stopped', async () => {
    const { client } = await against((_, response) => response.writeHead(200, ndjson).write(line(1, 'one')))
    expect(await all(client.logs('counter', { signal: AbortSignal.timeout(100) }))).toHaveLength(1)
  })

  test('with a line without end is a failure', async () => {
    const { client } = await against(async (_, response) => {
      response.writeHead(200, ndjson)
      for (let count = 0; count < 20; count++) response.write('x'.repeat(1 << 20))
    })
    await expect(all(client.logs('counter', {}))).rejects.toMatchObject({
      name: 'ServerFailure',
      kind: 'unexpected-answer'
    })
  })
})

test('of a real server: a panic has its message', async () => {
  expect(recordings().find((each) => each.case === 'logs')).toBeDefined()
  const server = await replay('logs')
  open.push(server)
  const client = connect({ url: server.url, credential: ownCredential })
  const lines = await all(client.logs('counter', { lines: 100 }))
  expect(lines.at(-1)).toMatchObject({ level: 'Panic', message: 'health_check panicked on purpose (1 rows)', line: 46 })
  expect(lines.at(-1)).not.toHaveProperty('trace')
})

test('only what is asked for is in the query; a panic has the names of its functions', async () => {
  const panic = { level: 'Panic', ts: 1, message: 'oh', trace: [{ module_name: 'm.wasm' }, { func_name: 'a::b' }] }
  const { client, server } = await against((_, response) => response.writeHead(200, ndjson).end(JSON.stringify(panic)))
  expect(await all(client.logs('counter', {}))).toEqual([
    { level: 'Panic', timestamp: 1n, message: 'oh', trace: ['a::b'] }
  ])
  await all(client.logs('counter', { lines: 7 }))
  expect(server.requests.map(({ path }) => path.replace('/v1/database/counter/logs', ''))).toEqual(['', '?num_lines=7'])
})
