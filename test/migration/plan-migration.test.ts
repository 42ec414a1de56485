import { describe, expect, test } from '@jest/globals'
import { systemClock } from '../../src/clock.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type Narrator, startJournal } from '../../src/journal.ts'
import { formatPlan, parsePlan } from '../../src/migration/plan-file.ts'
import { type PlanBase, planMigration } from '../../src/migration/plan-migration.ts'
import { describeModule } from '../../src/module/describe.ts'
import { hashModule } from '../../src/module/hash.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { fixtureModule } from '../fixtures.ts'
import { prepareWorld } from '../server/world.ts'

const world = prepareWorld()

const moduleOf = (name: string) => moduleFromBytes(fixtureModule(`${name}.wasm`))

async function planWith(module: string, base: PlanBase) {
  const warnings: string[] = []
  const narrator: Narrator = { begin() {}, end() {}, tell() {}, warn: (text) => warnings.push(text) }
  const journal = startJournal(systemClock, narrator)
  const tools = { describe: describeModule, clock: systemClock, journal, origin: { commit: 'abc' } }
  const planned = await planMigration(moduleOf(module), base, tools)
  expect(parsePlan(formatPlan(planned.plan))).toEqual(planned.plan)
  return { ...planned, warnings, steps: journal.steps.map(({ name }) => name) }
}

const live = async (module: string, as: 'owner' | 'other' | 'nobody'): Promise<PlanBase> => {
  const database = await world.shared(module)
  const user = as === 'nobody' ? undefined : world[as]
  const server = user?.client ?? connect({ url: world.url })
  return { kind: 'database', server, database, identity: user?.identity }
}

describe('a plan', () => {
  test("for the owner has the server's plan, and can be applied", async () => {
    const { plan, judgement, schemas } = await planWith('counter-additive', await live('counter', 'owner'))
    expect(plan).toMatchObject({
      exists: true,
      verdict: 'compatible',
      previousHash: hashModule(fixtureModule('counter.wasm')),
      moduleHash: hashModule(fixtureModule('counter-additive.wasm')),
      serverPlan: { kind: 'automatic', token: expect.stringMatching(/^0x/) },
      wayBack: { reversible: 'conditional' },
      metadata: { commit: 'abc' }
    })
    expect(plan.target?.databaseIdentity).toMatch(/^c200/)
    expect(judgement?.changes.length).toBeGreaterThan(0)
    expect(schemas?.after.tables.map(({ name }) => name)).toContain('audit')
  })

  test.each(['nobody', 'other'] as const)('for %s is made from the two modules alone', async (who) => {
    const { plan, warnings } = await planWith('counter-reducer-param', await live('counter', who))
    expect(plan).toMatchObject({ exists: true, verdict: 'breaks-clients', wayBack: { reversible: 'yes' } })
    expect(plan.serverPlan).toBeUndefined()
    expect(warnings.filter((text) => text.includes('belongs to identity'))).toHaveLength(who === 'other' ? 1 : 0)
  })

  test('for the module that is live already changes nothing', async () => {
    const { plan, judgement } = await planWith('counter', await live('counter', 'owner'))
    expect(plan).toMatchObject({ exists: true, verdict: 'none', changes: [], wayBack: { reversible: 'yes' } })
    expect(plan.previousHash).toBe(plan.moduleHash)
    expect(judgement).toBeUndefined()
  })

  test('for a database that is not there says so', async () => {
    const base = { kind: 'database', server: world.owner.client, identity: world.owner.identity } as const
    const { plan } = await planWith('counter', { ...base, database: 'there-is-none-such' })
    expect(plan).toMatchObject({ exists: false, verdict: 'none', changes: [] })
    expect(plan.wayBack).toBeUndefined()
    const planning = planWith('counter', { ...base, database: 'c2'.repeat(32) })
    await expect(planning).rejects.toThrow(ConfigurationError)
  })

  test('from another module, or from none', async () => {
    const { plan } = await planWith('counter-new-columns', {
      kind: 'module',
      module: moduleOf('counter'),
      name: 'module of branch main'
    })
    expect(plan).toMatchObject({ base: 'module of branch main', verdict: 'breaks-clients', exists: true })
    expect(plan.target).toBeUndefined()
    expect(plan.wayBack?.reversible).toBe('no')
    const first = await planWith('counter', { kind: 'none', name: 'module of branch main' })
    expect(first.plan).toMatchObject({ base: 'module of branch main', verdict: 'none', exists: false })
  })

  test.each(['loop', 'env', 'abi11'])('of the hostile module %s is refused', async (name) => {
    const journal = startJournal(systemClock, { begin() {}, end() {}, tell() {}, warn() {} })
    const describe = (module: Parameters<typeof describeModule>[0]) => describeModule(module, { timeout: 1000 })
    const tools = { describe, clock: systemClock, journal, origin: {} }
    const module = moduleFromBytes(fixtureModule(`hostile/${name}.wasm`))
    await expect(planMigration(module, await live('counter', 'owner'), tools)).rejects.toThrow("can't be described")
  })
})
