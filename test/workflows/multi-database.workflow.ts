import { afterAll, expect, jest, test } from '@jest/globals'
import { rustProject, within } from '../runner/build-stage.ts'
import { hashOf } from '../runner/stage.ts'
import type { WorkflowEvent } from './event.ts'
import { startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const { token, liveHash } = stage.server()
const run = (event: WorkflowEvent) =>
  stage.run({ workflow: 'multi-database.yml', event, secrets: { SPACETIMEDB_TOKEN: token }, variables })
const games = (lobby: string, world: string) => ({
  'spacetime.json': JSON.stringify({
    database: 'lobby',
    'module-path': './lobby',
    children: [
      { database: 'world-eu', 'module-path': './world' },
      { database: 'world-us', 'module-path': './world' }
    ]
  }),
  ...within('lobby', rustProject(lobby)),
  ...within('world', rustProject(world))
})
const live = () => Promise.all(['lobby', 'world-eu', 'world-us'].map(liveHash))

test('each database of spacetime.json gets its module', async () => {
  stage.repository.commit(games('counter', 'counter-additive'))
  const { jobs } = await run({ kind: 'workflow_dispatch', inputs: { create: 'true' } })
  expect(jobs).toEqual({ build: 'success', deploy: 'success' })
  expect(await live()).toEqual([hashOf('counter'), hashOf('counter-additive'), hashOf('counter-additive')])
  expect(stage.deployments('production')).toHaveLength(3)
})

test('one that is not healthy goes back, and the others are released', async () => {
  stage.repository.commit(games('counter-unhealthy', 'counter-additive'))
  const { jobs } = await run({ kind: 'push' })
  expect(jobs).toEqual({ build: 'success', deploy: 'failure' })
  expect(await live()).toEqual([hashOf('counter'), hashOf('counter-additive'), hashOf('counter-additive')])
})

test('started by hand, it publishes what breaks clients and has no way back', async () => {
  stage.repository.commit(games('counter-new-columns', 'counter-additive'))
  const inputs = { 'allow-breaking-clients': 'true', 'allow-irreversible': 'true' }
  const { jobs } = await run({ kind: 'workflow_dispatch', inputs })
  expect(jobs).toEqual({ build: 'success', deploy: 'success' })
  expect((await live())[0]).toBe(hashOf('counter-new-columns'))
})
