import { createServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Module } from '../src/module/module.ts'
import { identityOf } from '../src/spacetimedb/identity.ts'
import type { ServerPlan } from '../src/spacetimedb/server.ts'
import {
  anonymous,
  matrixWasm,
  newName,
  newUser,
  type Send,
  type ServerUnderTest,
  serverUnderTest,
  type User,
  userWith,
  wasm
} from './server-under-test.ts'

/**
 * What this project relies on a SpacetimeDB server to do. Runs against an embedded server, or against the one that
 * `STDB_SERVER` names: both must pass.
 */
let server: ServerUnderTest
let owner: User
let other: User
let nobody: Send
const made: string[] = []

beforeAll(async () => {
  server = await serverUnderTest()
  owner = await newUser(server.url)
  other = await newUser(server.url)
  nobody = anonymous(server.url)
})

afterAll(async () => {
  await Promise.all(made.flatMap((name) => [owner, other].map((user) => user.send('DELETE', `/database/${name}`))))
  await server.close()
})

describe('names', () => {
  test('a free name belongs to whoever publishes first', async () => {
    const name = newName()
    made.push(name)
    expect(await owner.client.resolve(name)).toEqual({ kind: 'free' })
    expect(await owner.client.publishFirst(name, wasm('counter'))).toMatchObject({ operation: 'created' })
    expect(await other.client.resolve(name)).toMatchObject({
      kind: 'exists',
      owner: owner.identity,
      moduleKind: 'wasm'
    })
    expect(await other.client.publishFirst(name, wasm('counter')).catch((failure) => failure.kind)).toBe('forbidden')
  })

  test('a first publish whose init fails claims the name for nobody', async () => {
    const name = newName()
    made.push(name)
    const answer = await owner.client.publishFirst(name, wasm('counter-init-fails'))
    expect(answer).toMatchObject({ kind: 'bad-module', reason: 'init refused on purpose' })
    expect(await owner.client.resolve(name)).toEqual({ kind: 'claimed' })
    expect(await other.client.publishFirst(name, wasm('counter'))).toMatchObject({ operation: 'created' })
  })

  test('a database without a token belongs to nobody', async () => {
    const name = newName()
    expect((await nobody('PUT', `/database/${name}`, { body: wasm('counter').bytes })).status).toBe(200)
    const resolution = await owner.client.resolve(name)
    expect(resolution.kind === 'exists' && [owner.identity, other.identity].includes(resolution.owner)).toBe(false)
  })

  test('anybody can add a name, and only the owner set them', async () => {
    const [name, alias, renamed] = [await create('counter'), newName(), newName()]
    expect((await other.send('POST', `/database/${name}/names`, { body: alias })).status).toBe(200)
    expect(await owner.client.resolve(alias)).toEqual(await owner.client.resolve(name))
    const rename = { body: JSON.stringify([renamed]), type: 'application/json' }
    expect((await other.send('PUT', `/database/${name}/names`, rename)).status).toBe(401)
    const unaliased = await create('counter')
    expect((await owner.send('PUT', `/database/${unaliased}/names`, rename)).text).toBe('"Success"')
    expect(await owner.client.resolve(unaliased)).toEqual({ kind: 'free' })
    made.push(renamed)
  })

  test.each(['Bad_Name', 'a--b', '-a'])('%s is no name', async (name) => {
    expect((await owner.send('PUT', `/database/${name}`, { body: wasm('counter').bytes })).status).toBe(400)
  })
})

