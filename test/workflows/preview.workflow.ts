import { afterAll, expect, jest, test } from '@jest/globals'
import { hashOf } from '../runner/stage.ts'
import type { WorkflowEvent } from './event.ts'
import { game } from './game.ts'
import { startWorkflowStage } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage(['previews.example.org'])
afterAll(() => stage.close())

const { liveHash } = stage.server('previews.example.org')
const variables = { SPACETIMEDB_SERVER: 'https://previews.example.org', PREVIEW_PREFIX: 'my-game' }
const run = (event: WorkflowEvent) => stage.run({ workflow: 'preview.yml', event, variables })
const pullRequest = { kind: 'pull_request', number: 7, branch: 'audit' } as const

test('a pull request gets a database of its own, which goes with it', async () => {
  stage.repository.commit(await game('counter-additive'))
  const opened = await run({ ...pullRequest, action: 'opened' })
  expect(opened.jobs).toEqual({ build: 'success', preview: 'success', cleanup: 'skipped' })
  expect(await liveHash('my-game-pr-7')).toBe(hashOf('counter-additive'))
  expect(stage.github.api.state.comments).toMatchObject([{ issue: 7, body: expect.stringContaining('my-game-pr-7') }])

  const closed = await run({ ...pullRequest, action: 'closed' })
  expect(closed.jobs).toEqual({ build: 'skipped', preview: 'success', cleanup: 'skipped' })
  expect(await liveHash('my-game-pr-7')).toBeUndefined()
})

test('what was left behind is cleaned up on a schedule', async () => {
  await run({ ...pullRequest, number: 8, action: 'opened' })
  const { pullRequests } = stage.github.api.state
  const left = pullRequests.find(({ number }) => number === 8)
  Object.assign(left ?? {}, { state: 'closed', closedAt: new Date().toISOString() })
  const { jobs } = await run({ kind: 'schedule' })
  expect(jobs).toEqual({ build: 'skipped', preview: 'skipped', cleanup: 'success' })
  expect(await liveHash('my-game-pr-8')).toBeUndefined()
})

test('a fork gets none: its jobs can prove to nobody who they are', async () => {
  const { jobs } = await run({ ...pullRequest, number: 9, action: 'opened', isFromFork: true })
  expect(jobs).toEqual({ build: 'success', preview: 'success', cleanup: 'skipped' })
  expect(await liveHash('my-game-pr-9')).toBeUndefined()
})
