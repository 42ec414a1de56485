import { afterAll, expect, jest, test } from '@jest/globals'
import { hashOf } from '../runner/stage.ts'
import { game } from './game.ts'
import { startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const { token, liveHash, publish } = stage.server()
const secrets = { SPACETIMEDB_TOKEN: token }
const released = async (module: string, tag: string) => {
  stage.repository.commit(await game(module))
  await stage.run({ workflow: 'release-production.yml', event: { kind: 'tag', tag }, secrets, variables })
}
const run = (inputs: Readonly<Record<string, string>>) =>
  stage.run({
    workflow: 'rollback.yml',
    event: {
      kind: 'workflow_dispatch',
      inputs: { environment: 'production', to: 'previous', reason: 'It lags.', ...inputs }
    },
    secrets,
    variables
  })

test('says what it would go back to, and does it when it is told to', async () => {
  await publish('my-game', 'counter')
  await released('counter-additive', 'v1.0.0')
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))

  const refused = await run({ 'dry-run': 'false' })
  expect(refused.jobs).toEqual({ rollback: 'failure' })
  expect(refused.log).toContain('Set allow-breaking-clients')
  const dry = await run({ 'allow-breaking-clients': 'true' })
  expect(dry.jobs).toEqual({ rollback: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))

  const real = await run({ 'allow-breaking-clients': 'true', 'dry-run': 'false' })
  expect(real.jobs).toEqual({ rollback: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter'))
  expect(stage.deployments('production').at(-1)).toBe('success')
})

test('there is nothing to go back to in an environment without releases', async () => {
  const { jobs, annotations } = await run({ environment: 'staging', 'dry-run': 'false' })
  expect(jobs).toEqual({ rollback: 'failure' })
  expect(annotations.filter(({ level }) => level === 'error')).toHaveLength(1)
  expect(await liveHash('my-game')).toBe(hashOf('counter'))
})
