import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { renderDeployment } from '../../../src/release/summary.ts'
import type { LedgerCall, LedgerFault } from '../memory-ledger.ts'
import { foreign, next, old, sick, Trial } from './trial.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-ledger-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const calls: LedgerCall[] = ['releases', 'begin', 'end', 'retire']
const throwing = () => {
  throw new Error('Nobody expected this.')
}
const faults: [string, LedgerFault][] = [
  ['fails', 'failed'],
  ['is not allowed', 'forbidden'],
  ['hangs', 'hangs'],
  ['throws', throwing]
]
const journeys = [
  ['a first release', undefined, { create: true }, 'created'],
  ['an update', old, {}, 'updated'],
  ['an update over what somebody published by hand', foreign, {}, 'updated'],
  ['the live module', next, {}, 'unchanged'],
  ['a sick release', old, { module: sick }, 'rolled-back']
] as const

const every = journeys.flatMap((journey) => calls.flatMap((call) => faults.map((fault) => ({ journey, call, fault }))))

describe('a ledger never decides how a deploy ends', () => {
  test.each(every)('$journey.0, when each `$call` $fault.0', async ({ journey, call, fault }) => {
    const [, live, request, result] = journey
    const trial = new Trial(folder, live)
    if (live) trial.released(old)
    trial.ledger.always[call] = fault[1]
    const deployment = await trial.deploy(request)
    expect(deployment.result).toBe(result)
    expect(trial.clock.now()).toBeLessThanOrEqual(12_000)
    // Drift is warned of as well, and only once is the ledger.
    const warnings = trial.warnings.filter((text) => !text.includes('past the ledger'))
    expect(warnings.length).toBeLessThanOrEqual(1)
    if (deployment.ledgerWarning !== undefined) {
      expect(warnings).toEqual([deployment.ledgerWarning])
      expect(renderDeployment(deployment)).toContain('**The ledger of releases:**')
    }
  })

  test('that is slow throughout is not waited for at each call anew', async () => {
    const trial = new Trial(folder, foreign)
    trial.released(old)
    for (const call of calls) trial.ledger.always[call] = 'hangs'
    expect(await trial.deploy()).toMatchObject({ result: 'updated' })
    expect(trial.clock.now()).toBeLessThanOrEqual(9_000)
  })
})

describe('what is warned of', () => {
  test.each([
    ['releases', 'What was released before could not be read'],
    ['begin', 'The release could not be written down'],
    ['end', 'How the release ended could not be written down']
  ] as const)('when `%s` fails', async (call, text) => {
    const trial = new Trial(folder, old)
    trial.released(old)
    trial.ledger.always[call] = 'failed'
    expect((await trial.deploy()).ledgerWarning).toBe(`${text}: GitHub answered 502.`)
  })

  test('nothing, when it is only shown for longer that the release before is live', async () => {
    const trial = new Trial(folder, old)
    trial.released(old)
    trial.ledger.always.retire = 'failed'
    expect((await trial.deploy()).ledgerWarning).toBeUndefined()
    expect(await trial.hasDrift()).toBe(false)
  })
})

test('a release whose beginning is answered late is written down to its end', async () => {
  const trial = new Trial(folder, old)
  trial.released(old)
  let answer = () => {}
  trial.ledger.faults.begin.push(() => new Promise((resolve) => (answer = resolve)))
  trial.model.faults.publish.push(() => answer())
  const deployment = await trial.deploy()
  expect(deployment).toMatchObject({ result: 'updated', release: { id: 2 } })
  expect(deployment.ledgerWarning).toBeUndefined()
  expect(trial.ledger.entry(2).ending).toMatchObject({ result: 'updated' })
  expect(trial.checkpoints.at(-1)).toMatchObject({ releaseId: 2 })
})
