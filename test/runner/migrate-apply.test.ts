import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { type Match, startProxy } from '../faults/proxy.ts'
import { fixtureModule } from '../fixtures.ts'
import { Job, type StepResult } from './runner.ts'
import { dist, hashOf, startStage } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const stage = await startStage()

afterAll(() => stage.server.close())

type Inputs = Readonly<Record<string, string>>

/** A job that has planned, and goes on. */
async function planned(before: string, module: string, inputs: Inputs = {}) {
  const database = await stage.databaseWith(before)
  const proxy = await startProxy(stage.server.url)
  const job = new Job({ dist, secrets: () => [...stage.secrets, ...proxy.issuedTokens] })
  writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule(`${module}.wasm`))
  const given = { module: 'module.wasm', server: stage.server.url, database, token: stage.token, ...inputs }
  const plan = await job.run({ action: 'migrate-schema', inputs: given })
  expect(plan.outputs.result).toBe('planned')
  writeFileSync(join(job.workspace, 'plan.json'), readFileSync(plan.outputs.plan ?? ''))
  return {
    database,
    digest: plan.outputs['plan-digest'] ?? '',
    workspace: job.workspace,
    proxy,
    apply: (more: Inputs = {}) => {
      const applied = { mode: 'apply', plan: 'plan.json', ...given, server: proxy.url, ...more }
      return job.run({ action: 'migrate-schema', inputs: applied })
    },
    /** Kills the step as soon as the server has carried a request out: the publish, unless told. */
    applyAndDie: async (match: Match = { method: 'PUT' }, more: Inputs = {}) => {
      const applied = { mode: 'apply', plan: 'plan.json', ...given, server: proxy.url, ...more }
      const running = job.start({ action: 'migrate-schema', inputs: applied })
      proxy.inject({ match, fault: { kind: 'hang', forward: true }, answered: () => running.kill() })
      return running.result
    },
    post: () => job.post(),
    /** What was sent that changes something. */
    sent: () => proxy.requests.filter(({ method }) => method === 'PUT'),
    end: async () => {
      for (const post of await job.post()) expect(post).toMatchObject({ exitCode: 0, annotations: [] })
      job.end()
      await proxy.close()
    }
  }
}

const errorsOf = ({ annotations }: StepResult) => annotations.filter(({ level }) => level === 'error')

