import { describe, expect, jest, test } from '@jest/globals'
import { rows, wasm } from '../server/world.ts'
import { checksOf, prepareStage } from './stage.ts'

const stage = prepareStage()

jest.setTimeout(60_000)

const copyAll = 'seed:\n  - copy: all\n'

/** A live counter database with these rows beside the one that `init` made. */
async function liveCounter(values: readonly (readonly [number, bigint])[] = []): Promise<string> {
  const database = await stage.liveDatabase('counter')
  const list = values.map(([id, value]) => `(${id}, ${value})`).join(', ')
  if (values.length > 0) await stage.live.owner.client.sql(database, `INSERT INTO counter (id, value) VALUES ${list}`)
  return database
}

describe('a release that adds columns', () => {
  const allowed = { allowBreakingClients: true, allowIrreversible: true }

  test('is migrated with the rows of production; there is no way back', async () => {
    const values = [
      [7, 2n ** 63n - 1n],
      [8, 12n]
    ] as const
    const database = await liveCounter(values)
    const rehearsed = await stage.rehearse({
      old: stage.from(database),
      module: 'counter-new-columns',
      seed: copyAll,
      release: allowed
    })
    expect(rehearsed).toMatchObject({
      outcome: { kind: 'passed' },
      old: { kind: 'live', hash: wasm('counter').hash },
      deployment: { result: 'updated' },
      wayBack: { kind: 'impossible' },
      tables: [
        { name: 'counter', rows: { production: 3n, filled: 3n, migrated: 3n }, copy: { kind: 'copied', rows: 3 } }
      ]
    })
    const migrated = await rows(stage.owner, rehearsed.database, 'SELECT * FROM counter')
    const defaults = migrated.map((row) => JSON.stringify(row.slice(2)))
    expect(new Set(defaults).size).toBe(1)
    expect(migrated[0]?.length).toBe(4)
    expect(migrated.map(([id, value]) => [id, BigInt(value as number)])).toEqual(
      expect.arrayContaining([[0, 0n], ...values.map(([id, value]) => [id, value])])
    )
    expect(rehearsed.markdown).toMatch(/The way back:\*\* there is none/)
    expect(rehearsed.log).not.toContain(`${2n ** 63n - 1n}`)
  })

  test('is refused by the gate, as production would', async () => {
    const database = await liveCounter()
    const { outcome, markdown } = await stage.rehearse({ old: stage.from(database), module: 'counter-new-columns' })
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'migration' })
    expect(outcome).toHaveProperty('reason', expect.stringContaining('allow-breaking-clients'))
    expect(markdown).toContain('Refused')
  })
})

describe('a release that adds a table', () => {
  test('goes there and back', async () => {
    const database = await liveCounter([[3, 4n]])
    const rehearsed = await stage.rehearse({ old: stage.from(database), module: 'counter-additive', seed: copyAll })
    expect(rehearsed).toMatchObject({
      outcome: { kind: 'passed' },
      wayBack: { kind: 'gone-back' },
      tables: [{ name: 'counter', rows: { filled: 2n, migrated: 2n, leaving: 2n, back: 2n } }]
    })
    const { hash } = await stage.owner.client.live(rehearsed.database)
    expect(hash).toBe(wasm('counter').hash)
    expect(rehearsed.markdown).toContain('✅ Rehearsed')
  })

  test('can not go back once its table has rows', async () => {
    const database = await liveCounter()
    const rehearsed = await stage.rehearse({
      old: stage.from(database),
      module: 'counter-additive',
      checks: checksOf([{ reducer: 'increment_counter', args: [1] }])
    })
    expect(rehearsed).toMatchObject({
      outcome: { kind: 'passed' },
      wayBack: { kind: 'not-now', reason: expect.stringContaining('is empty, but') }
    })
  })

  test('with the base branch as the old module, filled by calls', async () => {
    const base = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const
    const seed =
      'seed:\n  - call: increment_counter\n    args: [5]\n    times: 3\n  - sql: UPDATE counter SET value = 9 WHERE id = 0\n'
    const rehearsed = await stage.rehearse({ old: base, module: 'counter-additive', seed })
    expect(rehearsed).toMatchObject({
      outcome: { kind: 'passed' },
      seed: [
        { line: 2, what: 'call increment_counter', detail: 'called 3 times' },
        { line: 5, detail: '0 inserted, 1 updated, 0 deleted' }
      ],
      tables: [{ rows: { filled: 2n, back: 2n } }]
    })
    expect(rehearsed.limits.join()).toContain('nothing of production was read')
    expect(rehearsed.limits.join()).toContain("version of the new module's bindings")
  })
})

