import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { hashOf, startStage } from '../runner/stage.ts'
import { type Journey, type Travelled, travel } from './journeys.ts'
import type { Rule } from './proxy.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const stage = await startStage()
const stranger = await stage.server.issueToken('stranger')
stage.secrets.add(stranger)

afterAll(() => stage.server.close())

const update: Journey = {
  name: 'an update',
  before: 'counter',
  module: 'counter-additive',
  inputs: {},
  result: 'updated'
}
const first: Journey = { name: 'a first release', module: 'counter', inputs: { create: 'true' }, result: 'created' }

/** Deploys while somebody publishes a module just before the server gets a request. */
function overtaken(journey: Journey, match: Rule['match'], module: string, token = stage.token): Promise<Travelled> {
  return travel(stage, journey, (_, database) => [{ match, before: () => stage.publish(database, module, token) }])
}

const errorsOf = ({ main }: Travelled) => main.annotations.filter(({ level }) => level === 'error')

describe('somebody else publishes', () => {
  test.concurrent('between the plan and the publish: it is refused, and theirs stays', async () => {
    const travelled = await overtaken(update, { method: 'PUT' }, 'counter-unhealthy')
    expect(travelled.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(travelled.live).toBe(hashOf('counter-unhealthy'))
    expect(travelled.requests.filter(({ method }) => method === 'PUT')).toHaveLength(1)
    expect(errorsOf(travelled)).toHaveLength(1)
    expect(errorsOf(travelled)[0]?.message).toMatch(/somebody else/i)
  })

  test.concurrent('the very same module, between the plan and the publish: it is live, which was asked', async () => {
    const travelled = await overtaken(update, { method: 'PUT' }, 'counter-additive')
    expect(travelled.main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    expect(travelled.live).toBe(hashOf('counter-additive'))
  })

  test.concurrent('between saving the live module and the plan: the plan is made again for theirs', async () => {
    const travelled = await overtaken(update, { path: /pre_publish/, nth: 1 }, 'counter-reducer-param')
    const { main } = travelled
    expect(travelled.savedModule).toBe(hashOf('counter-reducer-param'))
    expect(main.outputs['previous-module-hash']).toBe(hashOf('counter-reducer-param'))
    // Judged against theirs: taking their parameter away again breaks clients.
    expect(main.outputs).toMatchObject({ verdict: 'breaks-clients', result: 'refused' })
    expect(travelled.live).toBe(hashOf('counter-reducer-param'))
  })

  test.concurrent('before an unhealthy release is rolled back: theirs is left alone', async () => {
    const journey = { ...update, module: 'counter-unhealthy' }
    const travelled = await travel(stage, journey, (_, database) => [
      { match: { path: /call\/health_check/ }, answered: () => stage.publish(database, 'counter-additive') }
    ])
    expect(travelled.main).toMatchObject({ exitCode: 1, outputs: { result: 'rollback-failed' } })
    expect(travelled.live).toBe(hashOf('counter-additive'))
    expect(errorsOf(travelled)).toHaveLength(1)
  })

  test.concurrent('under the new name, a stranger: nothing of theirs is changed', async () => {
    const travelled = await overtaken(first, { method: 'PUT' }, 'counter-additive', stranger)
    expect(travelled.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(travelled.live).toBe(hashOf('counter-additive'))
    expect(errorsOf(travelled)).toHaveLength(1)
  })
})

describe('a first publish whose answer was lost', () => {
  test.concurrent('and that left the name claimed is sent again at once', async () => {
    const travelled = await travel(stage, first, (_, database) => [
      {
        match: { method: 'PUT', nth: 1 },
        before: () => stage.publish(database, 'counter-init-fails'),
        fault: { kind: 'swallow' }
      }
    ])
    expect(travelled.main).toMatchObject({ exitCode: 0, outputs: { result: 'created' } })
    expect(travelled.live).toBe(hashOf('counter'))
    const [lost, again] = travelled.requests.filter(({ method }) => method === 'PUT')
    expect((again?.at ?? Number.NaN) - (lost?.at ?? 0)).toBeLessThan(1000)
  })
})
