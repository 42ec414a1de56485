import { afterAll, expect, jest, test } from '@jest/globals'
import { jsonAnswer } from '../stand-ins/http-answer.ts'
import { game } from './game.ts'
import { startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

const told: unknown[] = []
const hosts = {
  'hooks.example.org': ({ body }: { body?: Buffer }) => {
    told.push(JSON.parse(`${body}`))
    return jsonAnswer(200, { ok: true })
  }
}
const stage = await startWorkflowStage(['stdb.example.org'], hosts)
afterAll(() => stage.close())

const { token, publish } = stage.server()
const { issues, comments } = stage.github.api.state
const run = () =>
  stage.run({
    workflow: 'scheduled-checks.yml',
    event: { kind: 'schedule' },
    secrets: { CHECKS_WEBHOOK: 'https://hooks.example.org/services/T0/B0/a1b2c3d4e5' },
    variables: { PRODUCTION_SERVER: 'https://stdb.example.org', PRODUCTION_DATABASE: 'my-game' }
  })

test('opens one issue when production is not as it was released, tells again, and closes it', async () => {
  stage.repository.commit(await game('counter'))
  const event = { kind: 'workflow_dispatch', inputs: { create: 'true' } } as const
  await stage.run({ workflow: 'release-production.yml', event, secrets: { SPACETIMEDB_TOKEN: token }, variables })
  expect((await run()).jobs).toEqual({ check: 'success' })
  expect(issues).toEqual([])

  await publish('my-game', 'counter-reducer-param')
  expect((await run()).jobs).toEqual({ check: 'failure' })
  expect(issues).toMatchObject([{ state: 'open', title: 'Production is not as it should be' }])
  expect(told).toHaveLength(1)

  expect((await run()).jobs).toEqual({ check: 'failure' })
  expect(issues).toHaveLength(1)
  expect(comments).toMatchObject([{ issue: issues[0]?.number, body: expect.stringContaining('my-game') }])

  await publish('my-game', 'counter')
  expect((await run()).jobs).toEqual({ check: 'success' })
  expect(issues).toMatchObject([{ state: 'closed' }])
  expect(told).toHaveLength(2)
})
