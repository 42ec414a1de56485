import { afterEach, describe, expect, test } from '@jest/globals'
import { connect } from '../../src/spacetimedb/client.ts'
import type { ClientConnection, TableChange } from '../../src/spacetimedb/client-connection.ts'
import { recordings, webSocketRecordings } from '../fixtures.ts'
import { identities, secretOfAnswers } from './replay.ts'
import { recordedConnectionId, replayExchange, wireText } from './replay-clients.ts'
import { ownCredential, ownToken } from './tokens.ts'
import { serveClients } from './web-socket-server.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
})

function opened<Closable extends { close(): Promise<void> }>(closable: Closable): Closable {
  open.push(closable)
  return closable
}

const counterSchema = recordings().find((each) => each.case === 'schema-10')?.response.body ?? ''

const clientOf = (url: string) => connect({ url, credential: ownCredential })

/** The first changes, as soon as there are so many. */
async function firstChanges(connection: ClientConnection, count: number): Promise<TableChange[]> {
  const found: TableChange[] = []
  for await (const change of connection.changes()) if (found.push(change) === count) break
  return found
}

const message = (kind: string) =>
  webSocketRecordings()
    .flatMap(({ exchange }) => exchange)
    .flatMap((step) => ('received' in step ? [step.received as Record<string, unknown>] : []))
    .find((each) => kind in each) ?? {}

/** A copy of a recorded message, its parts replaced: `change` gets the part under its kind. */
function changed(kind: string, change: (part: Record<string, never>) => object): string {
  const part = structuredClone(message(kind)[kind]) as Record<string, never>
  return wireText({ [kind]: { ...part, ...change(part) } })
}

const greeting = wireText(message('IdentityToken'))

