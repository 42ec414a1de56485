import { describe, expect, test } from '@jest/globals'
import { call, matrixWasm, rows, type World } from './world.ts'

/** What calls of reducers, procedures and views do. */
export function testReducers(world: World): void {
  describe('reducers', () => {
    test('their errors and panics undo what they did, and they can be called again', async () => {
      const [unhealthy, panics] = [await world.create('counter-unhealthy'), await world.create('counter-panics')]
      expect(await call(world.owner, unhealthy, 'health_check', [])).toEqual({
        kind: 'failed',
        reason: 'unhealthy on purpose (1 rows)'
      })
      expect(await call(world.owner, panics, 'health_check', [])).toMatchObject({
        kind: 'failed',
        reason: expect.stringMatching(/fatal error/)
      })
      expect(await call(world.owner, panics, 'increment_counter', [1])).toMatchObject({ kind: 'ok' })
      expect(await rows(world.owner, panics, 'SELECT * FROM counter WHERE id = 1')).toEqual([[1, 1]])
    })

    test('a unique value that is there already undoes all of a call', async () => {
      const name = await world.create('rich')
      expect(await call(world.owner, name, 'seed', [1])).toMatchObject({ kind: 'ok' })
      expect(await call(world.owner, name, 'seed', [3])).toMatchObject({ kind: 'failed' })
      expect(await rows(world.owner, name, 'SELECT id, ok FROM secret')).toEqual([[1, true]])
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
      const answer = await world.owner.send('POST', `/database/${await world.shared('counter')}/call/${reducer}`, {
        body,
        type: 'application/json'
      })
      expect(answer.status).toBe(status)
    })

    test('content must be of exactly the type JSON, and below 2 MB', async () => {
      const path = `/database/${await world.shared('counter')}/call/increment_counter`
      expect(
        (await world.owner.send('POST', path, { body: '[1]', type: 'application/json; charset=utf-8' })).status
      ).toBe(415)
      const large = `[1${' '.repeat(3_000_000)}]`
      expect((await world.owner.send('POST', path, { body: large, type: 'application/json' })).status).toBe(413)
    })

    test('one that takes its time holds up no other database', async () => {
      const [slow, quick] = [await world.create('counter-slow'), await world.create('counter')]
      let isDone = false
      const spinning = call(world.owner, slow, 'spin_for', [300_000_000]).then(() => {
        isDone = true
      })
      await Promise.all([world.owner.client.ping(), call(world.owner, quick, 'increment_counter', [1])])
      expect(isDone).toBe(false)
      await spinning
    })

    test('procedures answer with values, views with rows, and event tables keep none', async () => {
      const name = await world.create(matrixWasm('base'))
      await call(world.owner, name, 'fill', [1])
      expect(await call(world.owner, name, 'quote', ['2', 3].map(Number))).toMatchObject({ kind: 'ok' })
      const quoted = await world.owner.send('POST', `/database/${name}/call/quote`, {
        body: '[2, 3]',
        type: 'application/json'
      })
      expect([quoted.status, quoted.text]).toEqual([200, '6'])
      expect(await rows(world.other, name, 'SELECT name, guild FROM novices')).toEqual([['player 1', [0, 7]]])
      expect(await rows(world.owner, name, 'SELECT * FROM chime')).toEqual([])
      expect(
        (
          await world.other.send('POST', `/database/${name}/call/run_restock`, {
            body: '[[1,[0,[5]],1]]',
            type: 'application/json'
          })
        ).status
      ).toBe(404)
    })
  })
}