describe('an old module that is unwell', () => {
  const old = { kind: 'base', module: wasm('counter-unhealthy'), name: 'branch main' } as const

  test('may be mended by the new one: what fails before is told, and is no failure', async () => {
    const rehearsed = await stage.rehearse({ old, module: 'counter', isAskedFor: false })
    expect(rehearsed).toMatchObject({
      outcome: { kind: 'passed' },
      deployment: { result: 'updated' },
      wayBack: { kind: 'gone-back' }
    })
    expect(rehearsed.limits[0]).toMatch(/^The old module does not work with this data.*unhealthy on purpose/)
    expect(rehearsed.log).toContain('unhealthy on purpose')
    expect(rehearsed.markdown).toContain('what fails had failed then too')
  })

  test('is no way back where it was well before', async () => {
    const checks = checksOf([{ reducer: 'increment_counter', args: [1] }, { sql: 'UPDATE counter SET value = -1' }])
    const counter = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const
    const rehearsed = await stage.rehearse({
      old: counter,
      module: 'counter-slow',
      checks,
      release: { healthCheck: { kind: 'none' } }
    })
    expect(rehearsed.outcome).toMatchObject({ kind: 'failed', stage: 'way back' })
  })
})

describe('a rehearsal that nobody asked for', () => {
  const old = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const

  test.each([
    ['counter-new-columns', 'allow-breaking-clients'],
    ['counter-column-type', 'in another way']
  ])('that the gate refuses is no failure: %s', async (module, advice) => {
    const { outcome, markdown } = await stage.rehearse({ old, module, isAskedFor: false })
    expect(outcome).toEqual({ kind: 'not-rehearsed', reason: expect.stringContaining(advice) })
    expect(outcome).toHaveProperty('reason', expect.stringContaining('`rehearse: none`'))
    expect(markdown).toMatch(/^## ℹ️ It could not be rehearsed.*plain smoke test.*Refused/s)
  })

  test('of an old module that can not be published is none either', async () => {
    const broken = { ...old, module: wasm('counter-init-fails') }
    const { outcome } = await stage.rehearse({ old: broken, module: 'counter', isAskedFor: false })
    expect(outcome).toMatchObject({ kind: 'not-rehearsed', reason: expect.stringContaining('could not be published') })
  })

  test('fails where the new module does', async () => {
    const { outcome } = await stage.rehearse({ old, module: 'counter-unhealthy', isAskedFor: false })
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'migration' })
  })
})

test('what stands against an optional check leaves it out', async () => {
  const old = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const
  const checks = checksOf([{ reducer: 'increment_counter', args: ['no'], optional: true }, { ping: true }])
  const objections = checks.checks.slice(0, 1).map((check) => ({ check, reason: 'it takes a number' }))
  const rehearsed = await stage.rehearse({ old, module: 'counter-additive', checks, objections })
  expect(rehearsed.checks?.reports.map(({ outcome }) => outcome)).toMatchObject([
    { kind: 'skipped', reason: 'it takes a number' },
    { kind: 'passed' }
  ])
})

test('the report as JSON has nothing of what a check sends', async () => {
  const old = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const
  const checks = checksOf([{ 'http-route': '/none', headers: { 'X-Key': 'key-of-a-check' }, body: 'body-of-a-check' }])
  const { json } = await stage.rehearse({ old, module: 'counter', checks })
  const { version, checks: reported } = JSON.parse(json)
  expect(version).toBe(1)
  expect(Object.keys(reported.checks[0])).not.toContain('check')
  const { byHand, ...others } = reported.checks[0]
  expect(JSON.stringify(others)).not.toMatch(/(key|body)-of-a-check/)
})

