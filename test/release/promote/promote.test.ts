import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { failuresIn, hashAfter, hasSucceeded, wasBegun } from '../../../src/release/promote/promotion.ts'
import { parseChecks } from '../../../src/smoke/checks-file.ts'
import { prepareWorld, wasm } from '../../server/world.ts'
import { promoteIn, resultsOf } from './promoting.ts'

const world = prepareWorld()

const next = wasm('counter-additive')

async function databases(...modules: readonly string[]): Promise<string[]> {
  return Promise.all(modules.map((module) => world.create(module)))
}

async function hashesOf(names: readonly string[]): Promise<string[]> {
  return Promise.all(names.map(async (name) => (await world.owner.client.live(name)).hash))
}

describe('a promotion', () => {
  test('brings the module to all databases, and fetches, describes and plans once what they have in common', async () => {
    const names = await databases('counter', 'counter', 'counter', 'counter', 'counter')
    const { promotion, asked, over, checkpoints, folder } = await promoteIn(world, { databases: names, module: next })
    expect(resultsOf(promotion)).toEqual(Object.fromEntries(names.map((name) => [name, 'updated'])))
    expect(hasSucceeded(promotion)).toBe(true)
    expect(await hashesOf(names)).toEqual(names.map(() => next.hash))
    expect(asked).toMatchObject({ liveModule: 1, plan: 1, publishUpdate: 5, resolve: 5 })
    expect(over.map(({ database }) => database).sort()).toEqual([...names].sort())
    expect(promotion.plans).toMatchObject([{ before: wasm('counter').hash, judgement: { verdict: 'compatible' } }])
    expect(promotion.plans[0]?.databases).toHaveLength(5)
    expect(checkpoints.filter(({ phase }) => phase === 'settled')).toHaveLength(5)
    expect(readdirSync(folder).filter((file) => file.endsWith('.wasm'))).toHaveLength(1)
    for (const each of promotion.databases.filter(wasBegun)) {
      expect(each).toMatchObject({ before: wasm('counter').hash, verdict: 'compatible', healthCheck: 'health_check' })
      expect(hashAfter(each, next.hash)).toBe(next.hash)
      expect(existsSync(each.previousModulePath ?? '')).toBe(true)
    }
  })

  test('takes the canary alone, then so many at a time', async () => {
    const names = await databases('counter', 'counter', 'counter', 'counter', 'counter')
    const firstOf: string[] = []
    const { mostAtATime, over } = await promoteIn(
      world,
      { databases: names, module: next, maxParallel: 3 },
      { before: (kind, database) => void (kind === 'resolve' && firstOf.push(database)) }
    )
    expect(firstOf).toEqual(names)
    expect(over[0]?.database).toBe(names[0])
    expect(mostAtATime).toBeGreaterThan(1)
    expect(mostAtATime).toBeLessThanOrEqual(3)
  })

  test('begins nothing more when the canary fails', async () => {
    const names = await databases('counter', 'counter', 'counter')
    const module = wasm('counter-unhealthy')
    const { promotion, asked } = await promoteIn(world, { databases: names, module })
    const [canary, ...others] = names
    expect(Object.values(resultsOf(promotion))).toEqual(['rolled-back', 'not-begun', 'not-begun'])
    expect(promotion.stop).toEqual({ kind: 'canary', database: canary })
    expect(hasSucceeded(promotion)).toBe(false)
    expect(asked.resolve).toBe(1)
    expect(await hashesOf(names)).toEqual(names.map(() => wasm('counter').hash))
    const [failed] = failuresIn(promotion)
    expect(failed?.database).toBe(canary)
    expect(hashAfter(failed as never, module.hash)).toBe(wasm('counter').hash)
    expect(others).toHaveLength(2)
  })

  test.each([
    { stopOn: 'none', ends: ['rolled-back', 'rolled-back', 'rolled-back'] },
    { stopOn: 'canary', ends: ['rolled-back', 'not-begun', 'not-begun'] }
  ] as const)('with what stops it set to $stopOn and a canary that fails ends in $ends', async ({ stopOn, ends }) => {
    const names = await databases('counter', 'counter', 'counter')
    const { promotion } = await promoteIn(world, { databases: names, module: wasm('counter-unhealthy'), stopOn })
    expect(Object.values(resultsOf(promotion))).toEqual(ends)
    expect(await hashesOf(names)).toEqual(names.map(() => wasm('counter').hash))
  })

  test.each([
    { stopOn: 'any', last: 'not-begun' },
    { stopOn: 'canary', last: 'updated' },
    { stopOn: 'none', last: 'updated' }
  ] as const)('with what stops it set to $stopOn and a later failure, the last is $last', async ({ stopOn, last }) => {
    const names = await databases('counter', 'counter-column-type', 'counter')
    const { promotion } = await promoteIn(world, { databases: names, module: next, stopOn, maxParallel: 1 })
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'refused', last])
    expect(promotion.stop).toEqual(last === 'updated' ? undefined : { kind: 'failure', database: names[1] })
    expect(promotion.plans.map(({ judgement }) => judgement.verdict).sort()).toEqual(['compatible', 'manual'])
  })

  test('brings what is under way to its end when another fails', async () => {
    const names = await databases('counter', 'counter-column-type', 'counter', 'counter')
    let tellRefused: () => void = () => {}
    const refused = new Promise<void>((resolve) => {
      tellRefused = resolve
    })
    const { promotion } = await promoteIn(
      world,
      { databases: names, module: next },
      {
        over: (database) => {
          if (database === names[1]) tellRefused()
        },
        before: async (kind, database) => {
          if (kind === 'publishUpdate' && database === names[2]) await refused
        }
      }
    )
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'refused', 'updated', 'not-begun'])
  })

  test('in a dry run plans for all, whatever is refused, and changes nothing', async () => {
    const names = await databases('counter-column-type', 'counter', 'counter-additive', 'counter')
    const { promotion, asked, checkpoints } = await promoteIn(world, { databases: names, module: next, dryRun: true })
    expect(Object.values(resultsOf(promotion))).toEqual(['refused', 'planned', 'unchanged', 'planned'])
    expect(promotion).toMatchObject({ isDryRun: true })
    expect(promotion.stop).toBeUndefined()
    expect(asked.publishUpdate).toBeUndefined()
    expect(checkpoints).toEqual([])
  })

  test('once cancelled begins nothing more, and says so', async () => {
    const names = await databases('counter', 'counter', 'counter')
    const controller = new AbortController()
    const { promotion } = await promoteIn(
      world,
      { databases: names, module: next, maxParallel: 1 },
      {
        cancelled: controller.signal,
        before: (kind, database) => {
          if (kind === 'publishUpdate' && database === names[1]) controller.abort()
        }
      }
    )
    const [first, second, third] = Object.values(resultsOf(promotion))
    expect([first, third]).toEqual(['updated', 'not-begun'])
    expect(promotion.stop).toEqual({ kind: 'cancelled' })
    expect(await hashesOf(names.slice(1))).toEqual(
      second === 'updated' ? [next.hash, wasm('counter').hash] : [wasm('counter').hash, wasm('counter').hash]
    )
  })

  test('watches the canary alone, and checks all', async () => {
    const names = await databases('counter', 'counter', 'counter')
    const checks = {
      checks: parseChecks(Buffer.from('checks:\n  - served-hash: true\n'), 'smoke.yml'),
      soak: 1000,
      allowWrites: false,
      allowedLoadHosts: []
    }
    const { promotion, deployments } = await promoteIn(world, { databases: names, module: next, checks })
    expect(hasSucceeded(promotion)).toBe(true)
    const soaked = deployments.filter(({ smoke }) => smoke?.soak !== undefined)
    expect(soaked.map(({ database }) => database)).toEqual([names[0]])
    for (const each of promotion.databases) {
      expect(each).toMatchObject({ checks: { passed: 1, failed: 0, skipped: 0 } })
    }
  })

  test('says of each line in the log whose it is', async () => {
    const names = await databases('counter', 'counter')
    const { told } = await promoteIn(world, { databases: names, module: next })
    expect(told.length).toBeGreaterThan(0)
    for (const line of told) expect(names.some((name) => line.startsWith(`${name}: `))).toBe(true)
  })

  test('of one database is like a deploy of it, and soaks it', async () => {
    const [name = ''] = await databases('counter')
    const checks = { checks: undefined, soak: 1000, allowWrites: false, allowedLoadHosts: [] }
    const { promotion, deployments, asked } = await promoteIn(world, { databases: [name], module: next, checks })
    expect(resultsOf(promotion)).toEqual({ [name]: 'updated' })
    expect(deployments[0]?.smoke?.soak?.kind).toBe('passed')
    expect(asked.plan).toBe(1)
  })
})

