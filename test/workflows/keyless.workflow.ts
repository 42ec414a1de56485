import { afterAll, expect, jest, test } from '@jest/globals'
import { identityOf } from '../../src/spacetimedb/identity.ts'
import { hashOf } from '../runner/stage.ts'
import type { WorkflowEvent } from './event.ts'
import { game } from './game.ts'
import { startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const { liveHash, publish } = stage.server()
const identity = identityOf(stage.idTokens.issuer, 'repo:octocat/game:environment:production')
const run = (event: WorkflowEvent, database = 'my-game') =>
  stage.run({ workflow: 'keyless.yml', event, variables: { ...variables, SPACETIMEDB_DATABASE: database } })

test('says who it would be, creates the database as that, and updates it', async () => {
  stage.repository.commit(await game('counter'))
  const dry = await run({ kind: 'workflow_dispatch', inputs: { create: 'true', 'dry-run': 'true' } })
  expect(dry.jobs).toEqual({ build: 'success', deploy: 'success' })
  expect(dry.log).toContain(identity)
  expect(await liveHash('my-game')).toBeUndefined()

  const first = await run({ kind: 'workflow_dispatch', inputs: { create: 'true', 'dry-run': 'false' } })
  expect(first.jobs).toEqual({ build: 'success', deploy: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter'))

  stage.repository.commit(await game('counter-additive'))
  const update = await run({ kind: 'push' })
  expect(update.jobs).toEqual({ build: 'success', deploy: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))
})

test("somebody else's database is left alone", async () => {
  await publish('their-game', 'counter')
  const { jobs, annotations } = await run({ kind: 'push' }, 'their-game')
  expect(jobs).toEqual({ build: 'success', deploy: 'failure' })
  expect(annotations).toContainEqual({
    job: 'deploy',
    level: 'error',
    message: expect.stringMatching(/not the owner/i)
  })
  expect(await liveHash('their-game')).toBe(hashOf('counter'))
})
