import { describe, expect, test } from '@jest/globals'
import { runSubscription } from '../../../src/smoke/kinds/subscription.ts'
import { startProxy } from '../../faults/proxy.ts'
import { webSocketRecordings } from '../../fixtures.ts'
import { call, prepareWorld } from '../../server/world.ts'
import { ownHeaders } from '../../spacetimedb/http-server.ts'
import { wireText } from '../../spacetimedb/replay-clients.ts'
import { serveClients } from '../../spacetimedb/web-socket-server.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

type Written = Readonly<Record<string, unknown>>

async function subscription(database: string, written: Written) {
  return tryOnce(runSubscription, checkOf('subscription', written), await placeOf(world, database))
}

const counters = { subscription: 'SELECT * FROM counter' }

describe('rows as clients see them', () => {
  test.each<[Written, detail: string]>([
    [counters, '1 row'],
    [{ ...counters, rows: [{ id: 0, value: 0 }], as: 'owner' }, '1 row'],
    [{ subscription: 'SELECT * FROM counter WHERE id > 5', count: 0 }, 'no rows']
  ])('%j', async (written, detail) => {
    expect(await subscription(await world.shared('counter'), written)).toEqual({ kind: 'passed', detail })
  })

  test('of several queries, private tables too where the owner asks', async () => {
    const name = await world.create('rich')
    await call(world.owner, name, 'seed', [2])
    const written = {
      subscription: ['SELECT * FROM player', 'SELECT * FROM secret'],
      as: 'owner',
      count: 4,
      some: {
        id: '0x1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050400000001',
        class: '(caster = 1)',
        at: '(x = 0.33333334, y = -0.14285714285714285)',
        guild: null
      },
      none: { big: { below: 340282366920938463463374607431768211454n } }
    }
    expect(await subscription(name, written)).toEqual({ kind: 'passed', detail: '4 rows' })
    expect(await subscription(name, { ...written, some: { nickname: 'nobody' } })).toMatchObject({
      kind: 'failed',
      expected: 'at least one row (nickname = "nobody")'
    })
  })

  test.each<[module: string, Written, reason: string]>([
    ['counter', { subscription: 'SELECT * FROM nope' }, 'The server refuses the subscription: no such table: `nope`'],
    ['rich', { subscription: 'SELECT * FROM secret' }, 'With `as: owner` the owner of the database asks.'],
    ['rich', { subscription: 'SELECT * FROM player', none: { nick: 1 } }, 'There is no column `nick`.'],
    [
      'rich',
      { subscription: 'SELECT * FROM player', none: { nickname: 1 } },
      'Column "nickname" holds texts, never 1.'
    ],
    [
      'counter',
      { ...counters, call: { reducer: 'increment_counter', args: [7], row: { nope: 1 } } },
      'There is no column `nope`.'
    ],
    [
      'counter',
      { ...counters, call: { reducer: 'increment_counter', args: [7], row: { id: 1 }, table: 'player' } },
      'No row of table "player" can arrive by this subscription. Its tables: counter.'
    ],
    [
      'counter',
      { ...counters, call: { reducer: 'increment', args: [7], row: { id: 7 } } },
      '"increment" was not run: no such reducer.'
    ],
    ['counter', { ...counters, call: { reducer: 'increment_counter', args: ['x'], row: { id: 7 } } }, 'It takes 1: id.']
  ])('the author is mistaken: %s: %j', async (module, written, reason) => {
    expect(await subscription(await world.shared(module), written)).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining(reason),
      final: true
    })
  })

  test('a database that is not there', async () => {
    const place = { ...(await placeOf(world, await world.shared('counter'))), database: 'nowhere-at-all' }
    expect(await tryOnce(runSubscription, checkOf('subscription', counters), place)).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining('`nowhere-at-all` not found'),
      final: true
    })
  })
})

describe('a row that has to arrive by a call', () => {
  const increment = { reducer: 'increment_counter', args: [7], row: { id: 7, value: 1 } }

  test('it arrives, and when is told', async () => {
    const name = await world.create('counter')
    const finding = await subscription(name, { ...counters, count: 1, call: { ...increment, table: 'counter' } })
    expect(finding).toEqual({
      kind: 'passed',
      detail: expect.stringMatching(/^1 row, then \(id = 7, value = 1\) [\d.]+ ms after the call$/)
    })
  })

  test('another row arrives', async () => {
    const name = await world.create('counter')
    const written = { ...counters, call: { ...increment, row: { value: { 'at-least': 2 } }, within: '200ms' } }
    expect(await subscription(name, written)).toEqual({
      kind: 'failed',
      expected: 'a row (value at least 2) within 200ms of the call',
      actual: '1 row otherwise: (value = 1, id = 7)'
    })
  })

  test('nothing arrives, as it is not subscribed to', async () => {
    const written = { subscription: 'SELECT * FROM counter WHERE id = 0', call: { ...increment, within: '200ms' } }
    expect(await subscription(await world.create('counter'), written)).toMatchObject({ kind: 'failed', actual: 'none' })
  })

  test('a row that goes is none that arrives', async () => {
    const written = { ...counters, call: { reducer: 'clear_counters', row: { id: 0 }, within: '200ms' } }
    expect(await subscription(await world.create('counter'), written)).toEqual({
      kind: 'failed',
      expected: 'a row (id = 0) within 200ms of the call',
      actual: 'none'
    })
  })

  test.each([
    ['counter-unhealthy', /^error: .*unhealthy/],
    ['counter-panics', /^a panic, whose text is in the log/]
  ])('the reducer fails: %s', async (module, actual) => {
    const written = { ...counters, call: { reducer: 'health_check', row: { id: 0 } } }
    expect(await subscription(await world.create(module), written)).toEqual({
      kind: 'failed',
      expected: '"health_check" ends with ok',
      actual: expect.stringMatching(actual),
      final: true
    })
  })

  test('rows that are not as they should be come first: nothing is called then', async () => {
    const name = await world.create('counter')
    expect(await subscription(name, { ...counters, count: 2, call: increment })).toMatchObject({
      expected: 'count = 2'
    })
    expect(await subscription(name, { ...counters, count: 1 })).toMatchObject({ kind: 'passed' })
  })

  test('the time of the try is over', async () => {
    const written = { ...counters, timeout: '300ms', call: { reducer: 'health_check', row: { id: 0 }, within: '5s' } }
    expect(await subscription(await world.create('counter-slow'), written)).toEqual({
      kind: 'failed',
      expected: 'an answer within 300ms',
      actual: 'none'
    })
  })
})