describe('publishing', () => {
  test('the live module can be read back whole, and the first one stays named', async () => {
    const name = await create('counter')
    await update(name, wasm('counter-additive'))
    expect(await other.client.live(name)).toEqual({ hash: wasm('counter-additive').hash, kind: 'wasm' })
    expect((await owner.client.liveModule(name)).hash).toBe(wasm('counter-additive').hash)
    const tables = (await owner.client.schema(name)).tables.map((table) => table.name)
    expect(tables.sort()).toEqual(['audit', 'counter'])
  })

  test('a plan is good for the live module that it was made for', async () => {
    const name = await create('counter')
    const stale = token(await owner.client.plan(name, wasm('counter-reducer-param')))
    await update(name, wasm('counter-additive'))
    const refused = await owner.client.publishUpdate(name, wasm('counter-reducer-param'), stale)
    expect(refused).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/Token provided is invalid/) })
    expect((await owner.client.live(name)).hash).toBe(wasm('counter-additive').hash)
  })

  test('of two publishers with plans for the same live module, one wins', async () => {
    const name = await create('counter')
    const candidates = [wasm('counter-additive'), wasm('counter-reducer-param')]
    const tokens = await Promise.all(candidates.map(async (module) => token(await owner.client.plan(name, module))))
    const answers = await Promise.all(
      candidates.map((module, i) => owner.client.publishUpdate(name, module, tokens[i] ?? ''))
    )
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['published', 'refused'])
    const winner = candidates[answers.findIndex(({ kind }) => kind === 'published')]
    expect((await owner.client.live(name)).hash).toBe(winner?.hash)
  })

  test('the live module again changes nothing', async () => {
    const name = await create('counter')
    await call(owner, name, 'increment_counter', [1])
    expect(await update(name, wasm('counter'))).toMatchObject({ kind: 'published', operation: 'updated' })
    expect(await rows(owner, name, 'SELECT * FROM counter')).toEqual([
      [0, 0],
      [1, 1]
    ])
  })

  test('added columns get their defaults, and can not be taken back', async () => {
    const name = await create('counter')
    const body = wasm('counter-new-columns').bytes
    expect((await owner.send('PUT', `/database/${name}`, { body })).status).toBe(400)
    expect(await owner.client.plan(name, wasm('counter-new-columns'))).toMatchObject({ breaksClients: true })
    await update(name, wasm('counter-new-columns'))
    expect(await rows(owner, name, 'SELECT * FROM counter')).toEqual([[0, 0, 1, '']])
    expect(await owner.client.plan(name, wasm('counter'))).toMatchObject({ kind: 'manual' })
  })

  test('a table with rows is not removed, and nothing else changes then', async () => {
    const name = await create('counter-additive')
    await call(owner, name, 'increment_counter', [7])
    expect(await update(name, wasm('counter'))).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(/Cannot remove table `audit`: table contains data/)
    })
    expect((await owner.client.live(name)).hash).toBe(wasm('counter-additive').hash)
    await call(owner, name, 'clear_audit', [])
    expect(await update(name, wasm('counter'))).toMatchObject({ kind: 'published' })
    expect(await rows(owner, name, 'SELECT * FROM counter')).toEqual([
      [0, 0],
      [7, 1]
    ])
  })

  test('what is no module is refused', async () => {
    const name = await create('counter')
    const reasons = ['not a module', '', wasm('hostile/env').bytes, wasm('hostile/abi11').bytes].map(async (body) => {
      const { status, text } = await owner.send('PUT', `/database/${name}`, { body })
      return status === 500 && text.length > 0
    })
    expect(await Promise.all(reasons)).toEqual([true, true, true, true])
    expect(await call(owner, name, 'health_check', [])).toMatchObject({ kind: 'ok' })
  })

  test('only the owner plans, publishes, locks and deletes', async () => {
    const name = await create('counter')
    const body = wasm('counter-additive').bytes
    const asked = [
      ['POST', '/pre_publish', body],
      ['PUT', '', body],
      ['PUT', '?clear=true', body],
      ['POST', '/lock', undefined],
      ['DELETE', '', undefined],
      ['GET', '/logs', undefined]
    ] as const
    for (const [method, path, content] of asked) {
      const answer = await other.send(
        method,
        `/database/${name}${path}`,
        content === undefined ? {} : { body: content }
      )
      expect([method, path, answer.status]).toEqual([method, path, 403])
    }
  })

  test('a locked database is neither cleared nor deleted, but updated', async () => {
    const name = await create('counter')
    await owner.client.lock(name)
    const clear = { body: wasm('counter').bytes }
    expect((await owner.send('PUT', `/database/${name}?clear=true`, clear)).status).toBe(403)
    expect((await owner.send('DELETE', `/database/${name}`)).status).toBe(403)
    expect(await update(name, wasm('counter-additive'))).toMatchObject({ kind: 'published' })
    await owner.client.unlock(name)
    expect((await owner.send('PUT', `/database/${name}?clear=true`, clear)).status).toBe(200)
    expect((await owner.send('DELETE', `/database/${name}`)).status).toBe(200)
    expect(await owner.client.resolve(name)).toEqual({ kind: 'claimed' })
  })

  test('an update whose answer is lost is carried out', async () => {
    const name = await create('counter')
    const module = wasm('counter-additive')
    const plan = token(await owner.client.plan(name, module))
    await sendAndReset(`/v1/database/${name}?policy=BreakClients&token=${plan}`, module.bytes)
    await eventually(async () => expect((await owner.client.live(name)).hash).toBe(module.hash))
  })
})

