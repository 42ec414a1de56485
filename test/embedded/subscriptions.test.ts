import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { fixtureModule, matrixModule } from '../fixtures.ts'
import { type EmbeddedServer, startServer } from './server.ts'
import { connectPeer, type Peer, type PeerOptions, tryPeer } from './websocket-peer.ts'

/** What the recordings of WebSockets do not show. */
let server: EmbeddedServer
let owner: string
let database: string
let databases = 0
const peers: Peer[] = []

beforeAll(async () => {
  server = await startServer()
  owner = await server.issueToken('owner')
})

afterAll(() => server.close())

beforeEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()))
  databases += 1
  database = `db-${databases}`
})

describe('transaction updates', () => {
  beforeEach(() => publish(fixtureModule('counter.wasm')))

  test('reach other subscribers without who caused them', async () => {
    const [caller, other] = [await connect({ token: owner }), await subscribed('SELECT * FROM counter')]
    caller.send({ CallReducer: { reducer: 'increment_counter', args: '[0]', request_id: 9, flags: 0 } })
    const tables = [counterUpdate(['[0,0]'], ['[0,1]'])]
    expect(plain(await other.next())).toEqual({ TransactionUpdateLight: { request_id: 9, update: { tables } } })
    expect(plain(await caller.next())).toMatchObject({ TransactionUpdate: { status: { Committed: { tables: [] } } } })
  })

  test.each([
    ['a call by HTTP', () => call('increment_counter', '[7]'), [counterUpdate([], ['[7,1]'])]],
    ['SQL', () => sql('UPDATE counter SET value = 5'), [counterUpdate(['[0,0]'], ['[0,5]'])]],
    ['a row that goes', () => call('clear_counters', '[]'), [counterUpdate(['[0,0]'], [])]]
  ])('tell of %s', async (_, change, tables) => {
    const peer = await subscribed('SELECT * FROM counter')
    await change()
    expect(plain(await peer.next())).toEqual({ TransactionUpdateLight: { request_id: 0, update: { tables } } })
  })

  test('tell only of rows that a query wants', async () => {
    const peer = await subscribed('SELECT * FROM counter WHERE id = 7')
    for (const id of [1, 7, 2]) await call('increment_counter', `[${id}]`)
    expect(plain(await peer.next())).toMatchObject({
      TransactionUpdateLight: { update: { tables: [counterUpdate([], ['[7,1]'])] } }
    })
    await call('increment_counter', '[7]')
    expect(plain(await peer.next())).toMatchObject({
      TransactionUpdateLight: { update: { tables: [counterUpdate(['[7,1]'], ['[7,2]'])] } }
    })
  })

  test('have an update for each query', async () => {
    const peer = await subscribed('SELECT * FROM counter', 'SELECT * FROM counter WHERE id = 7')
    await call('increment_counter', '[7]')
    const one = { deletes: [], inserts: ['[7,1]'] }
    const tables = [{ table_id: 4096, table_name: 'counter', num_rows: 2, updates: [one, one] }]
    expect(plain(await peer.next())).toEqual({ TransactionUpdateLight: { request_id: 0, update: { tables } } })
  })

  test('tell a caller of its failure, with what it called', async () => {
    await publish(fixtureModule('counter-unhealthy.wasm'))
    const peer = await connect({ token: owner })
    peer.send({ CallReducer: { reducer: 'health_check', args: '[]', request_id: 4, flags: 0 } })
    expect(plain(await peer.next())).toMatchObject({
      TransactionUpdate: {
        status: { Failed: expect.stringContaining('unhealthy') },
        reducer_call: { reducer_name: 'health_check', args: '[]', request_id: 4 }
      }
    })
  })

  test.each([
    ['nope', 'no such reducer', 4294967295],
    ['init', "can't directly call special Init lifecycle reducer", 3]
  ])('tell of the reducer %s that may not be called', async (reducer, why, id) => {
    const peer = await connect()
    peer.send({ CallReducer: { reducer, args: '[]', request_id: 4, flags: 0 } })
    expect(plain(await peer.next())).toMatchObject({
      TransactionUpdate: {
        status: { Failed: why },
        reducer_call: { reducer_name: reducer, reducer_id: id, request_id: 0 }
      }
    })
  })

  test('spare a caller that does not want to be told', async () => {
    const peer = await subscribed('SELECT * FROM counter WHERE id = 7')
    peer.send({ CallReducer: { reducer: 'increment_counter', args: '[1]', request_id: 2, flags: 1 } })
    peer.send({ CallReducer: { reducer: 'increment_counter', args: '[7]', request_id: 3, flags: 1 } })
    const tables = [counterUpdate([], ['[7,1]'])]
    expect(plain(await peer.next())).toEqual({ TransactionUpdateLight: { request_id: 3, update: { tables } } })
  })

  test('go on under another module', async () => {
    const peer = await subscribed('SELECT * FROM counter')
    await publish(fixtureModule('counter-additive.wasm'))
    await call('increment_counter', '[7]')
    const tables = [{ ...counterUpdate([], ['[7,1]']), table_id: 4097 }]
    expect(plain(await peer.next())).toEqual({ TransactionUpdateLight: { request_id: 0, update: { tables } } })
  })
})

