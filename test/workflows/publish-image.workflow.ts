import { afterAll, expect, jest, test } from '@jest/globals'
import { game } from './game.ts'
import { startWorkflowStage } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const workflow = 'publish-image.yml'

test('on a pull request the image is built and tried, and not pushed', async () => {
  stage.repository.commit(await game('counter'))
  await stage.containers.publish('smoke-test', 'counter')
  const { jobs, steps } = await stage.run({ workflow, event: { kind: 'pull_request', number: 3, branch: 'fix' } })
  expect(jobs).toEqual({ build: 'success', image: 'success' })
  expect(stage.images).toEqual({})
  expect(steps.filter(({ step }) => step.startsWith('actions/attest'))).toEqual([])
})

test('of a version tag it is pushed and attested', async () => {
  const { jobs, log } = await stage.run({ workflow, event: { kind: 'tag', tag: 'v1.2.3' } })
  expect(jobs).toEqual({ build: 'success', image: 'success' })
  const digest = stage.images['ghcr.io/octocat/game:1.2.3']
  expect(digest).toMatch(/^sha256:/)
  expect(log).toContain(`would attest ghcr.io/octocat/game@${digest}`)
})