describe('reducers', () => {
  test('their errors and panics undo what they did, and they can be called again', async () => {
    const [unhealthy, panics] = [await create('counter-unhealthy'), await create('counter-panics')]
    expect(await call(owner, unhealthy, 'health_check', [])).toEqual({
      kind: 'failed',
      reason: 'unhealthy on purpose (1 rows)'
    })
    expect(await call(owner, panics, 'health_check', [])).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/fatal error/)
    })
    expect(await call(owner, panics, 'increment_counter', [1])).toMatchObject({ kind: 'ok' })
    expect(await rows(owner, panics, 'SELECT * FROM counter WHERE id = 1')).toEqual([[1, 1]])
  })

  test('a unique value that is there already undoes all of a call', async () => {
    const name = await create('rich')
    expect(await call(owner, name, 'seed', [1])).toMatchObject({ kind: 'ok' })
    expect(await call(owner, name, 'seed', [3])).toMatchObject({ kind: 'failed' })
    expect(await rows(owner, name, 'SELECT id, ok FROM secret')).toEqual([[1, true]])
  })

  test.each([
    ['nope', '[]', 404],
    ['increment_counter', '["x"]', 400],
    ['increment_counter', '[]', 400],
    ['increment_counter', '[1, 2]', 400],
    ['increment_counter', '[-1]', 400],
    ['increment_counter', '[4294967296]', 400],
    ['increment_counter', '[', 400],
    ['init', '[]', 400]
  ])('%s%s is answered with %d', async (reducer, body, status) => {
    const answer = await owner.send('POST', `/database/${await shared('counter')}/call/${reducer}`, {
      body,
      type: 'application/json'
    })
    expect(answer.status).toBe(status)
  })

  test('content must be of exactly the type JSON, and below 2 MB', async () => {
    const path = `/database/${await shared('counter')}/call/increment_counter`
    expect((await owner.send('POST', path, { body: '[1]', type: 'application/json; charset=utf-8' })).status).toBe(415)
    const large = `[1${' '.repeat(3_000_000)}]`
    expect((await owner.send('POST', path, { body: large, type: 'application/json' })).status).toBe(413)
  })

  test('one that takes its time holds up no other database', async () => {
    const [slow, quick] = [await create('counter-slow'), await create('counter')]
    let isDone = false
    const spinning = call(owner, slow, 'spin_for', [300_000_000]).then(() => {
      isDone = true
    })
    await Promise.all([owner.client.ping(), call(owner, quick, 'increment_counter', [1])])
    expect(isDone).toBe(false)
    await spinning
  })

  test('procedures answer with values, views with rows, and event tables keep none', async () => {
    const name = await create(matrixWasm('base'))
    await call(owner, name, 'fill', [1])
    expect(await call(owner, name, 'quote', ['2', 3].map(Number))).toMatchObject({ kind: 'ok' })
    const quoted = await owner.send('POST', `/database/${name}/call/quote`, {
      body: '[2, 3]',
      type: 'application/json'
    })
    expect([quoted.status, quoted.text]).toEqual([200, '6'])
    expect(await rows(other, name, 'SELECT name, guild FROM novices')).toEqual([['player 1', [0, 7]]])
    expect(await rows(owner, name, 'SELECT * FROM chime')).toEqual([])
    expect(
      (
        await other.send('POST', `/database/${name}/call/run_restock`, {
          body: '[[1,[0,[5]],1]]',
          type: 'application/json'
        })
      ).status
    ).toBe(404)
  })
})

