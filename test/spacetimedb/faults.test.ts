import { afterEach, describe, expect, test } from '@jest/globals'
import type { Clock } from '../../src/clock.ts'
import { hashModule } from '../../src/module/hash.ts'
import { type ConnectOptions, connect } from '../../src/spacetimedb/client.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { all } from './all.ts'
import { type Answering, ownHeaders, serve, serveRaw } from './http-server.ts'
import { ownCredential } from './tokens.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

/** Time that passes only by waiting, and chance that always says the most. */
function testClock() {
  const waits: number[] = []
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock: Clock = {
    now: () => now,
    random: () => 0.999999,
    sleep: async (milliseconds) => {
      waits.push(milliseconds)
      now += milliseconds
    }
  }
  return { clock, waits }
}

async function against(answering: Answering, options: Partial<ConnectOptions> = {}) {
  const server = await serve(answering)
  open.push(server)
  const { clock, waits } = testClock()
  const notes: string[] = []
  const client = connect({
    url: server.url,
    credential: ownCredential,
    clock,
    onRetry: (message) => notes.push(message),
    ...options
  })
  return { client, server, waits, notes }
}

/** Answers the first requests with trouble, one after another, and everything after with `last`. */
function first(troubles: readonly Answering[], last: Answering): Answering {
  const left = [...troubles]
  return (request, response) => (left.shift() ?? last)(request, response)
}

const answer =
  (status: number, headers: Record<string, string>, body: string): Answering =>
  (_, response) =>
    response.writeHead(status, headers).end(body)

const reset: Answering = ({ socket }) => socket.resetAndDestroy()
const silence: Answering = () => {}
const cut: Answering = ({ socket }, response) => {
  response.writeHead(200, { ...ownHeaders, 'content-length': '100' }).write('{"Succ')
  setTimeout(() => socket.destroy(), 10)
}

/** The head came, and nothing after it. */
const cutAfterHead: Answering = ({ socket }, response) => {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders()
  setTimeout(() => socket.destroy(), 10)
}

const module = { bytes: new Uint8Array([1, 2, 3]), kind: 'wasm', hash: hashModule(new Uint8Array([1, 2, 3])) } as const
const identity = `c200${'d'.repeat(60)}`
const html = { 'content-type': 'text/html' }
const published = (domain: string | null, database: string) =>
  answer(200, ownHeaders, JSON.stringify({ Success: { domain, database_identity: database, op: 'updated' } }))