describe('no connection', () => {
  test('a server that never answers', async () => {
    const proxy = await startProxy(world.url)
    try {
      const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
      const check = checkOf('subscription', { ...counters, timeout: '300ms' })
      proxy.inject({ match: { path: /subscribe/ }, fault: { kind: 'hang' } })
      expect(await tryOnce(runSubscription, check, place)).toMatchObject({
        kind: expect.stringMatching(/failed|not-run/)
      })
    } finally {
      await proxy.close()
    }
  })

  test('a server that is not there', async () => {
    const proxy = await startProxy(world.url)
    await proxy.close()
    const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
    expect(await tryOnce(runSubscription, checkOf('subscription', counters), place)).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining('nothing listens')
    })
  })
})

describe('a connection that goes wrong', () => {
  const increment = { reducer: 'increment_counter', args: [7], row: { id: 7 }, within: '200ms' }

  /** `serve` gets a client that was greeted and has subscribed to a table with one row; `early` came before that row. */
  async function against(written: Written, serve: (client: Client) => unknown, early: readonly unknown[] = []) {
    const name = await world.shared('counter')
    const { text: schema } = await world.nobody('GET', `/database/${name}/schema?version=10`)
    const server = await serveClients({
      onRequest: (_, response) => response.writeHead(200, ownHeaders).end(schema),
      onClient: async (client) => {
        client.socket.send(wireText(greeting))
        await client.messages.next()
        for (const message of [...early, snapshot]) client.socket.send(wireText(message))
        await serve(client)
      }
    })
    try {
      const place = await placeOf(world, name, { url: server.url })
      return await tryOnce(runSubscription, checkOf('subscription', written), place)
    } finally {
      await server.close()
    }
  }

  test('the module lets nobody in', async () => {
    const server = await serveClients({ onClient: ({ socket }) => socket.close() })
    try {
      const place = await placeOf(world, await world.shared('counter'), { url: server.url })
      expect(await tryOnce(runSubscription, checkOf('subscription', counters), place)).toEqual({
        kind: 'failed',
        expected: 'an answer',
        actual: expect.stringContaining("the module's `client_connected` refused or failed")
      })
    } finally {
      await server.close()
    }
  })

  test('it breaks between the call and its row', async () => {
    const finding = await against({ ...counters, call: increment }, async ({ messages, raw }) => {
      await messages.next()
      raw.destroy()
    })
    expect(finding).toMatchObject({
      kind: 'failed',
      expected: 'an answer',
      actual: expect.stringContaining('the connection broke')
    })
  })

  test('a row that was there before the call does not count, one of another client does', async () => {
    const early = await against(
      { ...counters, call: increment },
      async ({ socket, messages }) => {
        await messages.next()
        socket.send(wireText(updateOf(2, '[8,1]')))
      },
      [updateOf(8, '[7,1]', '12345')]
    )
    expect(early).toEqual({
      kind: 'failed',
      expected: 'a row (id = 7) within 200ms of the call',
      actual: '1 row otherwise: (id = 8, value = 1)'
    })
    const other = await against({ ...counters, call: increment }, async ({ socket, messages }) => {
      await messages.next()
      socket.send(wireText(updateOf(2, '[8,1]')))
      socket.send(wireText(updateOf(8, '[7,1]', '12345')))
    })
    expect(other).toMatchObject({ kind: 'passed' })
  })

  test('the row comes too late', async () => {
    const finding = await against({ ...counters, call: increment }, async ({ socket, messages }) => {
      await messages.next()
      await new Promise((resolve) => setTimeout(resolve, 300))
      socket.send(wireText(updateOf(2, '[7,1]')))
    })
    expect(finding).toEqual({
      kind: 'failed',
      expected: 'a row (id = 7) within 200ms of the call',
      actual: expect.stringMatching(/^none$|ms after the call$/)
    })
  })
})

type Client = Parameters<NonNullable<Parameters<typeof serveClients>[0]['onClient']>>[0]

const recorded = webSocketRecordings()
  .find(({ name }) => name === 'subscribe, then a reducer call and its update')
  ?.exchange.flatMap((step) => ('received' in step ? [step.received] : []))
const [greeting, snapshot, update] = recorded ?? []

/** The recorded update, as the answer to that request, with that row; of another connection where one is named. */
function updateOf(requestId: number, row: string, connection?: string): unknown {
  const text = JSON.stringify(update)
    .replace('"request_id":2', `"request_id":${requestId}`)
    .replace('"[7,1]"', JSON.stringify(row))
  return JSON.parse(connection === undefined ? text : text.replace('<connection id>', connection))
}
