import { afterEach, describe, expect, test } from '@jest/globals'
import { hashModule } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { all } from './all.ts'
import { ownHeaders, serve, type TestServer } from './http-server.ts'
import { identities, replay, secretOfAnswers } from './replay.ts'
import { ownCredential, ownToken } from './tokens.ts'

const open: TestServer[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

function moduleOf(bytes: Uint8Array): Module {
  return { bytes, hash: hashModule(bytes), kind: 'wasm' }
}

function wasm(name: string): Module {
  return moduleOf(fixtureModule(name))
}

/** What the call makes of a recorded answer, having been checked to send what was sent then. */
async function replayed(name: string, use: (server: Server) => Promise<unknown>): Promise<unknown> {
  const recorded = await replay(name)
  open.push(recorded)
  const outcome = await use(connect({ url: recorded.url, credential: ownCredential })).catch((failure) => failure)
  expect(recorded.requests).toHaveLength(1)
  const { request } = recorded.recording
  expect(recorded.requests[0]).toMatchObject({ method: request.method, path: boundPath(request) })
  if (request.module !== undefined) {
    expect(Buffer.compare(recorded.requests[0]?.body ?? Buffer.alloc(0), fixtureModule(request.module))).toBe(0)
  } else {
    expect(recorded.requests[0]?.body.toString()).toBe(request.body ?? '')
  }
  if (request.headers?.['content-type']) {
    expect(recorded.requests[0]?.headers['content-type']).toBe(request.headers['content-type'])
  }
  if (name !== 'ping') expect(recorded.requests[0]?.headers.authorization).toBe(`Bearer ${ownToken}`)
  return outcome
}

/** Recorded without a token; with one, the server answers the same where there is no database. */
function boundPath({ method, path }: { readonly method: string; readonly path: string }): string {
  return method === 'PUT' && !path.includes('?') ? `${path}?policy=BreakClients&token=0x0` : path
}

const stale = '0xb0ebd253da2816a58e882d8ba3d3c25f7d6128dd3e1a2b1d9b67636346b87378'
const back = '0x91c5163d5c2c8d17dfd13db0d1acb22512677a072dc4e82e17db49e77a7643f'

describe('what a real server answered', () => {
  test.each<[string, (server: Server) => Promise<unknown>, unknown]>([
    ['ping', (server) => server.ping(), undefined],
    ['database-info-missing', (server) => server.resolve('nowhere'), { kind: 'free' }],
    ['database-info-after-failed-create', (server) => server.resolve('fails'), { kind: 'claimed' }],
    ['names-old-gone', (server) => server.resolve('counter'), { kind: 'free' }],
    [
      'database-info',
      (server) => server.resolve('counter'),
      { kind: 'exists', identity: identities.database, owner: identities.owner, moduleKind: 'wasm' }
    ],
    [
      'plan-none',
      (server) => server.plan('counter', wasm('counter.wasm')),
      {
        kind: 'automatic',
        text: expect.stringContaining('Database Migration Plan'),
        breaksClients: false,
        token: '0x86f436421dc07ea0de7807cfcbf7f5ccbe1f9f415739dcc8a973bed454643db2',
        majorVersionUpgrade: false
      }
    ],
    [
      'plan-back',
      (server) => server.plan('counter', wasm('counter.wasm')),
      expect.objectContaining({ kind: 'automatic', breaksClients: true, token: back })
    ],
    [
      'plan-manual-type',
      (server) => server.plan('counter', wasm('counter-column-type.wasm')),
      {
        kind: 'manual',
        reason: expect.stringContaining('Changing the type of column value'),
        majorVersionUpgrade: false
      }
    ],
    [
      'plan-garbage',
      (server) => server.plan('counter', moduleOf(Buffer.from('not a module'))),
      { kind: 'bad-module', reason: expect.stringContaining('magic header not detected') }
    ],
    [
      'plan-missing-database',
      (server) => server.plan('counter', wasm('counter.wasm')),
      expect.objectContaining({ name: 'ServerFailure', kind: 'missing', status: 404 })
    ],
    [
      'plan-not-owner',
      (server) => server.plan('counter', wasm('counter-new-columns.wasm')),
      expect.objectContaining({
        kind: 'forbidden',
        status: 403,
        message: expect.stringContaining(ownCredential.identity)
      })
    ],
    [
      'publish-create',
      (server) => server.publishFirst('counter', wasm('counter.wasm')),
      { kind: 'published', operation: 'created', identity: identities.database }
    ],
    [
      'publish-create-init-fails',
      (server) => server.publishFirst('fails', wasm('counter-init-fails.wasm')),
      { kind: 'bad-module', reason: 'init refused on purpose' }
    ],
    [
      'publish-bad-name',
      (server) => server.publishFirst('Bad_Name', wasm('counter.wasm')),
      { kind: 'refused', reason: 'Invalid URL: invalid characters in database name' }
    ],
    [
      'publish-empty',
      (server) => server.publishFirst('strange', moduleOf(new Uint8Array())),
      { kind: 'bad-module', reason: expect.stringContaining('unexpected end-of-file') }
    ],
    [
      'publish-not-owner',
      (server) => server.publishFirst('counter', wasm('counter-additive.wasm')),
      expect.objectContaining({ name: 'ServerFailure', kind: 'forbidden' })
    ],
    [
      'publish-breaking-with-token',
      (server) => server.publishUpdate('counter', wasm('counter-new-columns.wasm'), stale),
      { kind: 'published', operation: 'updated', identity: identities.database }
    ],
    [
      'publish-stale-token',
      (server) => server.publishUpdate('counter', wasm('counter-new-columns.wasm'), stale),
      { kind: 'refused', reason: expect.stringContaining('Token provided is invalid') }
    ],
    [
      'publish-back',
      (server) => server.publishUpdate('counter', wasm('counter.wasm'), back),
      expect.objectContaining({ kind: 'published' })
    ],
    [
      'publish-back-table-has-rows',
      (server) => server.publishUpdate('counter', wasm('counter.wasm'), back),
      { kind: 'refused', reason: expect.stringContaining('table contains data') }
    ],
    [
      'schema-10',
      (server) => server.schema('counter'),
      expect.objectContaining({ tables: [expect.objectContaining({ name: 'counter' })] })
    ],
    [
      'call-ok',
      (server) => server.call('counter', 'increment_counter', [1]),
      { kind: 'ok', value: undefined, durationMicros: 86 }
    ],
    [
      'call-health-fails',
      (server) => server.call('counter', 'health_check', []),
      { kind: 'failed', reason: 'unhealthy: counter 50 is negative' }
    ],
    [
      'call-panic',
      (server) => server.call('panics', 'health_check', []),
      { kind: 'failed', reason: 'The instance encountered a fatal error.' }
    ],
    [
      'call-missing',
      (server) => server.call('counter', 'nope', []),
      { kind: 'rejected', status: 404, reason: 'No such procedure' }
    ],
    [
      'call-bad-type',
      (server) => server.call('counter', 'increment_counter', ['x']),
      { kind: 'rejected', status: 400, reason: expect.stringContaining('expected u32') }
    ],
    [
      'call-missing-database',
      (server) => server.call('nowhere', 'health_check', []),
      expect.objectContaining({ name: 'ServerFailure', kind: 'missing' })
    ],
    [
      'sql-select',
      (server) => server.sql('counter', 'SELECT * FROM counter'),
      {
        kind: 'rows',
        columns: ['id', 'value'],
        types: [{ kind: 'u32' }, { kind: 'i64' }],
        rows: [
          [0, 0],
          [1, 2]
        ],
        stats: { inserted: 0, deleted: 0, updated: 0 },
        durationMicros: expect.any(Number)
      }
    ],
    [
      'sql-rich-private-owner',
      (server) => server.sql('rich', 'SELECT id, note, blob, big, signed, took, ok FROM secret'),
      expect.objectContaining({
        rows: [
          [
            1,
            'note 0\nwith a newline',
            '00ff00',
            340282366920938463463374607431768211455n,
            -170141183460469231731687303715884105728n,
            [0],
            true
          ],
          expect.arrayContaining([-170141183460469231731687303715884105727n])
        ]
      })
    ],
    [
      'sql-insert',
      (server) => server.sql('counter', 'INSERT INTO counter (id, value) VALUES (50, -5)'),
      {
        kind: 'rows',
        columns: [],
        types: [],
        rows: [],
        stats: { inserted: 1, deleted: 0, updated: 0 },
        durationMicros: expect.any(Number)
      }
    ],
    [
      'sql-insert-not-owner',
      (server) => server.sql('counter', 'DELETE FROM counter'),
      { kind: 'rejected', reason: expect.stringContaining('not authorized') }
    ],
    [
      'sql-missing-database',
      (server) => server.sql('nowhere', 'SELECT * FROM counter'),
      expect.objectContaining({ name: 'ServerFailure', kind: 'missing' })
    ],
    ['lock', (server) => server.lock('rich'), undefined],
    ['unlock', (server) => server.unlock('rich'), undefined],
    ['database-names', (server) => server.namesOf('counter'), ['counter']],
    // Only identities are deleted; the recordings were made by name.
    ['delete', (server) => server.delete('rich' as Identity), { kind: 'deleted' }],
    ['delete-missing', (server) => server.delete('rich' as Identity), { kind: 'deleted' }],
    ['delete-locked', (server) => server.delete('rich' as Identity), { kind: 'locked' }],
    [
      'delete-not-owner',
      (server) => server.delete('rich' as Identity),
      expect.objectContaining({ name: 'ServerFailure', kind: 'forbidden' })
    ],
    [
      'logs',
      (server) => all(server.logs('panics', { lines: 50 })),
      expect.arrayContaining([
        {
          level: 'Info',
          timestamp: 1763900000000000n,
          target: '__spacetimedb__',
          file: '__spacetimedb__',
          function: '__spacetimedb__',
          message: 'Creating table `counter`'
        },
        expect.objectContaining({ level: 'Panic', line: expect.any(Number) })
      ])
    ],
    [
      'logs-not-owner',
      (server) => all(server.logs('panics', { lines: 50 })),
      expect.objectContaining({ name: 'ServerFailure', kind: 'forbidden' })
    ]
  ])('%s', async (name, use, expected) => {
    expect(await replayed(name, use)).toEqual(expected)
  })

  test('a token that is refused is not shown, and nothing is sent twice for it', async () => {
    const server = await replay('plan-bad-token')
    open.push(server)
    const failure = await connect({ url: server.url, credential: ownCredential })
      .plan('counter', wasm('counter.wasm'))
      .catch((error) => error)
    expect(failure).toMatchObject({ kind: 'unauthorized', message: expect.stringContaining('InvalidToken') })
    expect(failure.message).not.toContain(ownToken)
    expect(server.requests).toHaveLength(1)
  })
})

describe('the live module', () => {
  const counter = fixtureModule('counter.wasm')
  const u256 = `0x${(hashModule(counter).match(/../g) ?? []).reverse().join('').replace(/^0+/, '')}`
  const answering = async (row: readonly unknown[]) => {
    const body = JSON.stringify([{ schema: { elements: [] }, rows: [row], total_duration_micros: 1 }])
    const server = await serve((_, response) => response.writeHead(200, ownHeaders).end(body))
    open.push(server)
    return connect({ url: server.url })
  }

  test('is told by hash and kind', async () => {
    expect(await (await answering([0, u256])).live('counter')).toEqual({ kind: 'wasm', hash: hashModule(counter) })
    expect(await (await answering([1, u256])).live('counter')).toEqual({ kind: 'js', hash: hashModule(counter) })
  })

  test('is fetched byte by byte', async () => {
    const server = await answering([0, u256, Buffer.from(counter).toString('hex')])
    expect(await server.liveModule('counter')).toEqual(moduleOf(counter))
  })

  test('whose bytes do not have the stated hash is a failure that names both', async () => {
    const server = await answering([0, u256, `${Buffer.from(counter).toString('hex')}00`])
    await expect(server.liveModule('counter')).rejects.toMatchObject({
      kind: 'unexpected-answer',
      message: expect.stringContaining(hashModule(counter))
    })
  })

  test('of a kind that is not known is a failure that names it', async () => {
    await expect((await answering([7, u256])).live('counter')).rejects.toThrow('of kind 7')
  })

  test('is missing where no row or another form comes', async () => {
    await expect((await answering([0])).live('counter')).rejects.toMatchObject({ kind: 'unexpected-answer' })
  })
})

describe('looking a database up', () => {
  test.each([
    ['the 404 of a web server', 404, { 'content-type': 'text/html' }, '<html>404 Not Found</html>'],
    ['a 404 of its own, about something else', 404, ownHeaders, 'Database is not scheduled on this host'],
    ['a 404 about another name', 404, ownHeaders, '`other` not found'],
    ['a page', 200, { 'content-type': 'text/html' }, '<html>Welcome</html>'],
    ['a redirect', 301, { location: 'https://example.com/?token=x' }, ''],
    ['another form', 200, ownHeaders, '{"database_identity":"x"}']
  ])('%s is no answer to it', async (_, status, headers, body) => {
    const server = await serve((_, response) => response.writeHead(status, headers).end(body))
    open.push(server)
    const failure = await connect({ url: server.url })
      .resolve('counter')
      .catch((error) => error)
    expect(failure).toMatchObject({ name: 'ServerFailure', kind: 'unexpected-answer', status })
    expect(failure.message).not.toContain('token=x')
  })

  test('shows only the start of an answer, in one line', async () => {
    const server = await serve((_, response) => response.end(`first\nsecond${'x'.repeat(5000)}`))
    open.push(server)
    const failure = await connect({ url: server.url })
      .resolve('counter')
      .catch((error) => error)
    expect(failure.message).toContain('first second')
    expect(failure.message.length).toBeLessThan(500)
  })

  test('by an identity, it has to be that one', async () => {
    const server = await replay('database-info')
    open.push(server)
    await expect(connect({ url: server.url }).resolve(identities.owner)).rejects.toThrow('another database')
    expect(await connect({ url: server.url }).resolve(identities.database)).toMatchObject({ kind: 'exists' })
  })
})

describe('metrics', () => {
  test.each([
    [200, 'a_metric 1\n', 'a_metric 1\n'],
    [404, 'nothing here', undefined]
  ])('with status %i', async (status, body, expected) => {
    const server = await serve((_, response) => response.writeHead(status).end(body))
    open.push(server)
    expect(await connect({ url: server.url, credential: ownCredential }).metrics()).toBe(expected)
    expect(server.requests[0]?.headers.authorization).toBeUndefined()
  })
})

test('an older server is asked for the schema that it knows', async () => {
  const [newer, older] = await Promise.all([replay('schema-10'), replay('schema-9')])
  open.push(newer, older)
  const server = await serve((request, response) =>
    request.path.endsWith('version=10')
      ? response.writeHead(400, ownHeaders).end('unknown variant `10`, expected `9`')
      : response.writeHead(200, ownHeaders).end(older.recording.response.body)
  )
  open.push(server)
  const schema = await connect({ url: server.url }).schema('counter')
  expect(schema.tables.map(({ name }) => name)).toEqual(['counter'])
})

test('JavaScript modules are sent as such, an organisation where there is one', async () => {
  const server = await serve((_, response) => response.writeHead(400, ownHeaders).end('no'))
  open.push(server)
  const client = connect({ url: server.url, credential: ownCredential, version: '1.2.3' })
  const module = { ...moduleOf(new Uint8Array([1])), kind: 'js' as const }
  await client.publishFirst('counter', module, 'my-org')
  await client.publishUpdate('counter', module, '0x1')
  await client.plan('counter', module).catch(() => {})
  expect(server.requests.map(({ path }) => path)).toEqual([
    '/v1/database/counter?policy=BreakClients&token=0x0&organization=my-org&host_type=Js',
    '/v1/database/counter?policy=BreakClients&token=0x1&host_type=Js',
    '/v1/database/counter/pre_publish?style=NoColor&host_type=Js'
  ])
  expect(server.requests[0]?.headers['user-agent']).toMatch(/^stdb-actions\/1\.2\.3/)
})

test('nothing is published without a credential', async () => {
  const server = await serve((_, response) => response.end())
  open.push(server)
  await expect(connect({ url: server.url }).publishFirst('counter', wasm('counter.wasm'))).rejects.toThrow('credential')
  expect(server.requests).toEqual([])
})

test('arguments that are too long are not sent; bigints are sent as integers', async () => {
  const server = await serve((_, response) => response.writeHead(200, ownHeaders).end('[9007199254740993,"x"]'))
  open.push(server)
  const client = connect({ url: server.url, credential: ownCredential })
  expect(await client.call('counter', 'f', ['x'.repeat(2 * 1024 * 1024)])).toMatchObject({
    kind: 'rejected',
    status: 413
  })
  expect(server.requests).toEqual([])
  expect(await client.call('counter', 'a/b', [2n ** 64n, null])).toMatchObject({
    kind: 'ok',
    value: [9007199254740993n, 'x']
  })
  expect(server.requests[0]).toMatchObject({ path: '/v1/database/counter/call/a%2Fb' })
  expect(server.requests[0]?.body.toString()).toBe('[18446744073709551616,null]')
})

describe('secrets', () => {
  test('the token and those in answers are told before anything else, once', async () => {
    const told: string[] = []
    const server = await replay('database-info')
    open.push(server)
    const client = connect({ url: server.url, credential: ownCredential, onSecret: (secret) => told.push(secret) })
    await client.resolve('counter')
    await client.resolve('counter')
    expect(told).toEqual([ownToken, secretOfAnswers])
  })

  test('are cut out of what is shown', async () => {
    const server = await serve((request, response) =>
      response
        .writeHead(400, { ...ownHeaders, 'spacetime-identity-token': 'opaque-secret' })
        .end(`you sent ${request.headers.authorization}, you got opaque-secret`)
    )
    open.push(server)
    const client = connect({ url: server.url, credential: ownCredential })
    const answers = [
      await client.publishUpdate('counter', wasm('counter.wasm'), '0x1'),
      await client.call('counter', 'f', []),
      await client.sql('counter', 'SELECT 1'),
      await client.resolve('counter').catch((failure) => String(failure)),
      await client.schema('counter').catch((failure) => String(failure))
    ]
    for (const answer of answers) {
      expect(JSON.stringify(answer)).toContain('you sent Bearer ***, you got ***')
    }
  })
})
