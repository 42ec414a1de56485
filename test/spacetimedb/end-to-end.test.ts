import { describe, expect, test } from '@jest/globals'
import { planToken } from '../../src/module/hash.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { newName, prepareWorld, wasm } from '../server/world.ts'
import { all } from './all.ts'

const world = prepareWorld()

describe('a database, from its first publish on', () => {
  const name = newName()
  const [counter, additive] = [wasm('counter'), wasm('counter-additive')]

  test('is created on a free name, by us', async () => {
    const { client, identity } = world.owner
    await client.ping()
    expect(await client.resolve(name)).toEqual({ kind: 'free' })
    await expect(client.plan(name, counter)).rejects.toMatchObject({ kind: 'missing' })
    const published = await client.publishFirst(name, counter)
    expect(published).toMatchObject({ kind: 'published', operation: 'created' })
    expect(await client.resolve(name)).toMatchObject({ kind: 'exists', owner: identity, moduleKind: 'wasm' })
  })

  test('runs the module that was published, byte by byte', async () => {
    expect(await world.owner.client.live(name)).toEqual({ kind: 'wasm', hash: counter.hash })
    expect(await world.owner.client.liveModule(name)).toEqual(counter)
    const schema = await world.owner.client.schema(name)
    expect(schema.tables.map((table) => table.name)).toEqual(['counter'])
  })

  test('is updated by the token of its plan alone, which can be computed', async () => {
    const { client } = world.owner
    const plan = await client.plan(name, additive)
    const { identity } = (await client.resolve(name)) as { identity: string }
    expect(plan).toMatchObject({ kind: 'automatic', token: planToken(identity, counter.hash, additive.hash) })
    const token = 'token' in plan ? plan.token : ''
    expect(await client.publishUpdate(name, wasm('counter-unhealthy'), token)).toMatchObject({ kind: 'refused' })
    expect(await client.publishUpdate(name, additive, token)).toMatchObject({ kind: 'published', operation: 'updated' })
    expect(await client.live(name)).toEqual({ kind: 'wasm', hash: additive.hash })
  })

  test('answers calls and SQL', async () => {
    const { client } = world.owner
    expect(await client.call(name, 'increment_counter', [7])).toMatchObject({ kind: 'ok' })
    expect(await client.call(name, 'health_check', [])).toMatchObject({ kind: 'ok' })
    expect(await client.call(name, 'nope', [])).toMatchObject({ kind: 'rejected', status: 404 })
    const smallest = -(2n ** 63n)
    await client.sql(name, `INSERT INTO counter (id, value) VALUES (50, ${smallest})`)
    expect(await client.sql(name, 'SELECT value FROM counter WHERE id = 50')).toMatchObject({ rows: [[smallest]] })
    expect(await client.call(name, 'health_check', [])).toMatchObject({ kind: 'failed' })
  })

  test('shows its log to its owner, and to nobody else', async () => {
    const lines = await all(world.owner.client.logs(name, { lines: 100 }))
    expect(lines.map(({ level }) => level)).toContain('Error')
    expect(await all(world.owner.client.logs(name, { lines: 1 }))).toEqual(lines.slice(-1))
    const { other } = world
    await expect(all(other.client.logs(name, { lines: 1 }))).rejects.toMatchObject({ kind: 'forbidden' })
    await expect(other.client.plan(name, counter)).rejects.toMatchObject({ kind: 'forbidden' })
  })

  test('says what is wrong with a module, and goes on', async () => {
    const garbage = { ...counter, bytes: new Uint8Array([1, 2, 3]) }
    expect(await world.owner.client.plan(name, garbage)).toMatchObject({ kind: 'bad-module' })
    expect(await world.owner.client.live(name)).toEqual({ kind: 'wasm', hash: additive.hash })
  })
})

test('a first publish that fails leaves the name claimed', async () => {
  const name = newName()
  expect(await world.owner.client.publishFirst(name, wasm('counter-init-fails'))).toMatchObject({ kind: 'bad-module' })
  expect(await world.owner.client.resolve(name)).toEqual({ kind: 'claimed' })
})

test('a token that the server did not sign is refused', async () => {
  const [head, payload] = world.owner.token.split('.')
  const forged = `${head}.${payload}.${'A'.repeat(86)}`
  const credential = {
    kind: 'token',
    identity: world.owner.identity,
    issuer: '',
    subject: '',
    token: async () => forged
  } as const
  const client = connect({ url: world.url, credential })
  const failure = await client.resolve('counter').catch((error) => error)
  expect(failure).toMatchObject({ kind: 'unauthorized', status: 401 })
  expect(failure.message).not.toContain(forged)
})