describe('what a real server did', () => {
  test('a subscription, a call, and the change that it makes', async () => {
    const server = opened(await replayExchange('subscribe, then a reducer call and its update', counterSchema))
    const connection = opened(await clientOf(server.url).connectClient('ws'))
    expect(connection.identity).toBe(identities.owner)
    const snapshot = await connection.subscribe(['SELECT * FROM counter'], 5000)
    expect(snapshot).toEqual({ tables: [{ table: 'counter', inserts: [{ id: 0, value: 0 }], deletes: [] }] })
    const asked = performance.now()
    const outcome = await connection.call('increment_counter', [7], 5000)
    expect(outcome).toEqual({ kind: 'ok', value: undefined, durationMicros: 1234 })
    const changes = await firstChanges(connection, 1)
    expect(changes).toEqual([
      {
        table: 'counter',
        inserts: [{ id: 7, value: 1 }],
        deletes: [],
        reducer: 'increment_counter',
        at: expect.any(Number)
      }
    ])
    expect(changes[0]?.at).toBeGreaterThanOrEqual(asked)
    expect(server.sent).toEqual(server.exchange.exchange.flatMap((step) => ('sent' in step ? [step.sent] : [])))
    expect(server.upgrades[0]).toMatchObject({
      url: '/v1/database/ws/subscribe?compression=None',
      headers: { authorization: `Bearer ${ownToken}`, 'sec-websocket-protocol': 'v1.json.spacetimedb' }
    })
    expect(server.upgrades[0]?.headers).not.toHaveProperty('sec-websocket-extensions')
  })

  test('anonymous: no token is sent', async () => {
    const server = opened(await replayExchange('anonymous'))
    const connection = opened(await clientOf(server.url).connectClient('ws', { anonymous: true }))
    expect(connection.identity).toBe(identities.other)
    expect(server.upgrades[0]?.headers).not.toHaveProperty('authorization')
    expect((await connection.subscribe(['SELECT * FROM counter'], 5000)).tables[0]?.inserts).toHaveLength(2)
  })

  test.each([
    ['unknown table', 'no such table: `nope`'],
    ['private table, anonymous', 'no such table: `secret`']
  ])('%s: the query is refused, and the connection lives on', async (name, reason) => {
    const server = opened(await replayExchange(name))
    const connection = opened(await clientOf(server.url).connectClient('ws'))
    await expect(connection.subscribe(['SELECT * FROM nope'], 5000)).rejects.toMatchObject({
      name: 'SubscriptionRefused',
      reason: expect.stringContaining(reason),
      message: expect.stringMatching(/^Could not subscribe to "ws" on http:.*: the server refuses: no such table/)
    })
    expect(await Promise.race([connection.closed, 'open'])).toBe('open')
  })

  test('arguments that do not fit are rejected, although the answer names no request', async () => {
    const server = opened(await replayExchange('reducer error'))
    const connection = opened(await clientOf(server.url).connectClient('ws'))
    await connection.subscribe(['SELECT * FROM counter'], 5000)
    expect(await connection.call('increment_counter', ['x'], 5000)).toMatchObject({
      kind: 'rejected',
      status: 400,
      reason: expect.stringContaining('invalid arguments for reducer increment_counter')
    })
  })

  test('rows of a snapshot have names, and values exactly as in SQL answers', async () => {
    const server = opened(await replayExchange('private and public tables in one snapshot, as owner'))
    const connection = opened(await clientOf(server.url).connectClient('wsrich'))
    const { tables } = await connection.subscribe(['SELECT * FROM player', 'SELECT * FROM secret'], 5000)
    expect(tables.map(({ table }) => table)).toEqual(['player', 'secret', 'tick'])
    expect(tables[0]?.inserts[0]).toEqual({
      id: ['0x1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050400000000'],
      nickname: 'player "0" — naïve',
      class: [0, []],
      at: [0, -0],
      guild: [0, 2n ** 64n - 1n],
      tags: ['t0', ''],
      joined: [1795459467699141]
    })
    expect(tables[1]?.inserts[0]).toMatchObject({ big: 2n ** 128n - 1n, signed: -(2n ** 127n), blob: '00ff00' })
    expect(tables[1]?.inserts[0]?.conn).toEqual([0, [279644447473748814361743348374015555418n]])
  })

  test.each([
    ['missing database', 'missing', 404, '`nowhere` not found'],
    ['bad token', 'unauthorized', 401, 'the token was refused'],
    ['unknown protocol', 'unexpected-answer', 400, 'no valid protocol selected']
  ])('%s', async (name, kind, status, text) => {
    const server = opened(await replayExchange(name))
    await expect(clientOf(server.url).connectClient(server.exchange.database)).rejects.toMatchObject({
      name: 'ServerFailure',
      kind,
      status,
      message: expect.stringContaining(text)
    })
  })
})