describe('an approved plan', () => {
  test.concurrent('is carried out, and confirmed', async () => {
    const job = await planned('counter', 'counter-additive')
    const applied = await job.apply()
    expect(applied).toMatchObject({
      exitCode: 0,
      outputs: { result: 'updated', verdict: 'compatible', 'previous-module-hash': hashOf('counter') }
    })
    expect(applied.log).toContain('it is the planned one')
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter-additive'))
    const again = await job.apply()
    expect(again).toMatchObject({ exitCode: 0, outputs: { result: 'unchanged' } })
    expect(job.sent()).toHaveLength(1)
    await job.end()
  })

  test.concurrent('is refused, and nothing is sent, when somebody published since', async () => {
    const job = await planned('counter', 'counter-additive')
    expect((await stage.publish(job.database, 'counter-unhealthy')).status).toBe(200)
    const applied = await job.apply()
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(errorsOf(applied)[0]?.message).toContain('Somebody else published since the plan was made')
    expect(job.sent()).toEqual([])
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter-unhealthy'))
    await job.end()
  })

  test.concurrent('is refused by the server when somebody publishes at the very moment', async () => {
    const job = await planned('counter', 'counter-additive')
    job.proxy.inject({ match: { method: 'PUT' }, before: () => stage.publish(job.database, 'counter-unhealthy') })
    const applied = await job.apply()
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(errorsOf(applied)[0]?.message).toContain('Somebody else published in between')
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter-unhealthy'))
    await job.end()
  })

  test.concurrent('is refused, and nothing is sent, when rows make it impossible', async () => {
    const allowed = { 'allow-breaking-clients': 'true' }
    const job = await planned('counter-additive', 'counter', allowed)
    await stage.call(job.database, 'increment_counter', [1])
    const applied = await job.apply(allowed)
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(errorsOf(applied)[0]?.message).toContain('only while table audit is empty, but 1 row is there')
    expect(job.sent()).toEqual([])
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter-additive'))
    await job.end()
  })

  test.concurrent('fails, and changes nothing, when the row comes at the very moment', async () => {
    const allowed = { 'allow-breaking-clients': 'true' }
    const job = await planned('counter-additive', 'counter', allowed)
    const row = () => stage.call(job.database, 'increment_counter', [1])
    job.proxy.inject({ match: { method: 'PUT' }, before: row })
    const applied = await job.apply(allowed)
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter-additive'))
    await job.end()
  })

  test.concurrent('is asked for what the gate wants once more', async () => {
    const job = await planned('counter', 'counter-reducer-param', { 'report-only': 'true' })
    const applied = await job.apply({ 'report-only': 'false' })
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(job.sent()).toEqual([])
    const allowed = await job.apply({ 'report-only': 'false', 'allow-breaking-clients': 'true' })
    expect(allowed).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    await job.end()
  })

  test.concurrent.each<[string, (text: string) => string, Inputs, RegExp]>([
    ['was changed', (text) => text.replace('"verdict": "compatible"', '"verdict": "none"'), {}, /changed after it was/],
    ['is no plan', () => '{}', {}, /plan\.json is not a plan/],
    ['is no JSON', () => 'nope', {}, /plan\.json is not JSON/],
    ['is of a later format', (text) => text.replace('"format": 1', '"format": 9'), {}, /a plan of format 9/],
    ['is not there', (text) => text, { plan: 'nope.json' }, /nope\.json can't be read/]
  ])('that %s is refused before anything is asked', async (_, change, inputs, message) => {
    const job = await planned('counter', 'counter-additive')
    const path = join(job.workspace, 'plan.json')
    writeFileSync(path, change(readFileSync(path, 'utf8')))
    const applied = await job.apply(inputs)
    expect(applied.exitCode).toBe(1)
    expect(errorsOf(applied)).toMatchObject([
      { title: 'migrate-schema: wrong configuration', message: expect.stringMatching(message) }
    ])
    expect(job.proxy.requests).toEqual([])
    await job.end()
  })

  test.concurrent('that is cut off leaves one of the two modules live, and the post step says which', async () => {
    const job = await planned('counter', 'counter-additive')
    const died = await job.applyAndDie()
    expect(died).toMatchObject({ exitCode: null, outputs: { result: 'unknown' } })
    const [, post] = (await job.post()).reverse()
    expect(post?.exitCode).toBe(1)
    expect(post?.summary).toContain('runs the new module')
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter-additive'))
    await job.end()
  })

  test.concurrent('is for one database also where the module is live already: no steps run elsewhere', async () => {
    const job = await planned('counter', 'counter-additive')
    const other = await stage.databaseWith('counter-additive')
    writeFileSync(join(job.workspace, 'after.yml'), 'steps:\n  - call: increment_counter\n    args: [7]\n')
    const applied = await job.apply({ database: other, 'steps-after': 'after.yml' })
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(applied.summary).toContain('Make a new plan')
    expect(job.proxy.requests.filter(({ path }) => path.includes('/call/'))).toEqual([])
    await job.end()
  })

  test.concurrent('is the one that was approved, by its digest', async () => {
    const job = await planned('counter', 'counter-additive')
    const wrong = await job.apply({ 'plan-digest': 'a'.repeat(64) })
    expect(errorsOf(wrong)).toMatchObject([
      {
        title: 'migrate-schema: wrong configuration',
        message: expect.stringContaining('is not the plan that was approved')
      }
    ])
    expect(job.proxy.requests).toEqual([])
    const right = await job.apply({ 'plan-digest': job.digest })
    expect(right).toMatchObject({ exitCode: 0, outputs: { result: 'updated', 'plan-digest': job.digest } })
    await job.end()
  })

  test.concurrent('is not for another module, nor for another database', async () => {
    const job = await planned('counter', 'counter-additive')
    const other = await stage.databaseWith('counter')
    const elsewhere = await job.apply({ database: other })
    expect(elsewhere).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(errorsOf(elsewhere)[0]?.message).toContain(`and this is "${other}"`)
    writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule('counter-unhealthy.wasm'))
    const changed = await job.apply()
    expect(errorsOf(changed)[0]?.message).toContain('Give the one that was planned')
    expect(job.sent()).toEqual([])
    await job.end()
  })
})

