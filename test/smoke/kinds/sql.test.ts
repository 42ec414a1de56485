import { describe, expect, test } from '@jest/globals'
import { runSql } from '../../../src/smoke/kinds/sql.ts'
import { startProxy } from '../../faults/proxy.ts'
import { call, prepareWorld, rows } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

type Written = Readonly<Record<string, unknown>>

async function sql(database: string, written: Written) {
  return tryOnce(runSql, checkOf('sql', written), await placeOf(world, database))
}

describe('rows as they should be', () => {
  test.each<[Written, detail: string]>([
    [{ sql: 'SELECT * FROM counter' }, '1 row'],
    [{ sql: 'SELECT * FROM counter WHERE id > 5' }, 'no rows'],
    [
      { sql: 'SELECT * FROM counter', rows: [{ id: 0, value: 0 }], count: 1, some: { id: 0 }, none: { id: 1 } },
      '1 row'
    ],
    [{ sql: 'SELECT COUNT(*) AS n FROM counter', value: { 'at-least': 1 } }, '1 row'],
    [{ sql: 'SELECT * FROM counter', as: 'anonymous' }, '1 row']
  ])('%j', async (written, detail) => {
    expect(await sql(await world.shared('counter'), written)).toEqual({ kind: 'passed', detail })
  })

  test('values as `spacetime sql` shows them', async () => {
    const name = await world.create('rich')
    await call(world.owner, name, 'seed', [2])
    const player = {
      id: '0x1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050400000001',
      nickname: 'player "1" — naïve',
      class: '(caster = 1)',
      at: '(x = 0.33333334, y = -0.14285714285714285)',
      guild: null,
      tags: '["t1", ""]',
      joined: { matches: '^20\\d\\d-\\d\\d-\\d\\dT.*\\+00:00$', above: 1_700_000_000_000_000 }
    }
    const fighter = { class: 'fighter', guild: 18446744073709551615n }
    expect(await sql(name, { sql: 'SELECT * FROM player', rows: [fighter, player] })).toEqual({
      kind: 'passed',
      detail: '2 rows'
    })
    const secret = {
      blob: '0x00ff00',
      big: 340282366920938463463374607431768211455n,
      signed: { below: -170141183460469231731687303715884105727n },
      took: '+0.000000',
      ok: true
    }
    expect(await sql(name, { sql: 'SELECT * FROM secret', some: secret })).toMatchObject({ kind: 'passed' })
    expect(await sql(name, { sql: 'SELECT * FROM secret', some: { ...secret, ok: false } })).toMatchObject({
      kind: 'failed',
      actual: expect.stringMatching(
        /^none of 2 rows: \(blob = 0x00ff00, big = 340282366920938463463374607431768211455, /
      )
    })
    expect(await sql(name, { sql: 'SELECT * FROM tick', value: 1 })).toMatchObject({ kind: 'passed' })
    expect(await sql(name, { sql: 'SELECT scheduled_at FROM tick', value: '(Interval = +3600.000000)' })).toMatchObject(
      { kind: 'passed' }
    )
  })

  test('a statement that writes tells what it did', async () => {
    const written = { sql: 'INSERT INTO counter (id, value) VALUES (9, 9)', writes: true }
    const name = await world.create('counter')
    expect(await sql(name, written)).toEqual({ kind: 'passed', detail: '1 inserted, 0 updated, 0 deleted' })
    expect(await sql(name, written)).toEqual({
      kind: 'failed',
      expected: 'a statement that is carried out',
      actual: expect.stringMatching(/unique/i),
      final: true
    })
  })
})

describe('rows otherwise', () => {
  test.each<[Written, expected: string, actual: string]>([
    [{ sql: 'SELECT * FROM counter', count: 2 }, 'count = 2', '1 row: (id = 0, value = 0)'],
    [{ sql: 'SELECT value FROM counter', value: { above: 0 } }, 'value above 0', 'value = 0'],
    [{ sql: 'SELECT * FROM counter WHERE id = 7', some: { id: 7 } }, 'at least one row (id = 7)', 'no rows']
  ])('%j', async (written, expected, actual) => {
    expect(await sql(await world.shared('counter'), written)).toEqual({ kind: 'failed', expected, actual })
  })

  test.each<[module: string, Written, reason: string]>([
    ['counter', { sql: 'SELECT * FROM nope' }, 'The server refuses the statement: no such table: `nope`'],
    ['rich', { sql: 'SELECT * FROM secret', as: 'anonymous' }, 'With `as: owner` the owner of the database asks.'],
    [
      'counter',
      { sql: 'SELECT * FROM counter', some: { valu: 1 } },
      'There is no column `valu`. There are: `id`, `value`. Did you mean `value`?'
    ],
    ['counter', { sql: 'SELECT * FROM counter', each: { value: '0' } }, 'Column "value" holds numbers, never "0".'],
    ['counter', { sql: 'DELETE FROM counter WHERE id = 99', eventually: '1s' }, '`eventually` is for a `SELECT`']
  ])('the author is mistaken: %s: %j', async (module, written, reason) => {
    expect(await sql(await world.shared(module), written)).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining(reason),
      final: true
    })
  })
})