describe('SQL', () => {
  test("private tables are the owner's, writing too", async () => {
    const name = await shared('rich')
    expect(await owner.client.sql(name, 'SELECT * FROM secret')).toMatchObject({ kind: 'rows' })
    expect(await other.client.sql(name, 'SELECT * FROM secret')).toMatchObject({
      kind: 'rejected',
      reason: expect.stringMatching(/^no such table/)
    })
    expect(await other.client.sql(name, 'DELETE FROM player')).toMatchObject({
      kind: 'rejected',
      reason: expect.stringMatching(/not authorized/)
    })
  })

  test('rows are inserted, changed, counted and deleted', async () => {
    const name = await create('counter')
    const stats = { inserted: 0, deleted: 0, updated: 0 }
    expect(await owner.client.sql(name, 'INSERT INTO counter (id, value) VALUES (5, -5)')).toMatchObject({
      stats: { ...stats, inserted: 1 }
    })
    expect(await owner.client.sql(name, 'INSERT INTO counter (id, value) VALUES (5, 6)')).toMatchObject({
      kind: 'rejected'
    })
    expect(await owner.client.sql(name, 'UPDATE counter SET value = 7 WHERE id = 5')).toMatchObject({
      stats: { ...stats, updated: 1 }
    })
    expect(await rows(owner, name, 'SELECT value FROM counter WHERE id > 0 AND value <> 3;')).toEqual([[7]])
    expect(await rows(owner, name, 'SELECT COUNT(*) AS n FROM counter')).toEqual([[2]])
    expect(await owner.client.sql(name, 'DELETE FROM counter WHERE id = 5')).toMatchObject({
      stats: { ...stats, deleted: 1 }
    })
  })

  test.each([
    '',
    'SELEC',
    'SELECT * FROM nope',
    'SELECT nope FROM counter',
    "SELECT * FROM counter WHERE id = 'x'",
    'SELECT 1; SELECT 2'
  ])('refuses "%s"', async (statement) => {
    expect(await owner.client.sql(await shared('counter'), statement)).toMatchObject({ kind: 'rejected' })
  })
})

