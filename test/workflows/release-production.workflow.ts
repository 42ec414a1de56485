import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { hashOf } from '../runner/stage.ts'
import type { Interruption } from './act-process.ts'
import { game } from './game.ts'
import { type RunOptions, startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

const stage = await startWorkflowStage()
afterAll(() => stage.close())

const { token, liveHash, publish } = stage.server()
const run = (event: RunOptions['event'], more: Pick<RunOptions, 'interruption' | 'variables'> = {}) =>
  stage.run({ workflow: 'release-production.yml', event, secrets: { SPACETIMEDB_TOKEN: token }, variables, ...more })
const reports = (summaries: readonly { job: string; text: string }[]) =>
  summaries.flatMap(({ job, text }) => (job === 'report' ? [text] : []))

test('started by hand, it makes the first release', async () => {
  stage.repository.commit(await game('counter'))
  const { jobs, summaries } = await run({ kind: 'workflow_dispatch', inputs: { create: 'true' } })
  expect(jobs).toEqual({ build: 'success', plan: 'success', release: 'success', report: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter'))
  expect(reports(summaries)).toEqual([expect.stringMatching(/^octocat\/game main is live\. http/)])
})

test('a version tag is planned, and exactly that is applied', async () => {
  stage.repository.commit(await game('counter-additive'))
  const { jobs, log } = await run({ kind: 'tag', tag: 'v1.0.0' })
  expect(jobs).toEqual({ build: 'success', plan: 'success', release: 'success', report: 'success' })
  expect(log).toContain('✓ it is the planned one')
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))
  expect(stage.deployments('production')).toEqual(['inactive', 'success'])
})

test('what breaks clients is refused by the plan, and nothing is changed', async () => {
  stage.repository.commit(await game('counter-new-columns'))
  const { jobs, summaries } = await run({ kind: 'tag', tag: 'v2.0.0' })
  expect(jobs).toEqual({ build: 'success', plan: 'failure', release: 'skipped', report: 'success' })
  expect(await liveHash('my-game')).toBe(hashOf('counter-additive'))
  expect(reports(summaries)).toEqual([expect.stringContaining('was not released (build: success, plan: failure)')])
})

test('when somebody publishes after the plan was made, nothing happens', async () => {
  await publish('other-game', 'counter')
  stage.repository.commit(await game('counter-additive'))
  const others = { ...variables, SPACETIMEDB_DATABASE: 'other-game' }
  const what = () => publish('other-game', 'counter-reducer-param')
  const interruption: Interruption = { at: ({ jobID, jobResult }) => jobID === 'plan' && jobResult !== undefined, what }
  const { jobs, summaries } = await run({ kind: 'tag', tag: 'v2.0.1' }, { interruption, variables: others })
  expect(jobs).toEqual({ build: 'success', plan: 'success', release: 'failure', report: 'success' })
  expect(await liveHash('other-game')).toBe(hashOf('counter-reducer-param'))
  expect(reports(summaries)).toEqual([expect.stringContaining('was not released. It changed nothing.')])
})

test('an unhealthy release is rolled back, and the report says so', async () => {
  await publish('sick-game', 'counter')
  stage.repository.commit(await game('counter-unhealthy'))
  const others = { ...variables, SPACETIMEDB_DATABASE: 'sick-game' }
  const { jobs, summaries } = await run({ kind: 'tag', tag: 'v2.0.2' }, { variables: others })
  expect(jobs).toEqual({ build: 'success', plan: 'success', release: 'failure', report: 'success' })
  expect(await liveHash('sick-game')).toBe(hashOf('counter'))
  expect(reports(summaries)).toEqual([expect.stringContaining('was rolled back: what was live before')])
})

describe('a release that is cancelled while it is watched', () => {
  const isWatched: Interruption['at'] = ({ jobID, msg }) => jobID === 'release' && /^Soak …/.test(msg)
  const cancelled = (database: string, what: 'ask' | 'cancel') => {
    const others = { ...variables, SPACETIMEDB_DATABASE: database, SPACETIMEDB_SOAK: '5m' }
    return run({ kind: 'tag', tag: `v3-${what}` }, { interruption: { at: isWatched, what }, variables: others })
  }

  test('goes back in the time that it is given, and the report says so', async () => {
    await publish('ended-game', 'counter')
    stage.repository.commit(await game('counter-additive'))
    const { jobs, summaries } = await cancelled('ended-game', 'ask')
    expect(jobs).toEqual({ build: 'success', plan: 'success', release: 'failure', report: 'success' })
    expect(await liveHash('ended-game')).toBe(hashOf('counter'))
    expect(reports(summaries)).toEqual([expect.stringContaining('was rolled back: what was live before')])
  })

  test('is undone by the post step when it is killed', async () => {
    await publish('killed-game', 'counter')
    stage.repository.commit(await game('counter-additive'))
    const { jobs, annotations } = await cancelled('killed-game', 'cancel')
    expect(jobs).toMatchObject({ build: 'success', plan: 'success', release: 'failure' })
    expect(annotations).toContainEqual(
      expect.objectContaining({
        message: expect.stringContaining('Rolled back: killed-game runs the previous module again')
      })
    )
    expect(await liveHash('killed-game')).toBe(hashOf('counter'))
  })
})
