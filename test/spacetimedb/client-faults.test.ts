import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from '@jest/globals'
import { type ConnectOptions, connect } from '../../src/spacetimedb/client.ts'
import type { ClientConnection } from '../../src/spacetimedb/client-connection.ts'
import { webSocketRecordings } from '../fixtures.ts'
import { all } from './all.ts'
import { ownHeaders, serveRaw } from './http-server.ts'
import { secretOfAnswers } from './replay.ts'
import { wireText } from './replay-clients.ts'
import { ownCredential } from './tokens.ts'
import { refuseUpgrade, type Serving, serveClients } from './web-socket-server.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
})

function opened<Closable extends { close(): Promise<void> }>(closable: Closable): Closable {
  open.push(closable)
  return closable
}

const [firstStep] = webSocketRecordings()[0]?.exchange ?? []
const greeting = wireText(firstStep !== undefined && 'received' in firstStep ? firstStep.received : undefined)

async function clientOf(onClient: Serving, options: Partial<ConnectOptions> = {}) {
  const server = opened(await serveClients({ onClient }))
  return connect({ url: server.url, credential: ownCredential, ...options })
}

async function connectionTo(onClient: Serving, options?: Partial<ConnectOptions>): Promise<ClientConnection> {
  return opened(await (await clientOf(onClient, options)).connectClient('counter'))
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error
  )

describe('no upgrade', () => {
  const html = { 'content-type': 'text/html' }
  const hint = /pass WebSocket upgrades/
  test.each<[string, number, Record<string, string>, string, string, RegExp, boolean]>([
    ['a refused token', 401, {}, 'Invalid token: InvalidToken', 'unauthorized', /the token was refused/, false],
    ['a database that is not there', 404, ownHeaders, '`counter` not found', 'missing', /`counter` not found/, false],
    ['the same through a proxy that drops headers', 404, {}, '`counter` not found', 'missing', /not found/, false],
    ['a web server', 404, html, '<html>', 'missing', /404/, true],
    ['forbidden', 403, ownHeaders, 'no', 'forbidden', /not allowed/, false],
    ['forbidden by a proxy', 403, html, '<html>', 'unexpected-answer', /before the server forbids/, true],
    ['a page', 200, html, '<html>Welcome', 'unexpected-answer', /status 200: "<html>Welcome"/, true],
    ['a proxy that drops the headers of the upgrade', 426, ownHeaders, 'websocket', 'unexpected-answer', /426/, true],
    ['a bad request', 400, ownHeaders, 'no valid protocol selected', 'unexpected-answer', /no valid protocol/, false],
    [
      'a redirect',
      301,
      { location: 'https://x.test/?t=1' },
      '',
      'unexpected-answer',
      /redirects to https:\/\/x\.test\//,
      false
    ],
    ['too many', 429, { 'retry-after': '7' }, '', 'rate-limited', /again in 7 s/, false],
    ['a proxy without a server', 502, html, 'bad gateway', 'server-error', /failed \(502\)/, false],
    ['no running module', 500, ownHeaders, 'no such module', 'server-error', /no such module/, false]
  ])('%s', async (_, status, headers, body, kind, text, hinted) => {
    const given = { ...headers, 'spacetime-identity-token': secretOfAnswers }
    const server = opened(await serveClients({ onUpgrade: (_, raw) => refuseUpgrade(raw, status, given, body) }))
    const told: string[] = []
    const client = connect({ url: server.url, credential: ownCredential, onSecret: (secret) => told.push(secret) })
    const failure = (await failureOf(client.connectClient('counter'))) as Error
    expect(failure).toMatchObject({ name: 'ServerFailure', kind, status, message: expect.stringMatching(text) })
    expect(hint.test(failure.message)).toBe(hinted)
    expect(told).toContain(secretOfAnswers)
    expect(server.upgrades).toHaveLength(1)
  })

  test.each<[string, (key: string) => string, string, RegExp]>([
    ['another accept', () => 'x', 'v1.json.spacetimedb', /not properly: Invalid Sec-WebSocket-Accept header/],
    ['another protocol', acceptOf, 'v9.json', /not properly: Server sent an invalid subprotocol/]
  ])('an upgrade with %s', async (_, accept, protocol, text) => {
    const server = opened(
      await serveClients({
        onUpgrade: (request, raw) =>
          raw.write(
            `HTTP/1.1 101 Yes\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept(request.headers['sec-websocket-key'] ?? '')}\r\nsec-websocket-protocol: ${protocol}\r\n\r\n`
          )
      })
    )
    await expect(connect({ url: server.url }).connectClient('counter')).rejects.toMatchObject({
      kind: 'unexpected-answer',
      message: expect.stringMatching(text)
    })
  })

  test.each<[string, (raw: { destroy(): void; end(text: string): void }) => void, string, RegExp]>([
    ['a reset', (raw) => raw.destroy(), 'interrupted', /the connection broke/],
    ['silence', () => {}, 'timed-out', /no whole answer within 200 ms/],
    ['no HTTP', (raw) => raw.end('hello\r\n\r\n'), 'unexpected-answer', /not HTTP/]
  ])('%s', async (_, act, kind, text) => {
    const server = opened(await serveRaw((socket) => socket.once('data', () => act(socket))))
    const connecting = connect({ url: server.url }).connectClient('counter', { timeout: 200 })
    await expect(connecting).rejects.toMatchObject({ kind, message: expect.stringMatching(text) })
  })

  test('nobody there', async () => {
    await expect(connect({ url: 'http://127.0.0.1:1' }).connectClient('counter')).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining(
        'Could not connect to "counter" as a client on http://127.0.0.1:1: nothing listens'
      )
    })
  })

  test('given up before and while it is opened', async () => {
    const client = await clientOf(() => {})
    await expect(client.connectClient('counter', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'ServerFailure'
    })
    await expect(client.connectClient('counter', { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'ServerFailure',
      message: expect.stringContaining('gave the connection up')
    })
  })
})

