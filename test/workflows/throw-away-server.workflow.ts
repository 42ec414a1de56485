import { afterAll, expect, jest, test } from '@jest/globals'
import { game } from './game.ts'
import { startWorkflowStage } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage([])
afterAll(() => stage.close())

const run = (branch: string) =>
  stage.run({ workflow: 'throw-away-server.yml', event: { kind: 'pull_request', number: 3, branch, isFromFork: true } })

test('publishes the module of a pull request to a server of its own, and calls it', async () => {
  stage.repository.commit(await game('counter'))
  const { jobs, log } = await run('fix')
  expect(jobs).toEqual({ try: 'success' })
  expect(log).toMatch(/try: Created new database with name: my-game/)
})

test('fails when a reducer does, and shows the log', async () => {
  stage.repository.commit(await game('counter-unhealthy'))
  const { jobs, steps } = await run('bug')
  expect(jobs).toEqual({ try: 'failure' })
  const results = steps.map(({ step, stage, result }) => (stage === 'Main' ? `${step}: ${result}` : ''))
  expect(results).toContain('Call a reducer: failure')
  expect(results).toContain("Show the module's log: success")
})
