import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { hashModule } from '../../src/module/hash.ts'
import type { GitHubRequest } from '../stand-ins/github/api.ts'
import { rateLimitFault } from '../stand-ins/internet-fault.ts'
import { type LedgerStepOptions, startLedgerStage } from './ledger-stage.ts'
import type { StepResult } from './runner.ts'
import { hashOf, otherModule } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const stage = await startLedgerStage()
const { github } = stage

afterAll(() => stage.close())

type Choice = Omit<LedgerStepOptions, 'database'>

const deploy = (database: string, module: string | Uint8Array, { inputs, ...choice }: Choice = {}) =>
  stage.runMain('deploy', { database, module, inputs: { create: 'true', ...inputs }, ...choice })

const warningsOf = ({ annotations }: StepResult) =>
  annotations.filter(({ level }) => level === 'warning').map(({ message }) => message)
const errorsOf = ({ annotations }: StepResult) =>
  annotations.filter(({ level }) => level === 'error').map(({ message }) => message)

/** What is asked about the releases of a database, and what begins one. */
const isAbout =
  (database: string) =>
  ({ path, body }: GitHubRequest) =>
    /\/deployments\b/.test(path) && (path.includes(`=${database}&`) || body.includes(`${database}"`))
const isCreating =
  (database: string) =>
  ({ method, path, body }: GitHubRequest) =>
    method === 'POST' && path.endsWith('/deployments') && body.includes(`"${database}"`)

describe('what is deployed', () => {
  test.concurrent('is written down, and what was live before is retired', async () => {
    const database = stage.stage.newDatabase()
    const first = await deploy(database, 'counter')
    const second = await deploy(database, 'counter-additive', { inputs: { environment: database } })
    expect([first.main, second.main]).toMatchObject([
      { exitCode: 0, outputs: { result: 'created' } },
      { exitCode: 0, outputs: { result: 'updated' } }
    ])
    const [one, two] = stage.entries(database)
    expect(one).toMatchObject({
      id: Number(first.main.outputs['release-id']),
      states: ['in_progress', 'success', 'inactive'],
      payload: {
        version: 1,
        action: 'deploy',
        server: stage.stage.server.url,
        database,
        moduleHash: hashOf('counter'),
        run: `https://github.com/octocat/game/actions/runs/${first.run.id}`,
        actor: 'octocat'
      }
    })
    expect(one?.descriptions[1]).toMatch(/^created, checked/)
    expect(two).toMatchObject({
      id: Number(second.main.outputs['release-id']),
      states: ['in_progress', 'success'],
      payload: {
        moduleHash: hashOf('counter-additive'),
        previousHash: hashOf('counter'),
        databaseIdentity: second.main.outputs['database-identity'],
        verdict: 'compatible'
      }
    })
    expect(two?.payload).toMatchObject({ commit: two?.sha })
    expect(second.main.summary).toContain(String(two?.id))
  })

  test.concurrent('and is rolled back again, has failed; what was good stays so', async () => {
    const database = await stage.databaseAfter([{ module: 'counter' }])
    const failing = await deploy(database, 'counter-unhealthy')
    expect(failing.main.outputs.result).toBe('rolled-back')
    expect(stage.entries(database)).toMatchObject([
      { states: ['success'] },
      { states: ['in_progress', 'failure'], payload: { moduleHash: hashOf('counter-unhealthy') } }
    ])
    expect(stage.entries(database)[1]?.descriptions[1]).toMatch(/^rolled-back/)
    const next = await deploy(database, otherModule('counter', 'next'))
    expect(warningsOf(next.main)).toEqual([])
    expect(stage.entries(database).map(({ states }) => states.at(-1))).toEqual(['inactive', 'failure', 'success'])
  })
})

describe('what was published past the ledger', () => {
  const drifted = async () => {
    const database = await stage.databaseAfter([{ module: 'counter' }])
    expect((await stage.stage.publish(database, 'counter-additive')).status).toBe(200)
    return database
  }

  test.concurrent('stops a deploy that is to stop on it', async () => {
    const database = await drifted()
    const { main } = await deploy(database, otherModule('counter-additive', 'next'), { inputs: { 'on-drift': 'fail' } })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(errorsOf(main)).toEqual([expect.stringContaining('published past the ledger')])
    expect(main.summary).toContain(hashOf('counter-additive'))
    expect(await stage.stage.liveHash(database)).toBe(hashOf('counter-additive'))
    expect(stage.entries(database)).toHaveLength(1)
  })

  test.concurrent('is told and written down otherwise', async () => {
    const database = await drifted()
    const { main } = await deploy(database, otherModule('counter-additive', 'next'))
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    expect(warningsOf(main)).toEqual([expect.stringContaining('published past the ledger')])
    expect(main.summary).toContain('**Drift:**')
    expect(stage.entries(database)).toMatchObject([
      { states: ['success', 'inactive'] },
      {
        states: ['in_progress', 'success', 'inactive'],
        payload: { action: 'adopt', moduleHash: hashOf('counter-additive') }
      },
      { states: ['in_progress', 'success'], payload: { action: 'deploy' } }
    ])
  })
})

