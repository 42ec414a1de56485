import { afterAll, expect, jest, test } from '@jest/globals'
import { game } from './game.ts'
import { startWorkflowStage } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const workflow = 'pull-request.yml'
const comments = () => stage.github.api.state.comments.map(({ body, issue }) => ({ body, issue }))

test('on main it builds what pull requests are compared with', async () => {
  stage.repository.commit(await game('counter'))
  const { jobs } = await stage.run({ workflow, event: { kind: 'push' } })
  expect(jobs).toEqual({ build: 'success', plan: 'skipped', 'smoke-test': 'success' })
})

test('says in one comment what a pull request would do, and changes it with the pull request', async () => {
  stage.repository.commit(await game('counter-additive'))
  const event = { kind: 'pull_request', number: 3, branch: 'audit' } as const
  const { jobs, annotations } = await stage.run({ workflow, event })
  expect(jobs).toEqual({ build: 'success', plan: 'success', 'smoke-test': 'success' })
  expect(comments()).toEqual([{ issue: 3, body: expect.stringContaining('public table is added') }])
  expect(annotations.filter(({ level }) => level === 'error')).toEqual([])

  stage.repository.commit(await game('counter-new-columns'))
  const breaking = await stage.run({ workflow, event })
  expect(breaking.jobs).toEqual({ build: 'success', plan: 'failure', 'smoke-test': 'success' })
  expect(comments()).toEqual([{ issue: 3, body: expect.stringMatching(/break/) }])
})

test('a fork gets the plan in its summary: nothing is written for it', async () => {
  stage.repository.commit(await game('counter-additive'))
  const before = comments()
  const event = { kind: 'pull_request', number: 4, branch: 'fix', isFromFork: true } as const
  const { jobs, summaries } = await stage.run({ workflow, event })
  expect(jobs).toEqual({ build: 'success', plan: 'success', 'smoke-test': 'success' })
  expect(summaries.filter(({ job }) => job === 'plan')).toEqual([
    { job: 'plan', text: expect.stringContaining('public table is added') }
  ])
  expect(comments()).toEqual(before)
})

test('a check that fails fails the pull request, and its report is kept', async () => {
  const checks = 'checks:\n  - sql: SELECT * FROM counter\n    count: 5\n'
  stage.repository.commit({ ...(await game('counter-additive')), '.spacetimedb/smoke.yml': checks })
  const { jobs } = await stage.run({ workflow, event: { kind: 'pull_request', number: 5, branch: 'bug' } })
  expect(jobs).toEqual({ build: 'success', plan: 'success', 'smoke-test': 'failure' })
  expect(stage.github.results.artifacts.at(-1)).toMatchObject({ name: 'smoke-test', job: 'smoke-test' })
})

test('a module that is not healthy after the migration fails the pull request', async () => {
  stage.repository.commit(await game('counter-unhealthy'))
  const { jobs } = await stage.run({ workflow, event: { kind: 'pull_request', number: 6, branch: 'sick' } })
  expect(jobs).toEqual({ build: 'success', plan: 'success', 'smoke-test': 'failure' })
})
