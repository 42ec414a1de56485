import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Module } from '../../../src/module/module.ts'
import { readHistory } from '../../../src/release/ledger/history.ts'
import { previousOf } from '../../../src/release/ledger/target.ts'
import { renderDeployment } from '../../../src/release/summary.ts'
import { foreign, next, old, sick, Trial } from './trial.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-ledger-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** In short: what each release in the ledger is, and how it ended. */
function inShort({ ledger }: Trial): string[] {
  const names = new Map([old, next, sick, foreign].map((module) => [module.hash as string, textOf(module)]))
  return ledger.entries.map(({ record, ending, isRetired }) =>
    [
      record.action,
      names.get(record.moduleHash),
      ending?.result ?? 'open',
      ending?.isChecked && 'checked',
      isRetired && 'retired'
    ]
      .filter(Boolean)
      .join(' ')
  )
}

function textOf({ bytes }: Module): string {
  return new TextDecoder().decode(bytes)
}

describe('what is live is written down', () => {
  test('before the first release that the ledger knows, so that it can be gone back to', async () => {
    const trial = new Trial(folder, old)
    expect(await trial.deploy()).toMatchObject({ result: 'updated', release: { id: 2 } })
    expect(inShort(trial)).toEqual(['adopt old unchanged retired', 'deploy next updated checked'])
    expect(trial.warnings).toEqual([])
    expect(await previousOf(readHistory(trial.ledger, trial.place), next.hash)).toMatchObject({ release: { id: 1 } })
  })

  test('when somebody has published past the ledger, who is warned of', async () => {
    const trial = new Trial(folder, foreign)
    trial.released(old, { actor: 'hubot' })
    const deployment = await trial.deploy()
    expect(deployment).toMatchObject({ result: 'updated', release: { id: 3 }, drift: { liveHash: foreign.hash } })
    expect(inShort(trial)).toEqual([
      'deploy old updated checked retired',
      'adopt foreign unchanged retired',
      'deploy next updated checked'
    ])
    expect(trial.ledger.entry(2).record).toMatchObject({ moduleKind: 'wasm', size: 7, previousHash: old.hash })
    expect(trial.ledger.entry(2).record.commit).toBeUndefined()
    expect(trial.warnings).toEqual([expect.stringMatching(/published past the ledger.*release 1 \(deploy,.*by hubot/)])
    expect(renderDeployment(deployment)).toMatch(/\*\*Drift:\*\* Somebody has published past/)
    expect(await previousOf(readHistory(trial.ledger, trial.place), next.hash)).toMatchObject({ release: { id: 2 } })
  })

  test('when somebody has brought an old release back by hand', async () => {
    const trial = new Trial(folder, foreign)
    trial.released(sick)
    trial.released(foreign)
    trial.released(old)
    await trial.deploy({ module: foreign })
    expect(trial.warnings).toEqual([expect.stringMatching(/which release 2 had/)])
    expect(inShort(trial).slice(3)).toEqual(['adopt foreign unchanged checked'])
    expect(trial.ledger.entry(4).record).toMatchObject({ restores: 2 })
    expect(await previousOf(readHistory(trial.ledger, trial.place), foreign.hash)).toMatchObject({ release: { id: 1 } })
  })

  test('when the run that published it never came to its end, and another module is deployed', async () => {
    const trial = new Trial(folder, old)
    trial.released(foreign)
    trial.ledger.add(trial.record(old, { previousHash: foreign.hash }))
    await trial.deploy()
    expect(trial.warnings).toEqual([])
    expect(inShort(trial)).toEqual([
      'deploy foreign updated checked retired',
      'deploy old updated retired',
      'deploy next updated checked'
    ])
  })

  test('when it is what was to be deployed, and nobody has released it', async () => {
    const trial = new Trial(folder, next)
    expect(await trial.deploy()).toMatchObject({ result: 'unchanged', release: { id: 1 } })
    expect(inShort(trial)).toEqual(['adopt next unchanged checked'])
    expect(trial.ledger.entry(1).record).toMatchObject({ commit: 'c0ffee', actor: 'mona' })
  })

  test('when it is what was to be deployed, and somebody has published it by hand', async () => {
    const trial = new Trial(folder, next)
    trial.released(old)
    expect(await trial.deploy()).toMatchObject({ result: 'unchanged', drift: { liveHash: next.hash } })
    expect(inShort(trial)).toEqual(['deploy old updated checked retired', 'adopt next unchanged checked'])
    expect(trial.warnings).toHaveLength(1)
  })

  test('not when it is what was to be deployed, by hand, and is not well', async () => {
    const trial = new Trial(folder, sick)
    trial.released(old)
    expect(await trial.deploy({ module: sick })).toMatchObject({ result: 'unhealthy' })
    expect(inShort(trial)).toEqual(['deploy old updated checked'])
  })
})

describe('the next run repairs the ledger after a crash between publish and ledger', () => {
  test.each([
    ['of a first release', { databaseIdentity: undefined }, 'created'],
    ['of a release', {}, 'updated'],
    ['of a rollback', { action: 'rollback' }, 'rolled-back'],
    ['of an adoption', { action: 'adopt' }, 'unchanged']
  ] as const)('%s', async (_name, more, result) => {
    const trial = new Trial(folder, next)
    trial.ledger.add(trial.record(next, more))
    expect(await trial.deploy()).toMatchObject({ result: 'unchanged', release: { id: 1 } })
    expect(trial.ledger.entries).toHaveLength(1)
    expect(trial.ledger.entry(1).ending).toMatchObject({ result, isChecked: true })
  })

  test('and says when the module is not well', async () => {
    const trial = new Trial(folder, sick)
    trial.ledger.add(trial.record(sick))
    expect(await trial.deploy({ module: sick })).toMatchObject({ result: 'unhealthy' })
    expect(trial.ledger.entry(1).ending).toMatchObject({ result: 'unhealthy', isChecked: false })
  })

  test('but leaves it as it is when the job is cancelled before the module is checked', async () => {
    const trial = new Trial(folder, next)
    trial.ledger.add(trial.record(next))
    trial.model.faults.resolve.push(() => trial.cancellation.abort())
    expect(await trial.deploy()).toMatchObject({ result: 'failed' })
    expect(trial.ledger.entry(1).ending).toBeUndefined()
  })

  test('and the release that was live before is shown as such no more', async () => {
    const trial = new Trial(folder, next)
    trial.released(old)
    trial.ledger.add(trial.record(next, { previousHash: old.hash }))
    await trial.deploy()
    expect(inShort(trial)).toEqual(['deploy old updated checked retired', 'deploy next updated checked'])
  })
})

describe('a release that was not well', () => {
  test('is well when it is checked again and passes', async () => {
    const trial = new Trial(folder, next)
    trial.ledger.add(trial.record(next), { result: 'unhealthy', isChecked: false })
    await trial.deploy()
    expect(inShort(trial)).toEqual(['deploy next updated checked'])
  })

  test('is not when nothing is asked of it again', async () => {
    const trial = new Trial(folder, next)
    trial.ledger.add(trial.record(next), { result: 'unhealthy', isChecked: false })
    await trial.deploy({ healthCheck: { kind: 'none' } })
    expect(inShort(trial)).toEqual(['deploy next unhealthy'])
  })

  test('is what should be live', async () => {
    const trial = new Trial(folder, old)
    trial.released(foreign)
    trial.ledger.add(trial.record(old), { result: 'unhealthy', isChecked: false })
    await trial.deploy({ onDrift: 'fail' })
    expect(inShort(trial)).toEqual([
      'deploy foreign updated checked',
      'deploy old unhealthy retired',
      'deploy next updated checked'
    ])
  })
})

describe('`on-drift: fail`', () => {
  test('stops before anything is changed', async () => {
    const trial = new Trial(folder, foreign)
    trial.released(old)
    const deployment = await trial.deploy({ onDrift: 'fail' })
    expect(deployment).toMatchObject({ result: 'refused', isDrift: true, live: { kind: 'previous' } })
    expect(deployment.reason).toContain('`on-drift: adopt` writes it down')
    expect(renderDeployment(deployment)).toContain('run the job again with `on-drift: adopt`')
    expect(trial.model.requests).not.toContain('publish')
    expect(inShort(trial)).toEqual(['deploy old updated checked'])
  })

  test('stops when what is live is what was to be deployed, too', async () => {
    const trial = new Trial(folder, next)
    trial.released(old)
    expect(await trial.deploy({ onDrift: 'fail' })).toMatchObject({ result: 'refused', live: { kind: 'new' } })
    expect(inShort(trial)).toEqual(['deploy old updated checked'])
  })

  test.each(['failed', 'forbidden', 'hangs'] as const)('stops when the ledger can not be read: %s', async (fault) => {
    const trial = new Trial(folder, old)
    trial.ledger.always.releases = fault
    const deployment = await trial.deploy({ onDrift: 'fail' })
    expect(deployment).toMatchObject({ result: 'refused', isDrift: true })
    expect(deployment.reason).toContain('could not be read')
    expect(trial.ledger.entries).toEqual([])
  })

  test('is a wrong configuration without a ledger', async () => {
    const trial = new Trial(folder, old)
    const deployment = await trial.deployWithout({ onDrift: 'fail' })
    expect(deployment).toMatchObject({ result: 'failed', isConfiguration: true })
    expect(deployment.reason).toContain('There is no ledger of releases here')
  })

  test('goes on when all is as the ledger says, or it knows of nothing', async () => {
    const trial = new Trial(folder, old)
    expect(await trial.deploy({ onDrift: 'fail' })).toMatchObject({ result: 'updated' })
    expect(await trial.deploy({ onDrift: 'fail', module: foreign })).toMatchObject({ result: 'updated' })
  })
})

test('a release of several databases is neither ended nor retired by one of them', async () => {
  const trial = new Trial(folder, old)
  trial.ledger.add(trial.record(old, { databases: ['game', 'game-2'] }))
  await trial.deploy()
  expect(inShort(trial)).toEqual(['deploy old open', 'adopt old unchanged retired', 'deploy next updated checked'])
  const other = new Trial(folder, old)
  other.ledger.add(other.record(old, { databases: ['game', 'game-2'] }), { result: 'updated', isChecked: true })
  await other.deploy()
  expect(inShort(other)).toEqual(['deploy old updated checked', 'deploy next updated checked'])
})

test('a database whose module nobody can read is deployed to, and nothing is said of drift', async () => {
  const trial = new Trial(folder, old)
  trial.released(foreign)
  trial.model.state.closed = old
  const deployment = await trial.deploy({ allowIrreversible: true, healthCheck: { kind: 'none' } })
  expect(deployment.drift).toBeUndefined()
  expect(trial.ledger.entries).toHaveLength(2)
})