describe('what databases have in common', () => {
  test('is not taken from one to which somebody else publishes in the meantime', async () => {
    const names = await databases('counter', 'counter')
    const other = wasm('counter-unhealthy')
    const { promotion } = await promoteIn(
      world,
      { databases: names, module: next, healthCheck: { kind: 'none' }, maxParallel: 1 },
      {
        before: async (kind, database) => {
          if (kind !== 'publishUpdate' || database !== names[1]) return
          if ((await world.owner.client.live(database)).hash !== wasm('counter').hash) return
          const plan = await world.owner.client.plan(database, other)
          if (plan.kind === 'automatic') await world.owner.client.publishUpdate(database, other, plan.token)
        }
      }
    )
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'failed'])
    expect(failuresIn(promotion)[0]).toMatchObject({ live: { kind: 'other', hash: other.hash } })
    expect(await hashesOf(names)).toEqual([next.hash, other.hash])
  })

  test('does not hide that a database belongs to somebody else', async () => {
    const [ours = '', last = ''] = await databases('counter', 'counter')
    const theirs = `${ours}-theirs`
    world.made.push(theirs)
    await world.other.client.publishFirst(theirs, wasm('counter'))
    const names = [ours, theirs, last]
    const { promotion } = await promoteIn(world, { databases: names, module: next, stopOn: 'none' })
    expect(Object.values(resultsOf(promotion))).toEqual(['updated', 'failed', 'updated'])
    expect(failuresIn(promotion)[0]?.reason).toContain('Not the owner')
    expect((await world.other.client.live(theirs)).hash).toBe(wasm('counter').hash)
  })
})