describe('publishing is sent once, and its end is judged', () => {
  test.each<[string, Answering, object]>([
    ['Success', published('counter', identity), { kind: 'published', operation: 'updated', identity }],
    ['Success for another name', published('other', identity), { kind: 'uncertain' }],
    ['Success for no name', published(null, identity), { kind: 'uncertain' }],
    ['a 200 that is cut off', cut, { kind: 'uncertain', failure: { kind: 'interrupted' } }],
    [
      'a 200 that is a page',
      answer(200, html, '<html>'),
      { kind: 'uncertain', failure: { kind: 'unexpected-answer' } }
    ],
    ['a 200 with nothing', answer(200, ownHeaders, ''), { kind: 'uncertain' }],
    ['a 200 of another form', answer(200, ownHeaders, '{"PermissionDenied":{"name":"x"}}'), { kind: 'uncertain' }],
    ["the server's 400", answer(400, ownHeaders, 'no\n'), { kind: 'refused', reason: 'no' }],
    ["the server's 415", answer(415, ownHeaders, ''), { kind: 'refused', reason: 'status 415, without a reason' }],
    ["a proxy's 400", answer(400, html, '<html>'), { kind: 'uncertain', failure: { status: 400 } }],
    [
      "a proxy's 413",
      answer(413, html, '<html>'),
      { kind: 'uncertain', failure: { message: expect.stringContaining('client_max_body_size') } }
    ],
    ["the server's 500", answer(500, ownHeaders, 'bad module'), { kind: 'bad-module', reason: 'bad module' }],
    ["the server's 500 without a reason", answer(500, ownHeaders, ''), { kind: 'uncertain' }],
    ["the server's 500 about the moment", answer(500, ownHeaders, 'no such module'), { kind: 'uncertain' }],
    [
      "the server's 500 about its turn",
      answer(500, ownHeaders, 'unable to lock database c2 for update'),
      { kind: 'uncertain' }
    ],
    [
      "the server's 500 about a race",
      answer(500, ownHeaders, 'record with the name counter already exists'),
      { kind: 'uncertain' }
    ],
    ["a proxy's 500", answer(500, html, '<html>oops'), { kind: 'uncertain', failure: { kind: 'server-error' } }],
    ["a proxy's 500 in plain text", answer(500, { 'content-type': 'text/plain' }, 'oops'), { kind: 'uncertain' }],
    ["a proxy's empty 500", answer(500, {}, ''), { kind: 'uncertain' }],
    ['502', answer(502, html, ''), { kind: 'uncertain' }],
    ["the server's 503", answer(503, ownHeaders, 'Database update failed: cancelled'), { kind: 'uncertain' }],
    ["the server's 504", answer(504, ownHeaders, 'timeout waiting for confirmation'), { kind: 'uncertain' }],
    ['408', answer(408, ownHeaders, ''), { kind: 'uncertain' }],
    ['429', answer(429, { 'retry-after': '1' }, ''), { kind: 'uncertain', failure: { kind: 'rate-limited' } }],
    ['a redirect', answer(308, { location: 'https://example.com' }, ''), { kind: 'uncertain' }],
    ['a reset', reset, { kind: 'uncertain', failure: { kind: 'interrupted' } }],
    [
      'silence',
      silence,
      { kind: 'uncertain', failure: { kind: 'timed-out', message: expect.stringContaining('`publish-timeout`') } }
    ]
  ])('%s', async (_, answering, expected) => {
    const options = { timeouts: { publish: 200 }, timeoutInputs: { publish: 'publish-timeout' } }
    const { client, server } = await against(answering, options)
    expect(await client.publishUpdate('counter', module, '0x1')).toMatchObject(expected)
    expect(await client.publishFirst('counter', module)).toMatchObject(expected)
    expect(server.requests).toHaveLength(2)
  })

  test.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'missing']
  ])('%i is thrown', async (status, kind) => {
    const { client, server } = await against(answer(status, ownHeaders, 'why'))
    await expect(client.publishUpdate('counter', module, '0x1')).rejects.toMatchObject({ name: 'ServerFailure', kind })
    expect(server.requests).toHaveLength(1)
  })

  test('to an identity, the answer has to be about it', async () => {
    const { client } = await against(published(null, identity))
    expect(await client.publishUpdate(identity, module, '0x1')).toMatchObject({ kind: 'published' })
    expect(await client.publishUpdate(`c200${'e'.repeat(60)}`, module, '0x1')).toMatchObject({ kind: 'uncertain' })
  })

  test('without a connection nothing was sent', async () => {
    const { client, server } = await against(silence)
    await server.close()
    expect(await client.publishUpdate('counter', module, '0x1')).toMatchObject({
      kind: 'not-sent',
      failure: { kind: 'unreachable', message: expect.stringContaining(`127.0.0.1:${server.port}`) }
    })
  })

  test('without a token nothing was sent', async () => {
    const credential = { ...ownCredential, token: () => Promise.reject(new Error('no token today')) }
    const { client, server } = await against(silence, { credential })
    expect(await client.publishFirst('counter', module)).toMatchObject({
      kind: 'not-sent',
      failure: { message: 'no token today' }
    })
    expect(server.requests).toEqual([])
  })

  test('a connection that the server closed meanwhile loses no publish', async () => {
    const { client, server } = await against((request, response) => {
      if (request.method === 'GET') response.end(() => request.socket.destroy())
      else published('counter', identity)(request, response)
    })
    await client.ping()
    expect(await client.publishUpdate('counter', module, '0x1')).toMatchObject({ kind: 'published' })
    expect(server.requests).toHaveLength(2)
  })
})

describe('what changes something is sent once, whatever happens to it', () => {
  const troubles: [string, Answering, string][] = [
    ['a reset', reset, 'interrupted'],
    ['silence', silence, 'timed-out'],
    ['503', answer(503, {}, ''), 'server-error'],
    ['429', answer(429, { 'retry-after': '0' }, ''), 'rate-limited'],
    ["a proxy's 500", answer(500, html, ''), 'server-error'],
    ["Cloudflare's 530", answer(530, html, '<html>error 1016'), 'server-error']
  ]
  const calls: [string, (server: Server) => Promise<unknown>][] = [
    ['call', (server) => server.call('counter', 'f', [], 100)],
    ['lock', (server) => server.lock('counter')],
    ['unlock', (server) => server.unlock('counter')],
    ['SQL that inserts', (server) => server.sql('counter', 'INSERT INTO counter (id) VALUES (1)')],
    ['SQL that deletes', (server) => server.sql('counter', ' delete from counter')]
  ]
  test.each(troubles.flatMap((trouble) => calls.map((call) => [...trouble, ...call] as const)))(
    '%s',
    async (_trouble, answering, kind, _call, use) => {
      const { client, server } = await against(answering, { timeouts: { read: 100 } })
      await expect(use(client)).rejects.toMatchObject({ name: 'ServerFailure', kind })
      expect(server.requests).toHaveLength(1)
    }
  )

  test.each(troubles)('a deletion, %s', async (_trouble, answering, kind) => {
    const { client, server } = await against(answering, { timeouts: { read: 100 } })
    const deleted = await client.delete('c2'.padEnd(64, '0') as Identity)
    expect(deleted).toMatchObject({ kind: 'uncertain', failure: { name: 'ServerFailure', kind } })
    expect(server.requests).toHaveLength(1)
  })
})

