import { afterAll, expect, jest, test } from '@jest/globals'
import { hashOf } from '../runner/stage.ts'
import { game } from './game.ts'
import { startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const { token, liveHash } = stage.server()
const run = (event: Parameters<typeof stage.run>[0]['event']) =>
  stage.run({ workflow: 'deploy-staging.yml', event, secrets: { SPACETIMEDB_TOKEN: token }, variables })

test('started by hand, it creates the database', async () => {
  stage.repository.commit(await game('counter'))
  const { jobs, annotations } = await run({ kind: 'workflow_dispatch', inputs: { create: 'true' } })
  expect(jobs).toEqual({ build: 'success', deploy: 'success' })
  expect(annotations.filter(({ level }) => level === 'error')).toEqual([])
  expect(await liveHash('my-game')).toBe(hashOf('counter'))
  expect(stage.deployments('staging')).toEqual(['success'])
})

test('what reaches main is built, published to staging, and kept as an image', async () => {
  stage.repository.commit(await game('counter-additive'))
  const { jobs } = await run({ kind: 'push' })
  expect(jobs).toEqual({ build: 'success', deploy: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))
  expect(stage.deployments('staging')).toEqual(['inactive', 'success'])
  expect(Object.keys(stage.images)).toContainEqual(expect.stringMatching(/^ghcr\.io\/octocat\/game:/))
})

test('an unhealthy release is rolled back, and the run fails', async () => {
  stage.repository.commit(await game('counter-unhealthy'))
  const { jobs, annotations } = await run({ kind: 'push' })
  expect(jobs).toEqual({ build: 'success', deploy: 'failure' })
  expect(annotations).toContainEqual({ job: 'deploy', level: 'error', message: expect.stringMatching(/rolled back/i) })
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))
  expect(stage.deployments('staging')).toEqual(['inactive', 'success', 'failure'])
})

test('started by hand, it publishes what has no way back', async () => {
  stage.repository.commit(await game('counter-new-columns'))
  const { jobs } = await run({ kind: 'workflow_dispatch', inputs: { 'allow-irreversible': 'true' } })
  expect(jobs).toEqual({ build: 'success', deploy: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter-new-columns'))
})
