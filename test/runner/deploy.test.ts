import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { nodes } from './node24.ts'
import { type Deployed, type DeployOptions, hashOf, startStage } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(240_000)

const stage = await startStage()

afterAll(() => stage.server.close())

type Case = {
  readonly title: string
  /** What is live before; nothing when there is no database. */
  readonly before?: string
  readonly module: string
  readonly inputs?: Readonly<Record<string, string>>
  /** Reducers that are called before, on what is live then. */
  readonly calls?: readonly string[]
  readonly outputs: Readonly<Record<string, string>>
  /** What is live afterwards; nothing when there is no database. */
  readonly after?: string
}

const yes = 'true'
const allowAll = { 'allow-breaking-clients': yes, 'allow-irreversible': yes }

const passing: readonly Case[] = [
  {
    title: 'creates a database when it may',
    module: 'counter',
    inputs: { create: yes },
    outputs: { result: 'created', verdict: 'none' },
    after: 'counter'
  },
  {
    title: 'updates with a compatible module',
    before: 'counter',
    module: 'counter-additive',
    outputs: { result: 'updated', verdict: 'compatible', reversible: 'conditional' },
    after: 'counter-additive'
  },
  {
    title: 'updates with a module that breaks clients and can not be taken back when both are allowed',
    before: 'counter',
    module: 'counter-new-columns',
    inputs: allowAll,
    outputs: { result: 'updated', verdict: 'breaks-clients', reversible: 'no' },
    after: 'counter-new-columns'
  },
  {
    title: 'leaves a module that is live already',
    before: 'counter',
    module: 'counter',
    outputs: { result: 'unchanged' },
    after: 'counter'
  },
  {
    title: 'plans an update in a dry run',
    before: 'counter',
    module: 'counter-additive',
    inputs: { 'dry-run': yes },
    outputs: { result: 'planned', verdict: 'compatible' },
    after: 'counter'
  },
  {
    title: 'plans a creation in a dry run',
    module: 'counter',
    inputs: { create: yes, 'dry-run': yes },
    outputs: { result: 'planned', verdict: 'none' }
  },
  {
    title: 'creates a database with a JavaScript module',
    module: 'counter.js',
    inputs: { create: yes, 'health-check': 'none' },
    outputs: { result: 'created' },
    after: 'counter.js'
  },
  {
    title: 'keeps what a failing check would refuse when there is no check',
    before: 'counter',
    module: 'counter-unhealthy',
    inputs: { 'health-check': 'none' },
    outputs: { result: 'updated' },
    after: 'counter-unhealthy'
  }
]

const failing: readonly Case[] = [
  {
    title: 'refuses what breaks clients, although the plan of the server says nothing',
    before: 'counter',
    module: 'counter-reducer-param',
    outputs: { result: 'refused', verdict: 'breaks-clients' },
    after: 'counter'
  },
  {
    title: 'refuses it in a dry run too',
    before: 'counter',
    module: 'counter-reducer-param',
    inputs: { 'dry-run': yes },
    outputs: { result: 'refused', verdict: 'breaks-clients' },
    after: 'counter'
  },
  {
    title: 'refuses what can not be taken back',
    before: 'counter',
    module: 'counter-new-columns',
    inputs: { 'allow-breaking-clients': yes },
    outputs: { result: 'refused', reversible: 'no' },
    after: 'counter'
  },
  {
    title: 'refuses a manual migration whatever is allowed',
    before: 'counter',
    module: 'counter-column-type',
    inputs: allowAll,
    outputs: { result: 'refused', verdict: 'manual' },
    after: 'counter'
  },
  {
    title: 'rolls an unhealthy release back',
    before: 'counter',
    module: 'counter-unhealthy',
    outputs: { result: 'rolled-back' },
    after: 'counter'
  },
  {
    title: 'rolls a release back whose check panics',
    before: 'counter',
    module: 'counter-panics',
    outputs: { result: 'rolled-back' },
    after: 'counter'
  },
  {
    title: 'rolls a release back whose check takes too long',
    before: 'counter',
    module: 'counter-slow',
    inputs: { 'health-timeout': '500ms' },
    outputs: { result: 'rolled-back' },
    after: 'counter'
  },
  {
    title: 'keeps an unhealthy release when that is asked',
    before: 'counter',
    module: 'counter-unhealthy',
    inputs: { 'on-failure': 'keep' },
    outputs: { result: 'unhealthy' },
    after: 'counter-unhealthy'
  },
  {
    title: 'keeps an unhealthy first release',
    module: 'counter-unhealthy',
    inputs: { create: yes },
    outputs: { result: 'unhealthy' },
    after: 'counter-unhealthy'
  },
  {
    title: 'says when it can not go back',
    before: 'counter',
    calls: ['clear_counters'],
    module: 'counter-new-columns',
    inputs: allowAll,
    outputs: { result: 'rollback-failed' },
    after: 'counter-new-columns'
  },
  {
    title: 'refuses what only the data forbids',
    before: 'counter-additive',
    calls: ['increment_counter'],
    module: 'counter',
    inputs: allowAll,
    outputs: { result: 'refused', verdict: 'breaks-clients' },
    after: 'counter-additive'
  }
]