describe('before the server has said who we are', () => {
  test.each<[string, Serving, string, RegExp]>([
    [
      'it ends, as for a client that the module refuses',
      ({ raw }) => raw.end(),
      'interrupted',
      /`client_connected` refused or failed/
    ],
    ['it resets', ({ raw }) => raw.resetAndDestroy(), 'interrupted', /broke/],
    ['it closes', ({ socket }) => socket.close(1011, 'oh no'), 'interrupted', /closed it \(1011, oh no\)/],
    ['it says nothing', () => {}, 'timed-out', /within 300 ms the server did not say who we are/],
    [
      'it speaks of something else',
      ({ socket }) => socket.send('{"TransactionUpdate":{}}'),
      'unexpected-answer',
      /`TransactionUpdate` is not as expected/
    ],
    ['it sends garbage', ({ socket }) => socket.send('garbage'), 'unexpected-answer', /no JSON object/],
    ['it sends bytes', ({ socket }) => socket.send(Buffer.from([1, 2])), 'unexpected-answer', /binary/]
  ])('%s', async (_, onClient, kind, text) => {
    const client = await clientOf(onClient)
    await expect(client.connectClient('counter', { timeout: 300 })).rejects.toMatchObject({
      name: 'ServerFailure',
      kind,
      message: expect.stringMatching(text)
    })
  })
})

