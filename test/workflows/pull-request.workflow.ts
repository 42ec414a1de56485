import { afterAll, expect, jest, test } from '@jest/globals'
import { game } from './game.ts'
import { startWorkflowStage } from './stage.ts'

jest.setTimeout(300_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const workflow = 'pull-request.yml'

test('plans what a pull request does to main, says it in a comment, and tries it', async () => {
  stage.repository.commit(await game('counter'))
  const main = await stage.run({ workflow, event: { kind: 'push' } })
  console.log(main.log)
  expect(main.jobs).toEqual({ build: 'success', 'smoke-test': 'success' })
  stage.repository.commit(await game('counter-additive'))
  const outcome = await stage.run({ workflow, event: { kind: 'pull_request', number: 3, branch: 'audit' } })
  console.log(outcome.log)
  expect(outcome.jobs).toEqual({ build: 'success', 'smoke-test': 'success' })
})
