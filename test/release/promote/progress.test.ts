import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ModuleHash } from '../../../src/module/hash.ts'
import type { Checkpoint } from '../../../src/release/checkpoint.ts'
import { keepProgress, readProgress } from '../../../src/release/promote/progress.ts'
import type { Promoted } from '../../../src/release/promote/promotion.ts'
import { hasUnsettled, recoverAll } from '../../../src/release/promote/recover-all.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'progress-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const [next, previous] = ['a'.repeat(64) as ModuleHash, 'b'.repeat(64) as ModuleHash]
const server = 'https://stdb.example.org'

function checkpointOf(database: string, phase: Checkpoint['phase']): Checkpoint {
  const saved = { next: { hash: next, path: 'next.wasm' }, previous: { hash: previous, path: 'previous.wasm' } }
  return { phase, server, database, ...saved, onFailure: 'rollback' }
}

function updated(database: string): Promoted {
  return { database, result: 'updated', live: { kind: 'new' }, before: previous, isChecked: true, milliseconds: 1 }
}

describe('the progress of a promotion', () => {
  test('is read back with what was over, under way, unsettled and not begun', async () => {
    const databases = ['over', 'under-way', 'unsettled', 'not-begun']
    const begun = { server, identity: 'c2', moduleHash: next, databases, isDryRun: false }
    const progress = keepProgress(join(folder, 'all'), begun)
    progress.remember('over', checkpointOf('over', 'changing'))
    progress.over(updated('over'))
    // What its ledger needs is known late at times.
    progress.remember('over', { ...checkpointOf('over', 'settled'), releaseId: 7 })
    progress.remember('under-way', checkpointOf('under-way', 'changing'))
    progress.remember('unsettled', checkpointOf('unsettled', 'unsettled'))
    progress.over({ ...updated('unsettled'), result: 'unknown', live: { kind: 'unknown' } })

    const left = await readProgress(join(folder, 'all'))
    expect(hasUnsettled(left)).toBe(true)
    const asked: string[] = []
    const promotion = await recoverAll(left, async ({ database }) => {
      asked.push(database)
      return database === 'unsettled'
        ? undefined
        : { result: 'rolled-back', live: { kind: 'previous' }, reason: 'it was cut' }
    })
    expect(asked).toEqual(['under-way', 'unsettled'])
    expect(promotion.databases).toMatchObject([
      { database: 'over', result: 'updated' },
      { database: 'under-way', result: 'rolled-back', before: previous, isChecked: false },
      { database: 'unsettled', result: 'unknown' },
      { database: 'not-begun', result: 'not-begun' }
    ])
    expect(promotion).toMatchObject({ recovered: ['under-way'], stop: { kind: 'cancelled' } })
  })

  test('has nothing to finish when all came to an end', async () => {
    const begun = { server, identity: 'c2', moduleHash: next, databases: ['over'], isDryRun: false }
    const progress = keepProgress(join(folder, 'ended'), begun)
    progress.remember('over', checkpointOf('over', 'settled'))
    progress.over(updated('over'))
    const left = await readProgress(join(folder, 'ended'))
    expect(hasUnsettled(left)).toBe(false)
    expect(left.begun.get('over')?.promoted).toEqual(updated('over'))
  })
})
