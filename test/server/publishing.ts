import { connect as connectSocket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { call, eventually, rows, token, update, type World, wasm } from './world.ts'

/** What becomes of a module that is published. */
export function testPublishing(world: World): void {
  describe('publishing', () => {
    test('the live module can be read back whole, and the first one stays named', async () => {
      const name = await world.create('counter')
      await update(world.owner, name, wasm('counter-additive'))
      expect(await world.other.client.live(name)).toEqual({ hash: wasm('counter-additive').hash, kind: 'wasm' })
      expect((await world.owner.client.liveModule(name)).hash).toBe(wasm('counter-additive').hash)
      const tables = (await world.owner.client.schema(name)).tables.map((table) => table.name)
      expect(tables.sort()).toEqual(['audit', 'counter'])
    })

    test('a plan is good for the live module that it was made for', async () => {
      const name = await world.create('counter')
      const stale = token(await world.owner.client.plan(name, wasm('counter-reducer-param')))
      await update(world.owner, name, wasm('counter-additive'))
      const refused = await world.owner.client.publishUpdate(name, wasm('counter-reducer-param'), stale)
      expect(refused).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/Token provided is invalid/) })
      expect((await world.owner.client.live(name)).hash).toBe(wasm('counter-additive').hash)
    })

    test('of two publishers with plans for the same live module, one wins', async () => {
      const name = await world.create('counter')
      const candidates = [wasm('counter-additive'), wasm('counter-reducer-param')]
      const tokens = await Promise.all(
        candidates.map(async (module) => token(await world.owner.client.plan(name, module)))
      )
      const answers = await Promise.all(
        candidates.map((module, i) => world.owner.client.publishUpdate(name, module, tokens[i] ?? ''))
      )
      expect(answers.map(({ kind }) => kind).sort()).toEqual(['published', 'refused'])
      const winner = candidates[answers.findIndex(({ kind }) => kind === 'published')]
      expect((await world.owner.client.live(name)).hash).toBe(winner?.hash)
    })

    test('the live module again changes nothing', async () => {
      const name = await world.create('counter')
      await call(world.owner, name, 'increment_counter', [1])
      expect(await update(world.owner, name, wasm('counter'))).toMatchObject({
        kind: 'published',
        operation: 'updated'
      })
      expect(await rows(world.owner, name, 'SELECT * FROM counter')).toEqual([
        [0, 0],
        [1, 1]
      ])
    })

    test('added columns get their defaults, and can not be taken back', async () => {
      const name = await world.create('counter')
      const body = wasm('counter-new-columns').bytes
      expect((await world.owner.send('PUT', `/database/${name}`, { body })).status).toBe(400)
      expect(await world.owner.client.plan(name, wasm('counter-new-columns'))).toMatchObject({ breaksClients: true })
      await update(world.owner, name, wasm('counter-new-columns'))
      expect(await rows(world.owner, name, 'SELECT * FROM counter')).toEqual([[0, 0, 1, '']])
      expect(await world.owner.client.plan(name, wasm('counter'))).toMatchObject({ kind: 'manual' })
    })

    test('a table with rows is not removed, and nothing else changes then', async () => {
      const name = await world.create('counter-additive')
      await call(world.owner, name, 'increment_counter', [7])
      expect(await update(world.owner, name, wasm('counter'))).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(/Cannot remove table `audit`: table contains data/)
      })
      expect((await world.owner.client.live(name)).hash).toBe(wasm('counter-additive').hash)
      await call(world.owner, name, 'clear_audit', [])
      expect(await update(world.owner, name, wasm('counter'))).toMatchObject({ kind: 'published' })
      expect(await rows(world.owner, name, 'SELECT * FROM counter')).toEqual([
        [0, 0],
        [7, 1]
      ])
    })

    test('what is no module is refused', async () => {
      const name = await world.create('counter')
      const reasons = ['not a module', '', wasm('hostile/env').bytes, wasm('hostile/abi11').bytes].map(async (body) => {
        const { status, text } = await world.owner.send('PUT', `/database/${name}`, { body })
        return status === 500 && text.length > 0
      })
      expect(await Promise.all(reasons)).toEqual([true, true, true, true])
      expect(await call(world.owner, name, 'health_check', [])).toMatchObject({ kind: 'ok' })
    })

    test('only the owner plans, publishes, locks and deletes', async () => {
      const name = await world.create('counter')
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
        const answer = await world.other.send(
          method,
          `/database/${name}${path}`,
          content === undefined ? {} : { body: content }
        )
        expect([method, path, answer.status]).toEqual([method, path, 403])
      }
    })

    test('a locked database is neither cleared nor deleted, but updated', async () => {
      const name = await world.create('counter')
      await world.owner.client.lock(name)
      const clear = { body: wasm('counter').bytes }
      expect((await world.owner.send('PUT', `/database/${name}?clear=true`, clear)).status).toBe(403)
      expect((await world.owner.send('DELETE', `/database/${name}`)).status).toBe(403)
      expect(await update(world.owner, name, wasm('counter-additive'))).toMatchObject({ kind: 'published' })
      await world.owner.client.unlock(name)
      expect((await world.owner.send('PUT', `/database/${name}?clear=true`, clear)).status).toBe(200)
      expect((await world.owner.send('DELETE', `/database/${name}`)).status).toBe(200)
      expect(await world.owner.client.resolve(name)).toEqual({ kind: 'claimed' })
    })

    test('an update whose answer is lost is carried out', async () => {
      const name = await world.create('counter')
      const module = wasm('counter-additive')
      const plan = token(await world.owner.client.plan(name, module))
      await sendAndReset(world, `/v1/database/${name}?policy=BreakClients&token=${plan}`, module.bytes)
      await eventually(async () => expect((await world.owner.client.live(name)).hash).toBe(module.hash))
    })
  })
}

/** Sends a request as a whole and ends the connection before there can be an answer, but after it was read. */
function sendAndReset(world: World, path: string, body: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(world.url)
  const head = `PUT ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${world.owner.token}\r\ncontent-length: ${body.length}\r\n\r\n`
  return new Promise((resolve, reject) => {
    const socket = connectSocket(Number(port || 80), hostname).on('error', reject)
    socket.write(head)
    socket.write(body)
    setTimeout(() => resolve(void socket.resetAndDestroy()), 10)
  })
}
