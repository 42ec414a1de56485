import { describe, expect, test } from '@jest/globals'
import type { ClientConnection, TableChange } from '../../src/spacetimedb/client-connection.ts'
import { latencyQuantile, metricsBetween, readDatabaseMetrics } from '../../src/spacetimedb/database-metrics.ts'
import { prepareWorld } from '../server/world.ts'
import { all } from './all.ts'

/** Against an embedded server, or the one that `STDB_SERVER` names. */
const world = prepareWorld()

async function withClient(
  database: string,
  use: (connection: ClientConnection) => Promise<void>,
  anonymous = false
): Promise<void> {
  const connection = await world.owner.client.connectClient(database, { anonymous })
  try {
    await use(connection)
  } finally {
    await connection.close()
  }
}

async function nextChange(connection: ClientConnection): Promise<TableChange | undefined> {
  for await (const change of connection.changes(AbortSignal.timeout(5000))) return change
  return undefined
}

describe('clients of a database', () => {
  test('get rows, and the changes that they and others make', async () => {
    const name = await world.create('counter')
    await withClient(name, async (mine) => {
      expect(mine.identity).toBe(world.owner.identity)
      expect((await mine.subscribe(['SELECT * FROM counter'], 5000)).tables).toEqual([
        { table: 'counter', inserts: [{ id: 0, value: 0 }], deletes: [] }
      ])
      await withClient(
        name,
        async (theirs) => {
          expect(theirs.identity).not.toBe(mine.identity)
          expect(await theirs.call('increment_counter', [7], 5000)).toMatchObject({ kind: 'ok' })
        },
        true
      )
      expect(await nextChange(mine)).toMatchObject({
        table: 'counter',
        inserts: [{ id: 7, value: 1 }],
        deletes: []
      })
      expect(await mine.call('increment_counter', [7], 5000)).toMatchObject({ kind: 'ok' })
      expect(await nextChange(mine)).toMatchObject({
        reducer: 'increment_counter',
        inserts: [{ id: 7, value: 2 }],
        deletes: [{ id: 7, value: 1 }]
      })
      // Over HTTP too, and values are the same as SQL gives.
      await world.owner.client.sql(name, `INSERT INTO counter (id, value) VALUES (8, ${2n ** 62n})`)
      expect(await nextChange(mine)).toMatchObject({ inserts: [{ id: 8, value: 2n ** 62n }] })
    })
  })

  test('are told what goes wrong', async () => {
    const name = await world.create('counter-unhealthy')
    await withClient(name, async (connection) => {
      expect(await connection.call('health_check', [], 5000)).toMatchObject({ kind: 'failed' })
      expect(await connection.call('increment_counter', ['x'], 5000)).toMatchObject({ kind: 'rejected', status: 400 })
      expect(await connection.call('nope', [], 5000)).toMatchObject({ kind: 'rejected', status: 404 })
      await expect(connection.subscribe(['SELECT * FROM nope'], 5000)).rejects.toMatchObject({
        name: 'SubscriptionRefused'
      })
      expect((await connection.subscribe(['SELECT * FROM counter'], 5000)).tables).toHaveLength(1)
    })
    await expect(world.owner.client.connectClient('not-there-at-all')).rejects.toMatchObject({ kind: 'missing' })
  })
})

test('metrics and the log tell what happened', async () => {
  const name = await world.create('counter-panics')
  const { client } = world.owner
  const before = await readDatabaseMetrics(client, name)
  const start = (await all(client.logs(name, {}))).at(-1)?.timestamp ?? 0n
  for (let count = 0; count < 3; count++) await client.call(name, 'increment_counter', [1])
  await client.call(name, 'health_check', [])
  const after = await readDatabaseMetrics(client, name)
  if (before === undefined || after === undefined) throw new Error('this server hides its metrics')
  const { all: total, reducers, instanceErrors } = metricsBetween(before, after)
  expect(total).toMatchObject({ calls: 4, errors: 1, errorRate: 0.25 })
  expect(instanceErrors).toBe(1)
  const increments = reducers.find(({ reducer }) => reducer === 'increment_counter')
  expect(increments).toMatchObject({ calls: 3, errors: 0 })
  expect(latencyQuantile(total.seconds, 0.95)).toBeGreaterThan(0)
  const lines = (await all(client.logs(name, {}))).filter(({ timestamp }) => timestamp > start)
  expect(lines.filter(({ level }) => level === 'Panic')).toHaveLength(1)
})