describe('subscriptions', () => {
  beforeEach(() => publish(fixtureModule('counter.wasm')))
  const query_id = { id: 5 }
  const rows = ['{"id":0,"value":0}']

  test('to one query, and back', async () => {
    const peer = await connect()
    peer.send({ SubscribeSingle: { query: 'SELECT * FROM counter', request_id: 1, query_id } })
    const applied = (deletes: string[], inserts: string[]) => ({
      query_id,
      rows: { table_id: 4096, table_name: 'counter', table_rows: counterUpdate(deletes, inserts) }
    })
    expect(plain(await peer.next())).toMatchObject({ SubscribeApplied: { request_id: 1, ...applied([], rows) } })
    peer.send({ Unsubscribe: { request_id: 2, query_id } })
    expect(plain(await peer.next())).toMatchObject({ UnsubscribeApplied: { request_id: 2, ...applied(rows, []) } })
    await call('increment_counter', '[7]')
    peer.send({ Unsubscribe: { request_id: 3, query_id } })
    expect(plain(await peer.next())).toMatchObject({
      SubscriptionError: { request_id: { some: 3 }, query_id: { some: 5 }, error: expect.stringContaining('not found') }
    })
  })

  test('to several queries, and back', async () => {
    const peer = await connect()
    const queries = ['SELECT * FROM counter', 'SELECT * FROM counter WHERE id = 9', 'SELECT * FROM counter']
    peer.send({ SubscribeMulti: { query_strings: queries, request_id: 1, query_id } })
    const tables = (deletes: string[], inserts: string[]) => [counterUpdate(deletes, inserts), counterUpdate([], [])]
    expect(plain(await peer.next())).toMatchObject({ SubscribeMultiApplied: { update: { tables: tables([], rows) } } })
    peer.send({ SubscribeMulti: { query_strings: queries, request_id: 2, query_id } })
    expect(plain(await peer.next())).toMatchObject({
      SubscriptionError: { error: expect.stringContaining('already exists') }
    })
    peer.send({ UnsubscribeMulti: { request_id: 3, query_id } })
    expect(plain(await peer.next())).toMatchObject({
      UnsubscribeMultiApplied: { update: { tables: tables(rows, []) } }
    })
  })

  test('replace one another when they have no id', async () => {
    const peer = await subscribed('SELECT * FROM counter')
    peer.send({ Subscribe: { query_strings: ['SELECT * FROM counter WHERE id = 7'], request_id: 2 } })
    await peer.next()
    await call('increment_counter', '[1]')
    await call('increment_counter', '[7]')
    expect(plain(await peer.next())).toMatchObject({
      TransactionUpdateLight: { update: { tables: [counterUpdate([], ['[7,1]'])] } }
    })
  })

  test.each([
    ['SELECT id FROM counter', 'Column projections are not supported in subscriptions'],
    ['DELETE FROM counter', 'Unsupported: Non-SELECT queries'],
    ['SELECT * FROM counter LIMIT 1', 'Unsupported: '],
    [
      'SELECT * FROM counter WHERE nope = 1',
      '`nope` is not in scope, executing: `SELECT * FROM counter WHERE nope = 1`'
    ]
  ])('%s is an error', async (query, error) => {
    const peer = await connect({ token: owner })
    peer.send({ Subscribe: { query_strings: [query], request_id: 1 } })
    expect(plain(await peer.next())).toMatchObject({ SubscriptionError: { error: expect.stringContaining(error) } })
  })

  test('to all tables are to those that one may see', async () => {
    await publish(fixtureModule('rich.wasm'), 'rich-all')
    await call('seed', '[1]', 'rich-all')
    const tablesOf = async (token?: string) => {
      const peer = await connect({ token }, 'rich-all')
      peer.send({ Subscribe: { query_strings: ['SELECT * FROM *'], request_id: 1 } })
      const { InitialSubscription: initial } = plain(await peer.next()) as Initial
      return initial.database_update.tables.map(({ table_name: name }) => name)
    }
    expect(await tablesOf(owner)).toEqual(['player', 'secret', 'tick'])
    expect(await tablesOf()).toEqual(['player'])
  })
})