describe('tokens', () => {
  test('a new identity is that of its token', async () => {
    const { status, text } = await nobody('POST', '/identity')
    const { identity, token } = JSON.parse(text)
    expect([status, userWith(server.url, token).identity]).toEqual([200, identity])
  })

  test('an issuer of its own is asked for its keys', async () => {
    await withIssuer(async (issuer, sign) => {
      const name = newName()
      const deployer = userWith(server.url, await sign({ sub: 'repo:org/repo:environment:production' }))
      expect(await deployer.client.publishFirst(name, wasm('counter'))).toMatchObject({ operation: 'created' })
      const resolution = await nobody('GET', `/database/${name}`)
      expect(resolution.text).toContain(identityOf(issuer, 'repo:org/repo:environment:production'))
      const status = async (claims: object) => {
        const authorization = `Bearer ${await sign(claims)}`
        return (await fetch(`${server.url}/v1/database/${name}`, { headers: { authorization } })).status
      }
      const now = Math.floor(Date.now() / 1000)
      expect(await status({ sub: 'x', exp: now - 30 })).toBe(200)
      expect(await status({ sub: 'x', exp: now - 90 })).toBe(401)
      expect(await status({ sub: 'x'.repeat(128) })).toBe(200)
      expect(await status({ sub: 'x'.repeat(129) })).toBe(401)
      await deployer.send('DELETE', `/database/${name}`)
    })
  })

  test.each(['not-a-token', 'a.b.c'])('%s is none', async (token) => {
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${server.url}/v1/database/x`, { headers })).status).toBe(401)
  })
})

describe('logs', () => {
  test('come in order, and go on while they are followed', async () => {
    const name = await create('counter-panics')
    await call(owner, name, 'health_check', [])
    const lines: string[] = []
    for await (const { level, message } of owner.client.logs(name, { lines: 2 })) lines.push(`${level} ${message}`)
    expect(lines).toEqual(['Info Database initialized', 'Panic health_check panicked on purpose (1 rows)'])
    const ended = new AbortController()
    const followed: string[] = []
    for await (const { level } of owner.client.logs(name, { lines: 1, follow: true, signal: ended.signal })) {
      followed.push(level)
      if (followed.length === 1) await call(owner, name, 'health_check', [])
      else break
    }
    ended.abort()
    expect(followed).toEqual(['Panic', 'Panic'])
  })
})

test('metrics count transactions by reducer', async () => {
  const name = await create('counter-unhealthy')
  await call(owner, name, 'health_check', [])
  const { identity } = (await owner.client.resolve(name)) as { identity: string }
  await eventually(async () => {
    const lines = ((await owner.client.metrics()) ?? '').split('\n')
    const own = lines.filter((line) => line.startsWith('spacetime_num_txns_total') && line.includes(identity))
    expect(
      own.filter((line) => line.includes('reducer="health_check"') && line.includes('committed="false"'))
    ).toHaveLength(1)
  })
})

/** A new database of the owner's: its name. */
async function create(given: string | Module): Promise<string> {
  const name = newName()
  made.push(name)
  const answer = await owner.client.publishFirst(name, typeof given === 'string' ? wasm(given) : given)
  expect(answer).toMatchObject({ kind: 'published', operation: 'created' })
  return name
}

const sharedDatabases = new Map<string, Promise<string>>()

/** A database for tests that change nothing. */
function shared(module: string): Promise<string> {
  const database = sharedDatabases.get(module) ?? create(module)
  sharedDatabases.set(module, database)
  return database
}

async function update(name: string, module: Module) {
  return owner.client.publishUpdate(name, module, token(await owner.client.plan(name, module)))
}

function token(plan: ServerPlan): string {
  if (plan.kind !== 'automatic') throw new Error(`the plan is ${plan.kind}`)
  return plan.token
}

function call(user: User, name: string, reducer: string, args: readonly unknown[]) {
  return user.client.call(name, reducer, args)
}

async function rows(user: User, name: string, statement: string) {
  const answer = await user.client.sql(name, statement)
  if (answer.kind !== 'rows') throw new Error(answer.reason)
  return answer.rows
}

/** Sends a request as a whole and ends the connection before there can be an answer, but after it was read. */
function sendAndReset(path: string, body: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(server.url)
  const head = `PUT ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${owner.token}\r\ncontent-length: ${body.length}\r\n\r\n`
  return new Promise((resolve, reject) => {
    const socket = connectSocket(Number(port || 80), hostname).on('error', reject)
    socket.write(head)
    socket.write(body)
    setTimeout(() => resolve(void socket.resetAndDestroy()), 10)
  })
}

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      return await check()
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

type Sign = (claims: object) => Promise<string>

/** Runs an OpenID Connect issuer on loopback. */
async function withIssuer(use: (issuer: string, sign: Sign) => Promise<void>): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  let issuer = ''
  const http: HttpServer = createServer(({ url }, response) => {
    const document = url === '/jwks' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const now = Math.floor(Date.now() / 1000)
  const sign: Sign = (claims) =>
    new SignJWT({ iss: issuer, iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(privateKey)
  try {
    await use(issuer, sign)
  } finally {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
}
