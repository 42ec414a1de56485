import { afterAll, expect, jest, test } from '@jest/globals'
import { hashOf } from '../runner/stage.ts'
import { game } from './game.ts'
import { startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const { token, liveHash, publish } = stage.server()
const secrets = { SPACETIMEDB_TOKEN: token }
const staging = { ...variables, SPACETIMEDB_DATABASE: 'my-game-staging' }
const run = (inputs: Readonly<Record<string, string>>) =>
  stage.run({ workflow: 'promote.yml', event: { kind: 'workflow_dispatch', inputs }, secrets, variables })

test('brings what passed its checks on staging to production', async () => {
  await publish('my-game', 'counter')
  await publish('my-game-staging', 'counter')
  stage.repository.commit(await game('counter-additive'))
  await stage.run({ workflow: 'deploy-staging.yml', event: { kind: 'push' }, secrets, variables: staging })

  const dry = await run({})
  expect(dry.jobs).toEqual({ promote: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter'))

  const real = await run({ 'dry-run': 'false', reason: 'It plays well.' })
  expect(real.jobs).toEqual({ promote: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))
  expect(stage.deployments('production').at(-1)).toBe('success')
})

test('what failed on staging is not promoted', async () => {
  stage.repository.commit(await game('counter-unhealthy'))
  await stage.run({ workflow: 'deploy-staging.yml', event: { kind: 'push' }, secrets, variables: staging })
  const { jobs } = await run({ 'dry-run': 'false', 'module-hash': hashOf('counter-unhealthy') })
  expect(jobs).toEqual({ promote: 'failure' })
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))
})
