import { describe, expect, test } from '@jest/globals'
import { newName, type World, wasm } from './world.ts'

/** Whose a name is. */
export function testNames(world: World): void {
  describe('names', () => {
    test('a free name belongs to whoever publishes first', async () => {
      const name = newName()
      world.made.push(name)
      expect(await world.owner.client.resolve(name)).toEqual({ kind: 'free' })
      expect(await world.owner.client.publishFirst(name, wasm('counter'))).toMatchObject({ operation: 'created' })
      expect(await world.other.client.resolve(name)).toMatchObject({
        kind: 'exists',
        owner: world.owner.identity,
        moduleKind: 'wasm'
      })
      expect(await world.other.client.publishFirst(name, wasm('counter')).catch((failure) => failure.kind)).toBe(
        'forbidden'
      )
    })

    test('of several first publishers one gets the name, and the others nothing', async () => {
      const name = newName()
      world.made.push(name)
      const publishers = [world.owner, world.other, world.owner, world.other]
      const body = wasm('counter').bytes
      const answers = await Promise.all(publishers.map(({ send }) => send('PUT', `/database/${name}`, { body })))
      const winner = answers.findIndex(({ status }) => status === 200)
      expect(answers.map(({ status }) => status === 200 || status === 401 || status === 500)).not.toContain(false)
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(await world.owner.client.resolve(name)).toMatchObject({ owner: publishers[winner]?.identity })
    })

    test('a first publish whose init fails claims the name for nobody', async () => {
      const name = newName()
      world.made.push(name)
      const answer = await world.owner.client.publishFirst(name, wasm('counter-init-fails'))
      expect(answer).toMatchObject({ kind: 'bad-module', reason: 'init refused on purpose' })
      expect(await world.owner.client.resolve(name)).toEqual({ kind: 'claimed' })
      expect(await world.other.client.publishFirst(name, wasm('counter'))).toMatchObject({ operation: 'created' })
    })

    test('a database without a token belongs to nobody', async () => {
      const name = newName()
      expect((await world.nobody('PUT', `/database/${name}`, { body: wasm('counter').bytes })).status).toBe(200)
      const resolution = await world.owner.client.resolve(name)
      expect(
        resolution.kind === 'exists' && [world.owner.identity, world.other.identity].includes(resolution.owner)
      ).toBe(false)
    })

    test('anybody can add a name, and only the owner set them', async () => {
      const [name, alias, renamed] = [await world.create('counter'), newName(), newName()]
      expect((await world.other.send('POST', `/database/${name}/names`, { body: alias })).status).toBe(200)
      expect(await world.owner.client.resolve(alias)).toEqual(await world.owner.client.resolve(name))
      const rename = { body: JSON.stringify([renamed]), type: 'application/json' }
      expect((await world.other.send('PUT', `/database/${name}/names`, rename)).status).toBe(401)
      const unaliased = await world.create('counter')
      expect((await world.owner.send('PUT', `/database/${unaliased}/names`, rename)).text).toBe('"Success"')
      expect(await world.owner.client.resolve(unaliased)).toEqual({ kind: 'free' })
      world.made.push(renamed)
    })

    test('all names of a database are told, whoever gave them', async () => {
      const [name, alias] = [await world.create('counter'), newName()]
      await world.other.send('POST', `/database/${name}/names`, { body: alias })
      expect([...(await world.other.client.namesOf(name))].sort()).toEqual([name, alias].sort())
      expect(await world.owner.client.namesOf(newName())).toEqual([])
    })

    test('the databases of an identity are told to anybody, until they are deleted', async () => {
      const name = await world.create('counter')
      const found = await world.owner.client.resolve(name)
      if (found.kind !== 'exists') throw new Error(found.kind)
      expect(await world.other.client.databasesOf(world.owner.identity)).toContain(found.identity)
      expect(await world.other.client.databasesOf(world.other.identity)).not.toContain(found.identity)
      expect(await world.other.client.delete(found.identity).catch((failure) => failure.kind)).toBe('forbidden')
      await world.owner.client.lock(name)
      expect(await world.owner.client.delete(found.identity)).toEqual({ kind: 'locked' })
      await world.owner.client.unlock(name)
      expect(await world.owner.client.delete(found.identity)).toEqual({ kind: 'deleted' })
      expect(await world.other.client.databasesOf(world.owner.identity)).not.toContain(found.identity)
      expect(await world.owner.client.resolve(name)).toEqual({ kind: 'claimed' })
      expect(await world.owner.client.namesOf(name)).toEqual([])
    })

    test.each(['Bad_Name', 'a--b', '-a'])('%s is no name', async (name) => {
      expect((await world.owner.send('PUT', `/database/${name}`, { body: wasm('counter').bytes })).status).toBe(400)
    })
  })
}
