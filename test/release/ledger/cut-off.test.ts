import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Checkpoint, checkpointSchema } from '../../../src/release/checkpoint.ts'
import type { Ending } from '../../../src/release/deployment.ts'
import { endCutOff, isUnwritten } from '../../../src/release/ledger/end-cut-off.ts'
import { recover } from '../../../src/release/recover.ts'
import type { Fault } from '../model-server.ts'
import { next, old, sick, stepOf, Trial } from './trial.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-ledger-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function killed(
  trial: Trial,
  phase: Checkpoint['phase'],
  request: Parameters<Trial['deploy']>[0] = {}
): Promise<Checkpoint> {
  trial.killedAt = (left) => left.phase === phase
  // As the runner keeps it.
  return checkpointSchema.parse(JSON.parse(JSON.stringify(await trial.deployUntilKilled(request))))
}

async function post(trial: Trial, left: Checkpoint, action = 'deploy'): Promise<Ending | undefined> {
  const load = async (path: string) => (path.endsWith('next.wasm') ? next : old)
  const ending = left.phase === 'settled' ? undefined : await recover(trial.server, left, load, trial.clock)
  await endCutOff(trial.ledger, left, ending, { action, clock: trial.clock })
  return ending
}

describe('a step that is killed', () => {
  test('before the publish', async () => {
    const trial = new Trial(folder, old)
    trial.released(old)
    const left = await killed(trial, 'changing')
    expect(left).toMatchObject({ releaseId: 2, replaces: 1 })
    expect(await post(trial, left)).toMatchObject({ result: 'failed' })
    expect(trial.ledger.entry(2).ending).toMatchObject({ result: 'failed', isChecked: false })
    expect(trial.ledger.entry(1).isRetired).toBe(false)
  })

  test('in the steps before the publish', async () => {
    const trial = new Trial(folder, old)
    trial.released(old)
    const steps = { before: [stepOf('works')], after: [] }
    const left = await killed(trial, 'preparing', { steps })
    await post(trial, left)
    expect(trial.ledger.entry(2).ending).toMatchObject({ result: 'failed' })
  })

  test.each([
    ['rollback', 'rolled-back', old, false],
    ['keep', 'unhealthy', next, true]
  ] as const)('after the publish (%s)', async (onFailure, result, after, isRetired) => {
    const trial = new Trial(folder, old)
    trial.released(old)
    const left = await killed(trial, 'changing', { onFailure })
    trial.model.state.live = next
    expect(await post(trial, left)).toMatchObject({ result })
    expect(trial.model.state.live).toBe(after)
    expect(trial.ledger.entry(2).ending).toMatchObject({ result, isChecked: false })
    expect(trial.ledger.entry(1).isRetired).toBe(isRetired)
    expect(await trial.hasDrift()).toBe(false)
  })

  test('a rollback that is undone did not roll back', async () => {
    const trial = new Trial(folder, old)
    trial.released(old)
    const left = await killed(trial, 'changing')
    trial.model.state.live = next
    expect(await post(trial, left, 'rollback')).toMatchObject({ result: 'rolled-back' })
    expect(trial.ledger.entry(2).ending).toMatchObject({ result: 'failed' })
  })
})

describe('how a release ended', () => {
  test.each([
    ['updated', next, true],
    ['rolled-back', sick, false]
  ] as const)(
    '%s, is written down by the post step when the main step could not',
    async (result, module, isRetired) => {
      const trial = new Trial(folder, old)
      trial.released(old)
      trial.ledger.faults.end.push('failed')
      trial.ledger.faults.retire.push('failed')
      expect(await trial.deploy({ module })).toMatchObject({ result })
      trial.ledger.faults.retire.length = 0
      const left = trial.checkpoints.at(-1) as Checkpoint
      expect(isUnwritten(left)).toBe(true)
      await post(trial, left)
      expect(trial.ledger.entry(2).ending).toMatchObject({ result, isChecked: result === 'updated' })
      expect(trial.ledger.entry(1).isRetired).toBe(isRetired)
    }
  )

  test('is written down anew when the publish has landed late', async () => {
    const trial = new Trial(folder, old)
    trial.released(old)
    trial.model.faults.publish.push('lost-before', 'lost-before', 'lost-before')
    expect(await trial.deploy({ onFailure: 'keep' })).toMatchObject({ result: 'failed' })
    expect(trial.ledger.entry(2).ending).toMatchObject({ result: 'failed' })
    trial.model.state.live = next
    await post(trial, trial.checkpoints.at(-1) as Checkpoint)
    expect(trial.ledger.entry(2).ending).toMatchObject({ result: 'unhealthy' })
    expect(trial.ledger.entry(1).isRetired).toBe(true)
  })

  test('stays unknown when the server stays away', async () => {
    const trial = new Trial(folder, old)
    trial.released(old)
    trial.model.faults.live.push(() => {}, ...Array<Fault>(2000).fill('unreachable'))
    trial.ledger.faults.end.push('failed')
    expect(await trial.deploy()).toMatchObject({ result: 'unknown' })
    await post(trial, trial.checkpoints.at(-1) as Checkpoint)
    expect(trial.ledger.entry(2).ending).toMatchObject({ result: 'unknown' })
  })

  test.each(['failed', 'hangs'] as const)('is an answer when that fails, too: %s', async (fault) => {
    const trial = new Trial(folder, old)
    trial.ledger.add(trial.record(next))
    trial.ledger.always.end = fault
    const left = { ...baseLeft(trial), releaseId: 1 }
    const ending = { result: 'failed', live: { kind: 'previous' }, reason: 'It was cut off.' } as const
    const context = { action: 'deploy', clock: trial.clock }
    expect(await endCutOff(trial.ledger, left, ending, context)).toMatchObject({ kind: 'failed' })
  })

  test('is nothing to write down for a release that was not begun', async () => {
    const trial = new Trial(folder, old)
    const ending = { result: 'failed', live: { kind: 'previous' } } as const
    const context = { action: 'deploy', clock: trial.clock }
    expect(await endCutOff(trial.ledger, baseLeft(trial), ending, context)).toBeUndefined()
    expect(trial.ledger.calls).toEqual([])
  })
})

function baseLeft(trial: Trial): Checkpoint {
  const next = { hash: old.hash, path: 'next.wasm' }
  return { phase: 'changing', server: trial.place.server, database: 'game', next, onFailure: 'keep' }
}
