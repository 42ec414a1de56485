import { describe, expect, test } from '@jest/globals'
import { rows, type World } from './world.ts'

/** What SQL answers, and to whom. */
export function testSql(world: World): void {
  describe('SQL', () => {
    test("private tables are the owner's, writing too", async () => {
      const name = await world.shared('rich')
      expect(await world.owner.client.sql(name, 'SELECT * FROM secret')).toMatchObject({ kind: 'rows' })
      expect(await world.other.client.sql(name, 'SELECT * FROM secret')).toMatchObject({
        kind: 'rejected',
        reason: expect.stringMatching(/^no such table/)
      })
      expect(await world.other.client.sql(name, 'DELETE FROM player')).toMatchObject({
        kind: 'rejected',
        reason: expect.stringMatching(/not authorized/)
      })
    })

    test('rows are inserted, changed, counted and deleted', async () => {
      const name = await world.create('counter')
      const stats = { inserted: 0, deleted: 0, updated: 0 }
      expect(await world.owner.client.sql(name, 'INSERT INTO counter (id, value) VALUES (5, -5)')).toMatchObject({
        stats: { ...stats, inserted: 1 }
      })
      expect(await world.owner.client.sql(name, 'INSERT INTO counter (id, value) VALUES (5, 6)')).toMatchObject({
        kind: 'rejected'
      })
      expect(await world.owner.client.sql(name, 'UPDATE counter SET value = 7 WHERE id = 5')).toMatchObject({
        stats: { ...stats, updated: 1 }
      })
      expect(await rows(world.owner, name, 'SELECT value FROM counter WHERE id > 0 AND value <> 3;')).toEqual([[7]])
      expect(await rows(world.owner, name, 'SELECT COUNT(*) AS n FROM counter')).toEqual([[2]])
      expect(await world.owner.client.sql(name, 'DELETE FROM counter WHERE id = 5')).toMatchObject({
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
      expect(await world.owner.client.sql(await world.shared('counter'), statement)).toMatchObject({ kind: 'rejected' })
    })
  })
}