describe('eventually', () => {
  const written = { sql: 'SELECT value FROM counter WHERE id = 3', value: 1, eventually: '3s' }

  test('it holds after a while', async () => {
    const name = await world.create('counter')
    const finding = sql(name, written)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await call(world.owner, name, 'increment_counter', [3])
    expect(await finding).toMatchObject({ kind: 'passed' })
  })

  test('it never holds', async () => {
    const begin = Date.now()
    expect(await sql(await world.shared('counter'), { ...written, eventually: '300ms' })).toEqual({
      kind: 'failed',
      expected: 'value = 1, within 300ms',
      actual: 'no rows'
    })
    expect(Date.now() - begin).toBeGreaterThanOrEqual(300)
  })

  test('a job that is cancelled ends it', async () => {
    const proxy = await startProxy(world.url)
    try {
      const cancel = new AbortController()
      const others = { url: proxy.url, cancelled: cancel.signal }
      const place = await placeOf(world, await world.shared('counter'), others)
      const finding = tryOnce(runSql, checkOf('sql', written), place)
      await new Promise((resolve) => setTimeout(resolve, 300))
      cancel.abort()
      expect(await finding).toMatchObject({ kind: 'not-run', reason: 'The job was cancelled.' })
      const count = proxy.requests.length
      await new Promise((resolve) => setTimeout(resolve, 500))
      // One may have been on its way.
      expect(proxy.requests.length).toBeLessThanOrEqual(count + 1)
    } finally {
      await proxy.close()
    }
  })

  test('the time of the try ends it, too', async () => {
    const place = await placeOf(world, await world.shared('counter'))
    const finding = await tryOnce(runSql, checkOf('sql', { ...written, timeout: '400ms' }), place)
    expect(finding).toEqual({
      kind: 'failed',
      expected: "value = 1, within 400ms (the check's `timeout`)",
      actual: 'no rows'
    })
  })
})

describe('answers that are lost', () => {
  test('a SELECT is asked again, a statement that writes is not', async () => {
    const proxy = await startProxy(world.url)
    try {
      const name = await world.create('counter')
      const place = await placeOf(world, name, { url: proxy.url })
      proxy.inject({ match: { path: /\/sql$/, nth: 1 }, fault: { kind: 'reset-after' } })
      const select = checkOf('sql', { sql: 'SELECT * FROM counter', count: 1 })
      expect(await tryOnce(runSql, select, place)).toMatchObject({ kind: 'passed' })
      expect(proxy.requests).toHaveLength(2)

      proxy.inject({ match: { path: /\/sql$/, nth: 1 }, fault: { kind: 'reset-after' } })
      const insert = checkOf('sql', { sql: 'INSERT INTO counter (id, value) VALUES (9, 9)' })
      expect(await tryOnce(runSql, insert, place)).toMatchObject({ kind: 'failed', expected: 'an answer' })
      expect(proxy.requests).toHaveLength(3)
      expect(await rows(world.owner, name, 'SELECT id FROM counter WHERE id = 9')).toEqual([[9]])
    } finally {
      await proxy.close()
    }
  })

  test('no answer at all', async () => {
    const proxy = await startProxy(world.url)
    try {
      proxy.inject({ match: {}, fault: { kind: 'hang' } })
      const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
      const check = checkOf('sql', { sql: 'SELECT * FROM counter', timeout: '300ms' })
      expect(await tryOnce(runSql, check, place)).toEqual({
        kind: 'failed',
        expected: 'an answer within 300ms',
        actual: 'none'
      })
    } finally {
      await proxy.close()
    }
  })
})