describe('what else a client sends', () => {
  test('a query that is asked once', async () => {
    await publish(fixtureModule('counter.wasm'))
    const peer = await connect()
    peer.send({ OneOffQuery: { message_id: 'c0ffee', query_string: 'SELECT * FROM counter' } })
    peer.send({ OneOffQuery: { message_id: [1, 2], query_string: 'SELECT * FROM nope' } })
    const tables = [{ table_name: 'counter', rows: ['{"id":0,"value":0}'] }]
    expect(plain(await peer.next())).toMatchObject({
      OneOffQueryResponse: { message_id: 'c0ffee', error: { none: [] }, tables }
    })
    expect(plain(await peer.next())).toMatchObject({
      OneOffQueryResponse: { message_id: '0102', error: { some: expect.stringMatching(/no such table.*private\.$/) } }
    })
  })

  test('a call of a procedure', async () => {
    await publish(matrixModule('base'))
    const peer = await connect()
    peer.send({ CallProcedure: { procedure: 'quote', args: '[6, 7]', request_id: 1, flags: 0 } })
    expect(plain(await peer.next())).toMatchObject({ ProcedureResult: { status: { Returned: '42' }, request_id: 1 } })
    peer.send({ CallProcedure: { procedure: 'nope', args: '[]', request_id: 2, flags: 0 } })
    expect(plain(await peer.next())).toMatchObject({
      ProcedureResult: { status: { InternalError: 'No such procedure' } }
    })
  })

  test.each<[string, (peer: Peer) => void, string]>([
    ['no JSON', (peer) => peer.sendRaw('{'), 'the message is not JSON'],
    ['an unknown message', (peer) => peer.send({ Sing: {} }), 'no such message, or one with wrong fields: Sing'],
    ['a field too few', (peer) => peer.send({ Subscribe: { request_id: 1 } }), 'wrong fields: Subscribe'],
    ['bytes', (peer) => peer.sendRaw(new Uint8Array([1])), 'the embedded server takes no binary messages'],
    ['a join', (peer) => peer.send(subscribe('SELECT a.* FROM trophy a JOIN trophy b ON a.id = b.id')), 'joins'],
    ['a view', (peer) => peer.send(subscribe('SELECT * FROM novices')), 'no subscriptions to views and system tables'],
    ['a system table', (peer) => peer.send(subscribe('SELECT * FROM st_table')), 'system tables: st_table'],
    ['an event table', (peer) => peer.send(subscribe('SELECT * FROM chime')), 'no subscriptions to event tables']
  ])('%s ends the connection, which says why', async (_, send, reason) => {
    await publish(matrixModule('base'))
    const peer = await connect({ token: owner })
    send(peer)
    expect(await peer.ended).toEqual({ closed: 1011, reason: expect.stringContaining(reason) })
  })

  test.each(['v1.bsatn.spacetimedb', 'v2.bsatn.spacetimedb', 'v3.bsatn.spacetimedb'])(
    '%s is refused',
    async (protocol) => {
      await publish(fixtureModule('counter.wasm'))
      const body = `no valid protocol selected: the embedded server does not speak ${protocol}`
      expect(await tryPeer(server, database, { protocol })).toEqual({ refused: 400, body })
    }
  )
})

