import { describe, expect, test } from '@jest/globals'
import { readHistory } from '../../../src/release/ledger/history.ts'
import type { RecordedRelease } from '../../../src/release/ledger/ledger.ts'
import { previousOf } from '../../../src/release/ledger/target.ts'
import { prepareWorld, wasm } from '../../server/world.ts'
import { MemoryLedger } from '../memory-ledger.ts'
import { promoteIn, resultsOf } from './promoting.ts'

const world = prepareWorld()

const next = wasm('counter-additive')
const notes = { action: 'promote', actor: 'octocat', run: 'https://github.example/runs/1' } as const

async function databases(...modules: readonly string[]): Promise<string[]> {
  return Promise.all(modules.map((module) => world.create(module)))
}

/** What a ledger says of a database, the newest first. */
async function historyOf(ledger: MemoryLedger, database: string): Promise<RecordedRelease[]> {
  const releases: RecordedRelease[] = []
  for await (const answer of readHistory(ledger, { server: world.url, database }).releases()) {
    if (answer.kind === 'ok') releases.push(answer.value)
  }
  return releases
}

describe('the release of several databases', () => {
  test('is one entry, and before it what was live is another', async () => {
    const names = await databases('counter', 'counter', 'counter')
    const ledger = new MemoryLedger('production')
    const { promotion } = await promoteIn(world, { databases: names, module: next, notes }, { ledger })
    expect(ledger.entries).toMatchObject([
      {
        record: { action: 'adopt', databases: names, moduleHash: wasm('counter').hash },
        ending: { result: 'unchanged' }
      },
      {
        record: { action: 'promote', databases: names, moduleHash: next.hash, actor: 'octocat' },
        ending: { result: 'updated', isChecked: true }
      }
    ])
    expect(promotion).toMatchObject({ releases: [{ id: 2 }] })
    expect(promotion.ledgerWarning).toBeUndefined()
    for (const database of names) {
      const [newest, before] = await historyOf(ledger, database)
      expect([newest?.state, newest?.isChecked, before?.state]).toEqual(['good', true, 'good'])
      const target = await previousOf(readHistory(ledger, { server: world.url, database }), next.hash)
      expect(target).toMatchObject({ kind: 'found', release: { id: 1 } })
    }
  })

  test('takes the place of the one before, without another adoption', async () => {
    const names = await databases('counter', 'counter')
    const ledger = new MemoryLedger('production')
    await promoteIn(world, { databases: names, module: next, notes }, { ledger })
    const later = wasm('counter')
    const { promotion } = await promoteIn(world, { databases: names, module: later, notes }, { ledger })
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'updated'])
    expect(ledger.entries.map(({ record }) => record.action)).toEqual(['adopt', 'promote', 'promote'])
    expect(ledger.entry(2).isRetired).toBe(true)
    expect(ledger.entry(3).isRetired).toBe(false)
  })

  test('says which databases did not get the module', async () => {
    const names = await databases('counter', 'counter-column-type', 'counter', 'counter')
    const ledger = new MemoryLedger('production')
    const request = { databases: names, module: next, notes, maxParallel: 1 }
    const { promotion } = await promoteIn(world, request, { ledger })
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'refused', 'not-begun', 'not-begun'])
    const shared = ledger.entries.find(({ record }) => record.action === 'promote')
    expect(shared?.ending).toMatchObject({ result: 'failed', isChecked: true, without: [1, 2, 3] })
    const states = await Promise.all(names.map(async (name) => (await historyOf(ledger, name))[0]?.state))
    expect(states[0]).toBe('good')
    expect(states.slice(1)).toEqual(['bad', 'bad', 'bad'])
    expect(shared?.isRetired).toBe(false)
  })

  test('leaves a database that runs the module without being well an entry of its own', async () => {
    const names = await databases('counter', 'counter')
    const ledger = new MemoryLedger('production')
    const request = { databases: names, module: wasm('counter-unhealthy'), notes, onFailure: 'keep' } as const
    await promoteIn(world, request, { ledger })
    const [newest] = await historyOf(ledger, names[0] ?? '')
    expect(newest).toMatchObject({ state: 'bad', result: 'unhealthy', record: { database: names[0] } })
    expect(newest?.record.databases).toBeUndefined()
    expect(await historyOf(ledger, names[1] ?? '')).toMatchObject([{ state: 'bad' }, { state: 'good' }])
  })

  test('counts one that ran the module already among those that do', async () => {
    const names = await databases('counter', 'counter-additive')
    const ledger = new MemoryLedger('production')
    const { promotion } = await promoteIn(world, { databases: names, module: next, notes }, { ledger })
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'unchanged'])
    expect(ledger.entries.map(({ record }) => record.action)).toEqual(['adopt', 'promote'])
    expect(ledger.entry(1).record.databases).toEqual([names[0]])
    expect((await historyOf(ledger, names[1] ?? ''))[0]).toMatchObject({ state: 'good', isChecked: true })
  })

  test('is not written in a dry run, nor where the first one is refused', async () => {
    const names = await databases('counter-column-type', 'counter')
    const ledger = new MemoryLedger('production')
    await promoteIn(world, { databases: names, module: next, notes, dryRun: true }, { ledger })
    const { promotion } = await promoteIn(world, { databases: names, module: next, notes }, { ledger })
    expect(Object.values(resultsOf(promotion))).toEqual(['refused', 'not-begun'])
    expect(ledger.entries).toEqual([])
  })

  test('that can not be written down is a warning once, and nothing else', async () => {
    const names = await databases('counter', 'counter', 'counter')
    const ledger = new MemoryLedger('production')
    ledger.always.begin = 'forbidden'
    const { promotion, warned } = await promoteIn(world, { databases: names, module: next, notes }, { ledger })
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'updated', 'updated'])
    expect(warned.filter((text) => text.includes('deployments: write'))).toHaveLength(1)
    expect(ledger.entries).toEqual([])
  })

  test('has as many entries as its databases need room', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `some-rather-long-name-of-a-game-${index}`)
    const [first = ''] = await databases('counter')
    const ledger = new MemoryLedger('production')
    const request = { databases: [first, ...names], module: next, notes, stopOn: 'none', maxParallel: 8 } as const
    const { promotion } = await promoteIn(world, request, { ledger })
    expect(resultsOf(promotion)[first]).toBe('updated')
    const shared = ledger.entries.filter(({ record }) => record.action === 'promote')
    expect(shared).toHaveLength(1)
    expect(JSON.stringify(shared[0]?.record).length).toBeLessThan(8000)
    expect(shared[0]?.record.databases?.length).toBeGreaterThan(100)
    expect(shared[0]?.record.databases?.length).toBeLessThan(301)
  })
})