describe('GitHub keeps no deploy from its work', () => {
  test.concurrent('when the token may not', async () => {
    const database = stage.stage.newDatabase()
    const { main, post } = await stage.run('deploy', {
      database,
      module: 'counter',
      inputs: { create: 'true' },
      permissions: { contents: 'read' }
    })
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'created' } })
    expect(warningsOf(main)).toEqual([expect.stringContaining('deployments: write')])
    expect(main.outputs).not.toHaveProperty('release-id')
    expect(main.summary).toContain('deployments: write')
    expect(post).toMatchObject({ exitCode: 0 })
    expect(stage.entries(database)).toEqual([])
  })

  test.concurrent('when requests are used up', async () => {
    const database = await stage.stage.databaseWith('counter')
    github.api.faults.push({ on: isAbout(database), fault: rateLimitFault(Math.floor(Date.now() / 1000) + 900) })
    const { main } = await deploy(database, otherModule('counter', 'next'))
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    expect(warningsOf(main)).toEqual([expect.stringMatching(/takes no more requests.*rate limit.*again at/)])
    expect(stage.entries(database)).toEqual([])
  })

  test.concurrent('when it never answers', async () => {
    const database = await stage.stage.databaseWith('counter')
    github.api.faults.push({ on: isAbout(database), fault: { kind: 'down' } })
    const { main } = await deploy(database, otherModule('counter', 'next'))
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    expect(warningsOf(main)).toHaveLength(1)
  })

  test.concurrent('when an answer is lost: a release is there once', async () => {
    const database = await stage.stage.databaseWith('counter')
    github.api.faults.push({ on: isCreating(database), times: 1, fault: { kind: 'reset-after' } })
    const { main } = await deploy(database, 'counter-additive')
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    const moduleHash = hashOf('counter-additive')
    const ours = stage.entries(database).filter(({ payload }) => Object(payload).moduleHash === moduleHash)
    expect(ours).toMatchObject([{ states: ['in_progress', 'success'] }])
  })

  test.concurrent('and is not asked when that is not wanted', async () => {
    const database = stage.stage.newDatabase()
    const { main } = await deploy(database, 'counter', { inputs: { ledger: 'none' } })
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'created' } })
    expect(github.api.requests.filter(isAbout(database))).toEqual([])
  })
})

describe('a deploy that is cut off after it has published', () => {
  /** It ends when it wants to write down how it ended, and is never heard of again. */
  async function cutOff(module: Buffer) {
    const database = await stage.databaseAfter([{ module: 'counter' }])
    const { job, step } = stage.start('deploy', { database, module })
    const isEnding = ({ method, path, body }: GitHubRequest) =>
      method === 'POST' && /\/statuses$/.test(path) && body.includes(`/${database}"`) && body.includes('"success"')
    github.api.faults.push({
      on: (request) => {
        const isNow = isEnding(request)
        if (isNow) step.kill()
        return isNow
      },
      times: 1,
      fault: { kind: 'down' }
    })
    const { exitCode } = await step.result
    expect(exitCode).not.toBe(0)
    job.end()
    expect(stage.entries(database).at(-1)?.states).toEqual(['in_progress'])
    expect(await stage.stage.liveHash(database)).toBe(hashModule(module))
    return database
  }

  test.concurrent('is written down by the next run of the same', async () => {
    const module = otherModule('counter', 'cut off')
    const database = await cutOff(module)
    const { main } = await deploy(database, module)
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'unchanged' } })
    const release = stage.entries(database).at(-1)
    expect(release).toMatchObject({ states: ['in_progress', 'success'] })
    expect(release?.descriptions[1]).toMatch(/^updated/)
    expect(main.outputs['release-id']).toBe(String(release?.id))
  })

  test.concurrent('is written down by the next release, which retires it', async () => {
    const database = await cutOff(otherModule('counter', 'cut off'))
    const { main } = await deploy(database, otherModule('counter', 'next'))
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    expect(warningsOf(main)).toEqual([])
    expect(stage.entries(database).slice(-2)).toMatchObject([
      { states: ['in_progress', 'success', 'inactive'] },
      { states: ['in_progress', 'success'] }
    ])
  })
})

test.concurrent('of two deploys at once one wins, and the other says who it was', async () => {
  const database = await stage.stage.databaseWith('counter')
  stage.holdUntil(2, isCreating(database))
  const both = await Promise.all(['one', 'two'].map((note) => deploy(database, otherModule('counter', note))))
  expect(both.map(({ main }) => main.outputs.result).sort()).toEqual(['failed', 'updated'])
  const [winner, loser] = [...both].sort((one, other) => Number(one.main.exitCode) - Number(other.main.exitCode))
  expect(await stage.stage.liveHash(database)).toBe(winner?.main.outputs['module-hash'])
  const release = winner?.main.outputs['release-id']
  const who = `release ${release} of github-actions[bot]: https://github.com/octocat/game/actions/runs/${winner?.run.id}`
  expect(loser && errorsOf(loser.main)).toEqual([expect.stringContaining(who)])
  const states = stage.entries(database).map(({ id, states }) => [String(id), states.at(-1)])
  expect(states).toContainEqual([release, 'success'])
  expect(states).toContainEqual([loser?.main.outputs['release-id'], 'failure'])
})