describe('a rehearsal fails', () => {
  test('at the migration, when it is a manual one, with the plan', async () => {
    const database = await liveCounter()
    const { outcome, markdown } = await stage.rehearse({ old: stage.from(database), module: 'counter-column-type' })
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'migration' })
    expect(markdown).toContain('What works instead')
  })

  test('at the migration, when the new module is unhealthy with these rows', async () => {
    const database = await liveCounter()
    const { outcome, deployment } = await stage.rehearse({ old: stage.from(database), module: 'counter-unhealthy' })
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'migration' })
    expect(deployment?.result).toBe('rolled-back')
  })

  test('at the migration, when the old module is unhealthy with these rows and the new one is so too', async () => {
    const database = await liveCounter([[4, -1n]])
    const rehearsed = await stage.rehearse({ old: stage.from(database), module: 'counter-additive', seed: copyAll })
    expect(rehearsed.outcome).toMatchObject({ kind: 'failed', stage: 'migration' })
    expect(rehearsed.limits[0]).toMatch(
      /^The old module does not work with this data.*health_check \(expected: ok, found: /
    )
    expect(rehearsed.log).toContain(rehearsed.limits[0])
  })

  test('at the checks, and the way back is tried all the same', async () => {
    const database = await liveCounter()
    const checks = checksOf([{ sql: 'SELECT COUNT(*) AS n FROM counter', value: 77 }])
    const rehearsed = await stage.rehearse({ old: stage.from(database), module: 'counter-additive', checks })
    expect(rehearsed).toMatchObject({
      outcome: { kind: 'failed', stage: 'checks', reason: expect.stringContaining('SELECT COUNT') },
      wayBack: { kind: 'gone-back' }
    })
    expect(rehearsed.markdown).toMatch(/expected .*77, found .*1/)
  })

  test('at the seed, when a call fails', async () => {
    const base = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const
    const seed = 'seed:\n  - call: nothing_of_that_name\n'
    const { outcome } = await stage.rehearse({ old: base, module: 'counter-additive', seed })
    expect(outcome).toMatchObject({
      kind: 'failed',
      stage: 'seed',
      isConfiguration: true,
      reason: expect.stringMatching(
        /^seed\.yml:2:5: The old module has no reducer or procedure `nothing_of_that_name`. It has: .*`increment_counter`/
      )
    })
  })

  test('at the seed, when a call of what is there fails', async () => {
    const base = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const
    const seed = 'seed:\n  - call: increment_counter\n    args: [no]\n'
    const { outcome } = await stage.rehearse({ old: base, module: 'counter-additive', seed })
    expect(outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^seed\.yml:2: call increment_counter: it failed: /)
    })
  })

  test('at the old module, when there is no database of that name, as what the user can mend', async () => {
    const { outcome } = await stage.rehearse({ old: stage.from('not-there'), module: 'counter' })
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'old module', isConfiguration: true })
    expect(outcome).toHaveProperty(
      'reason',
      expect.stringMatching(/no database "not-there".*`live-server` and `live-database`/)
    )
  })

  test('when rows are to be copied and there is no live database', async () => {
    const base = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const
    const { outcome } = await stage.rehearse({ old: base, module: 'counter-additive', seed: copyAll })
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('rehearse: live') })
  })

  test.each([
    ['copy: nobody', 'The live module has no table `nobody`. It has: `counter`.'],
    [
      'copy: counter\n    mask: [email]',
      '`mask` names a column `email` that is not copied. Copied are: `id`, `value`.'
    ],
    ['copy: all\n    mask: [email]', '`mask` names a column `email` that is not copied'],
    ['copy: all\n    except: [nobody]', 'The live module has no table `nobody`.'],
    [
      'copy: counter\n    where: valu > 3',
      'copy counter: the live server refuses the condition `valu > 3`: `valu` is not'
    ]
  ])('at the seed, where this is wrong: %j', async (entry, message) => {
    const database = await liveCounter()
    const seed = `seed:\n  - ${entry}\n`
    const { outcome } = await stage.rehearse({ old: stage.from(database), module: 'counter-additive', seed })
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'seed', reason: expect.stringContaining(message) })
    expect(outcome).toHaveProperty('reason', expect.stringMatching(/^seed\.yml:2:/))
  })
})

test('the same module has nothing to migrate', async () => {
  const database = await liveCounter()
  const rehearsed = await stage.rehearse({ old: stage.from(database), module: 'counter' })
  expect(rehearsed).toMatchObject({ outcome: { kind: 'passed' }, deployment: { result: 'unchanged' } })
  expect(rehearsed.wayBack).toBeUndefined()
})

test('without an old module there is nothing to rehearse', async () => {
  const { outcome, markdown } = await stage.rehearse({
    old: { kind: 'none', reason: 'no run of the branch `main` has an artifact' },
    module: 'counter'
  })
  expect(outcome).toMatchObject({ kind: 'nothing-to-rehearse' })
  expect(markdown).toContain('plain smoke test')
})

test('a job that is cancelled ends the rehearsal', async () => {
  const database = await liveCounter()
  const { outcome } = await stage.rehearse({
    old: stage.from(database),
    module: 'counter-additive',
    tools: { cancelled: AbortSignal.abort() }
  })
  expect(outcome).toEqual({ kind: 'cancelled', stage: 'old module' })
})
