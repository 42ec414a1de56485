import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { hashModule } from '../../src/module/hash.ts'
import type { GitHubRequest } from '../stand-ins/github/api.ts'
import { rateLimitFault } from '../stand-ins/internet-fault.ts'
import { type LedgerStepOptions, startLedgerStage } from './ledger-stage.ts'
import type { StepResult } from './runner.ts'
import { hashOf, otherModule } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const stage = await startLedgerStage()
const { github } = stage

afterAll(() => stage.close())

type Choice = Omit<LedgerStepOptions, 'database'>

const rollBack = async (database: string, choice: Choice = {}) =>
  (await stage.runMain('rollback', { database, ...choice })).main

const errorsOf = ({ annotations }: StepResult) =>
  annotations.filter(({ level }) => level === 'error').map(({ message }) => message)

const [second, third] = [otherModule('counter', 'second'), otherModule('counter', 'third')]

describe('the previous release', () => {
  test.concurrent('comes back, and the one before it when it is asked for again', async () => {
    const database = await stage.databaseAfter([{ module: 'counter' }, { module: second }, { module: third }])
    const once = await rollBack(database, { inputs: { reason: 'It was slow.' } })
    expect(once).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back', 'module-hash': hashModule(second) } })
    const twice = await rollBack(database)
    expect(twice).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back', 'module-hash': hashOf('counter') } })
    expect(await stage.stage.liveHash(database)).toBe(hashOf('counter'))
    const entries = stage.entries(database)
    const [first] = entries
    expect(entries.map(({ states }) => states.at(-1))).toEqual([
      'inactive',
      'inactive',
      'inactive',
      'inactive',
      'success'
    ])
    expect(entries[3]?.payload).toMatchObject({ action: 'rollback', restores: entries[1]?.id, reason: 'It was slow.' })
    expect(entries[4]?.payload).toMatchObject({ action: 'rollback', restores: first?.id })
    const noMore = await rollBack(database)
    expect(noMore.exitCode).toBe(1)
    expect(await stage.stage.liveHash(database)).toBe(hashOf('counter'))
  })

  test.concurrent('is not the one that has failed in between', async () => {
    const database = await stage.databaseAfter([
      { module: 'counter' },
      { module: second, hasFailed: true },
      { module: third }
    ])
    const { outputs, exitCode } = await rollBack(database)
    expect({ outputs, exitCode }).toMatchObject({ exitCode: 0, outputs: { 'module-hash': hashOf('counter') } })
  })

  test.concurrent('is not there in a history of one', async () => {
    const database = await stage.databaseAfter([{ module: 'counter' }])
    const { exitCode, outputs, ...rest } = await rollBack(database)
    expect({ exitCode, outputs }).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(errorsOf({ exitCode, outputs, ...rest })).toEqual([expect.stringMatching(/`module`/)])
    expect(stage.entries(database)).toHaveLength(1)
  })

  test.concurrent('is found behind pages of others', async () => {
    const failed = Array.from({ length: 120 }, (_, index) => ({ module: Buffer.from(`${index}`), hasFailed: true }))
    const database = await stage.databaseAfter([{ module: 'counter' }, ...failed, { module: second }])
    const { outputs, exitCode } = await rollBack(database)
    expect({ outputs, exitCode }).toMatchObject({ exitCode: 0, outputs: { 'module-hash': hashOf('counter') } })
  })
})

test.concurrent('a ledger that can not be read says until when, and nothing is published', async () => {
  const database = await stage.databaseAfter([{ module: 'counter' }, { module: second }])
  const on = ({ path }: GitHubRequest) => path.includes(`environment=${database}&`)
  github.api.faults.push({ on, fault: rateLimitFault(Math.floor(Date.now() / 1000) + 900) })
  const main = await rollBack(database)
  expect(main.exitCode).toBe(1)
  expect(errorsOf(main)).toEqual([expect.stringMatching(/rate limit.*again at/s)])
  expect(await stage.stage.liveHash(database)).toBe(hashModule(second))
})

test.concurrent('of two rollbacks at once one wins, and the other says so', async () => {
  const database = await stage.databaseAfter([{ module: 'counter' }, { module: second }, { module: third }])
  stage.holdUntil(2, ({ method, body }) => method === 'POST' && body.includes('rollback') && body.includes(database))
  const [first] = stage.entries(database)
  const both = await Promise.all([rollBack(database), rollBack(database, { inputs: { to: String(first?.id) } })])
  expect(both.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1])
  const [winner, loser] = [...both].sort((one, other) => Number(one.exitCode) - Number(other.exitCode))
  expect(await stage.stage.liveHash(database)).toBe(winner?.outputs['module-hash'])
  expect(loser && errorsOf(loser)).toEqual([expect.stringContaining(`release ${winner?.outputs['release-id']}`)])
})

test.concurrent('what another rollback has brought back meanwhile is live already, and nobody has published past it', async () => {
  const database = await stage.databaseAfter([{ module: 'counter' }, { module: second }])
  let go: () => void = () => undefined
  const until = new Promise<void>((resolve) => {
    go = resolve
  })
  let held = 0
  const on = ({ path }: GitHubRequest) => path.endsWith(`/releases/tags/${database}-v1`) && ++held === 1
  github.api.holds.push({ on, until })
  const late = rollBack(database)
  while (held === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  const early = await rollBack(database)
  go()
  expect(early.outputs.result).toBe('rolled-back')
  const { outputs, annotations, summary } = await late
  expect({ outputs, annotations }).toMatchObject({ outputs: { result: 'unchanged' }, annotations: [] })
  expect(summary).not.toContain('Drift')
  expect(stage.entries(database)).toHaveLength(3)
})