describe('steps around the publish', () => {
  const counter = 'SELECT COUNT(*) AS n FROM counter'

  test.concurrent('make room before, and fill after', async () => {
    const allowed = { 'allow-breaking-clients': 'true' }
    const job = await planned('counter-additive', 'counter', allowed)
    await stage.call(job.database, 'increment_counter', [1])
    writeFileSync(join(job.workspace, 'before.yml'), 'steps:\n  - call: clear_audit\n')
    const after = 'steps:\n  - call: increment_counter\n    args: [5]\n'
    writeFileSync(join(job.workspace, 'after.yml'), after)
    const applied = await job.apply({ ...allowed, 'steps-before': 'before.yml', 'steps-after': 'after.yml' })
    expect(applied).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter'))
    expect(applied.summary).toContain('clear_audit')
    await job.end()
  })

  test.concurrent('that fail before end it with nothing published', async () => {
    const job = await planned('counter', 'counter-additive')
    writeFileSync(join(job.workspace, 'before.yml'), `steps:\n  - sql: ${counter}\n  - call: no_such_reducer\n`)
    const applied = await job.apply({ 'steps-before': 'before.yml' })
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(errorsOf(applied)[0]?.message).toMatch(/nothing was published[\s\S]*- ran: [\s\S]*- failed: /)
    expect(job.sent()).toEqual([])
    await job.end()
  })

  test.concurrent('that have run before a refusal are not denied', async () => {
    const allowed = { 'allow-breaking-clients': 'true' }
    const job = await planned('counter-additive', 'counter', allowed)
    writeFileSync(join(job.workspace, 'before.yml'), 'steps:\n  - call: increment_counter\n    args: [1]\n')
    const applied = await job.apply({ ...allowed, 'steps-before': 'before.yml' })
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(applied.summary).toContain('and steps have run')
    expect(applied.summary).not.toContain('was not changed')
    expect(job.sent()).toEqual([])
    await job.end()
  })

  test.concurrent('that were cut off are told of by the post step', async () => {
    const job = await planned('counter', 'counter-additive')
    writeFileSync(join(job.workspace, 'before.yml'), 'steps:\n  - call: increment_counter\n    args: [1]\n')
    const died = await job.applyAndDie({ path: /\/call\/increment_counter/ }, { 'steps-before': 'before.yml' })
    expect(died.exitCode).toBe(null)
    const [, post] = (await job.post()).reverse()
    expect(post).toMatchObject({ exitCode: 1, summary: expect.stringContaining('Nothing was published') })
    expect(post?.summary).toContain('look at the data')
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter'))
    await job.end()
  })

  test.concurrent('that fail after leave the module live, and say which ran', async () => {
    const job = await planned('counter', 'counter-additive')
    writeFileSync(join(job.workspace, 'after.yml'), `steps:\n  - sql: ${counter}\n  - call: no_such_reducer\n`)
    const applied = await job.apply({ 'steps-after': 'after.yml' })
    expect(applied).toMatchObject({ exitCode: 1, outputs: { result: 'unhealthy' } })
    expect(errorsOf(applied)[0]?.message).toMatch(/The steps after the publish[\s\S]*- ran: [\s\S]*- failed: /)
    expect(await stage.liveHash(job.database)).toBe(hashOf('counter-additive'))
    expect(applied.outputs['previous-module']).toMatch(/\.wasm$/)
    await job.end()
  })

  test.concurrent('are read before anything is asked', async () => {
    const job = await planned('counter', 'counter-additive')
    writeFileSync(join(job.workspace, 'before.yml'), 'steps:\n  - cal: x\n')
    const applied = await job.apply({ 'steps-before': 'before.yml' })
    expect(errorsOf(applied)).toMatchObject([
      { title: 'migrate-schema: wrong configuration', message: expect.stringMatching(/before\.yml:2/) }
    ])
    expect(job.proxy.requests).toEqual([])
    await job.end()
  })
})