describe('a connection that ends', () => {
  const frameOf300MiB = Buffer.from([0x81, 127, 0, 0, 0, 0, 0x12, 0xc0, 0, 0])
  test.each<[string, Serving, string, RegExp]>([
    [
      'is closed',
      ({ socket }) => socket.close(1001, 'module exited'),
      'interrupted',
      /\(1001, module exited\): the module was replaced/
    ],
    ['is closed without a word', ({ socket }) => socket.close(), 'interrupted', /closed it \(1005\)\./],
    ['is reset', ({ raw }) => raw.resetAndDestroy(), 'interrupted', /broke \((1006|ECONNRESET)\)/],
    [
      'brings garbage',
      ({ socket }) => socket.send('{"garbage":1}'),
      'unexpected-answer',
      /a kind that was not asked for/
    ],
    [
      'brings two things in one',
      ({ socket }) => socket.send('{"IdentityToken":1,"x":2}'),
      'unexpected-answer',
      /a kind that/
    ],
    ['greets twice', ({ socket }) => socket.send(greeting), 'unexpected-answer', /twice/],
    [
      'breaks the rules',
      ({ raw }) => raw.write(Buffer.from([0xff, 0xff])),
      'unexpected-answer',
      /no message that is taken/
    ],
    [
      'brings a message without end',
      ({ raw }) => raw.write(frameOf300MiB),
      'unexpected-answer',
      /Max payload size exceeded/
    ],
    [
      'brings text that is no UTF-8',
      ({ raw }) => raw.write(Buffer.from([0x81, 1, 0xff])),
      'unexpected-answer',
      /UTF-8/
    ],
    [
      'loses what was subscribed',
      ({ socket }) => socket.send(dropped),
      'server-error',
      /dropped what was subscribed: too slow/
    ]
  ])('as it %s', async (_, end, kind, text) => {
    const connection = await connectionTo(async (client) => {
      client.socket.send(greeting)
      await client.messages.next()
      await client.messages.next()
      end(client)
    })
    const expected = { name: 'ServerFailure', kind, message: expect.stringMatching(text) }
    const waiting = [
      failureOf(connection.call('increment_counter', [1], 5000)),
      failureOf(connection.subscribe(['SELECT * FROM counter'], 5000)),
      failureOf(all(connection.changes()))
    ]
    const [call, subscription, changes] = await Promise.all(waiting)
    expect(call).toMatchObject({ ...expected, message: expect.stringMatching(/^Could not call "increment_counter"/) })
    expect([call, subscription, changes]).toMatchObject([expected, expected, expected])
    expect(await connection.closed).toMatch(text)
    await expect(connection.call('increment_counter', [1], 5000)).rejects.toMatchObject(expected)
    await connection.close()
  })

  const dropped =
    '{"SubscriptionError":{"total_host_execution_duration_micros":1,"request_id":{"none":[]},"query_id":{"none":[]},"table_id":{"none":[]},"error":"too slow"}}'

  test('half-open: no byte comes, not even a pong', async () => {
    const connection = await connectionTo(
      ({ socket, raw }) => {
        socket.send(greeting)
        setTimeout(() => raw.pause(), 20)
      },
      { timeouts: { silence: 300 } }
    )
    await expect(all(connection.changes())).rejects.toMatchObject({
      kind: 'timed-out',
      message: expect.stringContaining('nothing came for 300 ms, not even an answer to a ping')
    })
  })

  test('but not one that is merely quiet', async () => {
    const connection = await connectionTo(({ socket }) => socket.send(greeting), { timeouts: { silence: 150 } })
    const quiet = new Promise((resolve) => setTimeout(resolve, 600, 'still open'))
    expect(await Promise.race([connection.closed, quiet])).toBe('still open')
  })

  test('when its signal is aborted, without an error for who listens', async () => {
    const stop = new AbortController()
    const client = await clientOf(({ socket }) => socket.send(greeting))
    const connection = await client.connectClient('counter', { signal: stop.signal })
    const changes = all(connection.changes())
    stop.abort()
    expect(await changes).toEqual([])
    expect(await connection.closed).toContain('gave the connection up')
  })

  test('closing has an end, whatever the server does', async () => {
    const connection = await connectionTo(({ socket, raw }) => {
      socket.send(greeting)
      setTimeout(() => raw.pause(), 20)
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    const call = failureOf(connection.call('f', [], 5000))
    const started = performance.now()
    await connection.close()
    expect(performance.now() - started).toBeLessThan(6000)
    expect(await call).toMatchObject({ kind: 'interrupted' })
  })

  test('arguments that are too long are not sent', async () => {
    const connection = await connectionTo(({ socket }) => socket.send(greeting))
    expect(await connection.call('f', ['x'.repeat(33 << 20)], 5000)).toMatchObject({ kind: 'rejected', status: 413 })
  })
})

/** What RFC 6455 wants as an answer to a key. */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}