async function play({ before, calls = [], ...scene }: Case, options: Partial<DeployOptions>) {
  const database = before === undefined ? stage.newDatabase() : await stage.databaseWith(before)
  for (const reducer of calls) await stage.call(database, reducer, reducer === 'increment_counter' ? [1] : [])
  const deployed = await stage.deploy({ ...options, database, module: scene.module, inputs: scene.inputs ?? {} })
  return { ...deployed, live: await stage.liveHash(database), was: before === undefined ? undefined : hashOf(before) }
}

/** What every deploy has to give back, whatever came of it. */
function expectReport({ main }: Deployed): void {
  expect(main.outputs.identity).toMatch(/^c200[0-9a-f]{60}$/)
  expect(main.outputs['module-hash']).toMatch(/^[0-9a-f]{64}$/)
  expect(JSON.parse(main.outputs.conditions ?? '')).toBeInstanceOf(Array)
  expect(main.summary).toMatch(/^## \S+ /)
  expect(main.summary).toContain('**The database now:**')
  expect(main.summary.match(/<details>/g) ?? []).toHaveLength((main.summary.match(/<\/details>/g) ?? []).length)
}

const errorsOf = ({ main }: Deployed) => main.annotations.filter(({ level }) => level === 'error')

describe.each(nodes())('deploy on $title', ({ path }) => {
  if (path === undefined) return void test.skip('is not there', () => {})
  // A module that counts to a thousand million before it can be replaced takes its time on a busy machine.
  const options = { node: path, deadline: 180_000 }

  test.concurrent.each(passing)('$title', async ({ ...scene }) => {
    const played = await play(scene, options)
    expect(played.main).toMatchObject({ outputs: scene.outputs, exitCode: 0, leftProcesses: false })
    expect(played.live).toBe(scene.after && hashOf(scene.after))
    expect(played.savedModule).toBe(scene.outputs.result === 'unchanged' ? undefined : played.was)
    expect(played.main.outputs['previous-module-hash']).toBe(played.was)
    expect(errorsOf(played)).toEqual([])
    expectReport(played)
    expect(played.post).toMatchObject({ exitCode: 0, summary: '', annotations: [] })
  })

  test.concurrent.each(failing)('$title', async ({ ...scene }) => {
    const played = await play(scene, options)
    expect(played.main).toMatchObject({ outputs: scene.outputs, exitCode: 1, leftProcesses: false })
    expect(played.live).toBe(scene.after && hashOf(scene.after))
    expect(errorsOf(played)).toHaveLength(1)
    expect(errorsOf(played)[0]?.title).toBe(`deploy: ${scene.outputs.result}`)
    expectReport(played)
    expect(played.post).toMatchObject({ exitCode: 0, summary: '', annotations: [] })
  })

  test.concurrent('says what of the data stands in the way, and how to see to it', async () => {
    const database = await stage.databaseWith('counter-additive')
    await stage.call(database, 'increment_counter', [1])
    const { main } = await stage.deploy({ ...options, database, module: 'counter', inputs: allowAll })
    expect(main.summary).toContain('only while table audit is empty, but 1 row is there')
    expect(main.summary).toContain(`spacetime sql --server ${stage.server.url} ${database} 'DELETE FROM audit'`)
  })

  test.concurrent('says on a line of its own what a check said, which may end in any way', async () => {
    const database = stage.newDatabase()
    const deployed = await stage.deploy({ database, module: 'counter-unhealthy', inputs: { create: yes } })
    expect(errorsOf(deployed)[0]?.message.split('\n')).toEqual([
      expect.stringContaining(database),
      expect.stringContaining('unhealthy on purpose (1 rows)'),
      expect.stringContaining('first release')
    ])
  })
})