describe('questions are asked again', () => {
  test('within the time that the caller gives for all attempts together', async () => {
    const { client, server, waits } = await against(silence, { timeoutInputs: { read: 'read-timeout' } })
    const failure = await client.sql('counter', 'SELECT * FROM counter', 400).catch((error) => error)
    expect(failure).toMatchObject({ name: 'ServerFailure', kind: 'timed-out' })
    expect(failure.message).toContain('no whole answer within 150 ms.')
    expect(failure.message).not.toContain('read-timeout')
    expect(server.requests).toHaveLength(2)
    expect(waits).toEqual([250])
  })

  const sqlRow = (row: unknown[]) =>
    answer(200, ownHeaders, JSON.stringify([{ schema: { elements: [] }, rows: [row] }]))
  const planned = answer(
    200,
    ownHeaders,
    '{"AutoMigrate":{"migrate_plan":"","break_clients":false,"token":"0x1","major_version_upgrade":false}}'
  )
  const calls: [string, (server: Server) => Promise<unknown>, Answering, Answering?][] = [
    ['ping', (server) => server.ping(), answer(200, {}, '')],
    ['resolve', (server) => server.resolve('counter'), answer(404, ownHeaders, 'No such database.')],
    ['plan', (server) => server.plan('counter', module), planned],
    ['live', (server) => server.live('counter'), sqlRow([0, '0x1'])],
    ['SQL that selects', (server) => server.sql('counter', 'SELECT 1'), sqlRow([1])],
    ['metrics', (server) => server.metrics(), answer(200, {}, '')],
    [
      'logs',
      (server) => all(server.logs('counter', { lines: 1 })),
      answer(200, { 'content-type': 'application/x-ndjson' }, ''),
      cutAfterHead
    ],
    ['metrics of a database', (server) => server.databaseMetrics(identity), answer(200, {}, ''), cutAfterHead]
  ]
  test.each(calls)('%s, after whatever passes', async (_, use, last, cutOff = cut) => {
    const troubles = [reset, cutOff, answer(503, html, ''), answer(500, html, ''), answer(429, {}, '')]
    const { client, server, waits, notes } = await against(first(troubles, last))
    await use(client)
    expect(server.requests).toHaveLength(6)
    expect(waits).toEqual([250, 500, 1000, 2000, 4000])
    expect(notes).toHaveLength(5)
    expect(notes[2]).toMatch(/503.*Trying again in 1\.0 s\.$/)
  })

  test('not without end', async () => {
    const { client, server } = await against(answer(503, html, 'down'))
    await expect(client.ping()).rejects.toMatchObject({ kind: 'server-error', status: 503 })
    expect(server.requests).toHaveLength(6)
  })

  test('a time-out is one of them', async () => {
    const { client, server } = await against(first([silence], answer(200, {}, '')), { timeouts: { read: 100 } })
    await client.ping()
    expect(server.requests).toHaveLength(2)
  })

  test('Retry-After is waited for, in seconds or as a date, if there is time', async () => {
    const { client, waits } = await against(
      first(
        [answer(429, { 'retry-after': '7' }, ''), answer(503, { 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT' }, '')],
        answer(200, {}, '')
      )
    )
    await client.ping()
    expect(waits).toEqual([7000, 13_000])
    const hasty = await against(answer(429, { 'retry-after': '3600' }, ''))
    await expect(hasty.client.ping()).rejects.toMatchObject({
      kind: 'rate-limited',
      message: expect.stringContaining('3600 s')
    })
    expect(hasty.server.requests).toHaveLength(1)
  })

  test.each([400, 401, 403, 404, 418, 501])('not when the answer is %i', async (status) => {
    const { client, server } = await against(answer(status, ownHeaders, ''))
    await expect(client.resolve('counter')).rejects.toMatchObject({ status })
    expect(server.requests).toHaveLength(1)
  })

  test('what is live is asked without the token when that is refused', async () => {
    const { client, server } = await against(answer(401, {}, 'ExpiredSignature'))
    await expect(client.live('counter')).rejects.toMatchObject({ status: 401 })
    expect(server.requests.map(({ headers }) => headers.authorization !== undefined)).toEqual([true, false])
  })

  test("not when a plan's 500 is about the module", async () => {
    const { client, server } = await against(answer(500, ownHeaders, 'bad magic number'))
    expect(await client.plan('counter', module)).toEqual({ kind: 'bad-module', reason: 'bad magic number' })
    expect(server.requests).toHaveLength(1)
  })

  test("a plan's 500 about the moment is one of them", async () => {
    const trouble = answer(500, ownHeaders, 'no such module')
    const { client, server } = await against(first([trouble, trouble], planned))
    expect(await client.plan('counter', module)).toMatchObject({ kind: 'automatic' })
    expect(server.requests).toHaveLength(3)
  })

  test('not when the other side speaks no TLS', async () => {
    const raw = await serveRaw((socket) => socket.once('data', () => socket.end('not TLS')))
    open.push(raw)
    const { clock, waits } = testClock()
    await expect(connect({ url: raw.url.replace('http:', 'https:'), clock }).ping()).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringContaining('plain http')
    })
    expect(waits).toEqual([])
  })
})

describe('what is not allowed', () => {
  test.each<[string, (server: Server) => Promise<unknown>, number, Record<string, string>, string]>([
    ['a refused token', (server) => server.resolve('counter'), 401, {}, 'the token was refused'],
    ['a lost race', (server) => server.publishFirst('counter', module), 401, ownHeaders, 'not allowed to this token'],
    ['another owner', (server) => server.plan('counter', module), 403, ownHeaders, 'Only the owner'],
    ['a module that lets nobody in', (server) => server.live('counter'), 403, ownHeaders, '`client_connected` refused']
  ])('%s is told from the rest', async (_, use, status, headers, message) => {
    const { client } = await against(answer(status, headers, 'why'))
    await expect(use(client)).rejects.toMatchObject({ status, message: expect.stringContaining(message) })
  })
})

describe('a server that is not there', () => {
  test.each([
    ['refused', 'http://127.0.0.1:1', /127\.0\.0\.1:1 \(connection refused\).*Is the server running/],
    ['several addresses refused', 'http://localhost:1', /localhost:1/],
    ['no such name', 'http://nowhere.invalid', /nowhere\.invalid:80 /]
  ])('%s', async (_, url, message) => {
    const { clock } = testClock()
    await expect(connect({ url, clock }).ping()).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(message)
    })
  })
})