describe('connections', () => {
  test('end with a module that breaks clients, not with another', async () => {
    await publish(fixtureModule('counter.wasm'))
    const peer = await subscribed('SELECT * FROM counter')
    await publish(fixtureModule('counter-additive.wasm'))
    const { token } = await plan(fixtureModule('counter-new-columns.wasm'))
    await publish(fixtureModule('counter-new-columns.wasm'), database, `?policy=BreakClients&token=${token}`)
    expect(await peer.ended).toEqual({ closed: 1001, reason: 'module exited' })
    expect((await subscribed('SELECT * FROM counter')) !== undefined).toBe(true)
  })

  test.each([
    ['is deleted', () => send('DELETE', database)],
    ['is cleared', () => publish(fixtureModule('counter.wasm'), database, '?clear=true')]
  ])('end when the database %s', async (_, end) => {
    await publish(fixtureModule('counter.wasm'))
    const peer = await connect()
    await end()
    expect(await peer.ended).toEqual({ closed: 1001, reason: 'module exited' })
  })

  test('are told to the module', async () => {
    await publish(matrixModule('disconnect-add'))
    const before = (await logs()).length
    const peer = await connect()
    expect((await logs()).slice(before)).toEqual(['hello'])
    await peer.close()
    await until(async () => (await logs()).length >= before + 2)
    expect((await logs()).slice(before)).toHaveLength(2)
  })

  test('show in st_client and in the metrics', async () => {
    await publish(fixtureModule('counter.wasm'))
    const clients = async () => JSON.parse(await sql('SELECT * FROM st_client'))[0].rows.length
    const peer = await subscribed('SELECT * FROM counter')
    await connect()
    expect(await clients()).toBe(3)
    expect(await metric('spacetime_worker_connected_clients')).toBe(2)
    expect(await metric('spacetime_subscription_connections')).toBe(1)
    await call('increment_counter', '[7]')
    expect(await metric('spacetime_num_txns_total', 'reducer="increment_counter",txn_type="Reducer"')).toBe(1)
    expect(await metric('spacetime_num_txns_total', 'reducer="increment_counter",txn_type="Update"')).toBe(1)
    expect(await metric('spacetime_num_txns_total', 'txn_type="Subscribe"')).toBe(2)
    await peer.close()
    await until(async () => (await metric('spacetime_worker_connected_clients')) === 1)
    expect(await metric('spacetime_num_txns_total', 'txn_type="Unsubscribe"')).toBe(2)
  })
})

type Initial = { InitialSubscription: { database_update: { tables: { table_name: string }[] } } }

async function connect(options: PeerOptions = {}, to = database): Promise<Peer> {
  const peer = await connectPeer(server, to, options)
  peers.push(peer)
  expect(await peer.next()).toHaveProperty('IdentityToken')
  return peer
}

async function subscribed(...queries: string[]): Promise<Peer> {
  const peer = await connect()
  peer.send({ Subscribe: { query_strings: queries, request_id: 1 } })
  expect(await peer.next()).toHaveProperty('InitialSubscription')
  return peer
}

function subscribe(query: string): unknown {
  return { Subscribe: { query_strings: [query], request_id: 1 } }
}

function counterUpdate(deletes: string[], inserts: string[]) {
  return {
    table_id: 4096,
    table_name: 'counter',
    num_rows: deletes.length + inserts.length,
    updates: [{ deletes, inserts }]
  }
}

/** A message with ordinary numbers. */
function plain(message: unknown): unknown {
  return JSON.parse(JSON.stringify(message, (_, value) => (value?.isLosslessNumber ? Number(value.value) : value)))
}

async function publish(module: Uint8Array, to = database, query = ''): Promise<void> {
  const { status, text } = await send('PUT', `${to}${query}`, module)
  if (status !== 200) throw new Error(text)
}

async function plan(module: Uint8Array): Promise<{ token: string }> {
  return JSON.parse((await send('POST', `${database}/pre_publish`, module)).text).AutoMigrate
}

async function call(reducer: string, args: string, on = database): Promise<void> {
  expect((await send('POST', `${on}/call/${reducer}`, args)).status).toBe(200)
}

async function sql(statement: string): Promise<string> {
  return (await send('POST', `${database}/sql`, statement)).text
}

async function logs(): Promise<string[]> {
  const { text } = await send('GET', `${database}/logs`)
  const lines = text.split('\n').filter((line) => line !== '')
  return lines
    .map((line) => JSON.parse(line))
    .flatMap(({ target, message }) => (target === '__spacetimedb__' ? [] : [message]))
}

async function metric(name: string, labels = ''): Promise<number | undefined> {
  const { text: description } = await send('GET', database)
  const identity = JSON.parse(description).database_identity.__identity__.slice(2)
  const text = await (await fetch(`${server.url}/v1/metrics`)).text()
  const line = text
    .split('\n')
    .find((each) => each.startsWith(`${name}{`) && each.includes(identity) && each.includes(labels))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

async function send(method: string, path: string, body?: Uint8Array | string) {
  const answer = await fetch(`${server.url}/v1/database/${path}`, {
    method,
    headers: { authorization: `Bearer ${owner}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) })
  })
  return { status: answer.status, text: await answer.text() }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100 && !(await isSo()); i++) await new Promise((resolve) => setTimeout(resolve, 20))
}