describe('outcomes are told apart', () => {
  type Request = { CallReducer: { reducer: string; request_id: number } }
  const update = (status: object, requestId: number, reducer: string, caller = recordedConnectionId) =>
    changed('TransactionUpdate', (part) => ({
      status,
      caller_connection_id: { __connection_id__: '<caller>' },
      reducer_call: { ...(part.reducer_call as unknown as object), reducer_name: reducer, request_id: requestId }
    })).replace('"<caller>"', caller)

  test('by request and connection, in whatever order they come', async () => {
    const server = opened(
      await serveClients({
        onClient: async ({ socket, messages }) => {
          socket.send(greeting)
          const calls = [await messages.next(), await messages.next(), await messages.next(), await messages.next()]
          const [one, two, three, four] = calls.map(({ value }) => (value as Request).CallReducer)
          // Somebody else's request has the same number.
          socket.send(update({ Failed: 'not yours' }, one?.request_id ?? 0, 'a', '42'))
          socket.send(update({ OutOfEnergy: [] }, three?.request_id ?? 0, 'c'))
          socket.send(update({ Failed: 'no such reducer' }, 0, 'b-b'))
          socket.send(update({ Failed: 'it says no' }, four?.request_id ?? 0, 'a'))
          socket.send(update({ Committed: { tables: [] } }, one?.request_id ?? 0, 'a'))
          if (two?.reducer !== 'b-b') socket.close()
        }
      })
    )
    const connection = opened(await clientOf(server.url).connectClient('counter'))
    const outcomes = ['a', 'b-b', 'c', 'a'].map((reducer) => connection.call(reducer, [], 5000))
    expect(await Promise.all(outcomes)).toEqual([
      { kind: 'ok', value: undefined, durationMicros: 1234 },
      { kind: 'rejected', status: 404, reason: 'no such reducer' },
      { kind: 'rejected', status: 402, reason: expect.any(String) },
      { kind: 'failed', reason: 'it says no' }
    ])
  })

  test('an answer that comes too late is nobody else’s', async () => {
    const server = opened(
      await serveClients({
        onClient: async ({ socket, messages }) => {
          socket.send(greeting)
          await messages.next()
          await messages.next()
          socket.send(update({ Failed: 'late' }, 1, 'slow'))
          socket.send(update({ Committed: { tables: [] } }, 2, 'slow'))
        }
      })
    )
    const connection = opened(await clientOf(server.url).connectClient('counter'))
    await expect(connection.call('slow', [], 50)).rejects.toMatchObject({
      kind: 'timed-out',
      message: expect.stringMatching(
        /^Could not call "slow" of "counter" as a client .*no outcome came within 50 ms\.$/
      )
    })
    expect(await connection.call('slow', [], 5000)).toMatchObject({ kind: 'ok' })
  })

  test('what came before somebody listens is kept, and listening can be stopped and begun again', async () => {
    const rows = (id: number) => ({
      Committed: {
        tables: [
          {
            table_id: 1,
            table_name: 'counter',
            num_rows: 2,
            updates: [{ deletes: [`[${id},0]`], inserts: [`[${id},1]`] }]
          }
        ]
      }
    })
    const server = opened(
      await serveClients({
        onRequest: (_, response) => response.end(counterSchema),
        onClient: async ({ socket, messages }) => {
          socket.send(greeting)
          for (let id = 1; id <= 1000; id++) socket.send(update(rows(id), 0, id === 1 ? '' : 'tick', '42'))
          await messages.next()
          socket.send(update(rows(1001), 0, 'tick', '42'))
          socket.send(update({ Committed: { tables: [] } }, 1, 'go'))
        }
      })
    )
    const connection = opened(await clientOf(server.url).connectClient('counter'))
    const early = await firstChanges(connection, 900)
    expect(early[0]).toEqual({
      table: 'counter',
      inserts: [{ id: 1, value: 1 }],
      deletes: [{ id: 1, value: 0 }],
      at: expect.any(Number)
    })
    await connection.call('go', [], 5000)
    const late = await firstChanges(connection, 101)
    expect([...early, ...late].map(({ inserts }) => inserts[0]?.id)).toEqual(
      Array.from({ length: 1001 }, (_, i) => i + 1)
    )
    expect(late.at(-1)).toMatchObject({ reducer: 'tick' })
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 20)
    for await (const _ of connection.changes(stop.signal)) throw new Error('nothing more was sent')
    await connection.close()
    expect(await connection.closed).toContain('this side')
    for await (const _ of connection.changes()) throw new Error('nothing more was sent')
  })
})

test('the token that the server sends is told before anything else, and never shown', async () => {
  const told: string[] = []
  const server = opened(
    await serveClients({ onClient: ({ socket }) => socket.send(greeting.replace('"identity"', '"odd"')) })
  )
  const client = connect({ url: server.url, credential: ownCredential, onSecret: (secret) => told.push(secret) })
  const failure = await client.connectClient('counter').catch((error) => error)
  expect(told).toEqual([ownToken, secretOfAnswers])
  expect(failure).toMatchObject({ kind: 'unexpected-answer' })
  expect(`${failure.stack}${JSON.stringify(failure)}${failure.cause}`).not.toMatch(/eyJ/)
})