describe('a log', () => {
  const line = (message: string) => `${JSON.stringify({ level: 'Info', ts: 1, message })}\n`
  const ndjson = { 'content-type': 'application/x-ndjson' }

  test('gives lines as they come until it is stopped', async () => {
    const { client, server } = await against(
      (_, response) => {
        response.writeHead(200, ndjson).write(line('one'))
        setTimeout(() => response.write(line('two')), 30)
      },
      { timeouts: { read: 1000 } }
    )
    const stop = new AbortController()
    const seen: string[] = []
    for await (const { message } of client.logs('counter', { lines: 2, signal: stop.signal })) {
      seen.push(message)
      if (message === 'two') stop.abort()
    }
    expect(seen).toEqual(['one', 'two'])
    expect(server.requests[0]?.path).toBe('/v1/database/counter/logs?num_lines=2')
  })

  test('that breaks off is a failure', async () => {
    const { client } = await against(({ socket }, response) => {
      response.writeHead(200, ndjson).write(line('one'))
      setTimeout(() => socket.destroy(), 20)
    })
    await expect(all(client.logs('counter', { lines: 1 }))).rejects.toMatchObject({
      kind: 'interrupted'
    })
  })

  test('is not begun when it was stopped before, and stops while it waits to be answered', async () => {
    const { client, server } = await against(silence)
    expect(await all(client.logs('counter', { lines: 1, signal: AbortSignal.abort() }))).toEqual([])
    expect(server.requests).toEqual([])
    const signal = AbortSignal.timeout(50)
    expect(await all(client.logs('counter', { lines: 1, signal }))).toEqual([])
  })

  test('a page is no log', async () => {
    const { client } = await against(answer(200, html, '<html>'))
    await expect(all(client.logs('counter', { lines: 1 }))).rejects.toMatchObject({
      kind: 'unexpected-answer'
    })
  })
})
