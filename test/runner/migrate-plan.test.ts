import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { parsePlan, planDigest } from '../../src/migration/plan-file.ts'
import { fixtureModule } from '../fixtures.ts'
import { startGitHubApi } from '../stand-ins/github/api.ts'
import { startGitHub, type WorkflowChoice } from './github.ts'
import type { StepResult } from './runner.ts'
import { dist, hashOf, startStage } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const stage = await startStage()
const github = await startGitHub()
const open: { close(): Promise<void> }[] = []

afterAll(async () => {
  expect(github.api.unexpected).toEqual([])
  await Promise.all([stage.server.close(), github.close(), ...open.map((each) => each.close())])
})

const pullRequest = { branch: 'feature', pullRequest: { number: 7 } } as const

type Planned = StepResult & { readonly plan: ReturnType<typeof parsePlan> | undefined }

type PlanOptions = {
  readonly module: string
  readonly inputs?: Readonly<Record<string, string>>
  readonly workflow?: WorkflowChoice
  /** GitHub's API; the stand-in of all tests without it. */
  readonly api?: { readonly url: string; readonly token: string }
  /** More files in the workspace, by name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

/** Runs the built action in a job of its own. */
async function plan({ module, inputs = {}, workflow, api, files = {} }: PlanOptions): Promise<Planned> {
  const secrets = () => [...stage.secrets, ...(api ? [api.token] : [])]
  // The repository and the pull request that the stand-in for comments has.
  const own = api && { env: { GITHUB_API_URL: api.url, GITHUB_REPOSITORY: 'org/game' }, githubToken: api.token }
  const { job } = github.startRun(workflow).startJob({ dist, secrets, ...own })
  try {
    const all = { 'module.wasm': fixtureModule(`${module}.wasm`), ...files }
    for (const [name, content] of Object.entries(all)) writeFileSync(join(job.workspace, name), content)
    const result = await job.run({ action: 'migrate-schema', inputs: { module: 'module.wasm', ...inputs } })
    const path = result.outputs.plan
    const read = path ? parsePlan(readFileSync(path, 'utf8')) : undefined
    const [post] = await job.post()
    expect(post).toMatchObject({ exitCode: 0, annotations: [], summary: '' })
    return { ...result, plan: read }
  } finally {
    job.end()
  }
}

const errorsOf = ({ annotations }: StepResult) => annotations.filter(({ level }) => level === 'error')

const against = async (module: string) => ({ server: stage.server.url, database: await stage.databaseWith(module) })

describe('a plan against a database', () => {
  test.concurrent("of the owner has the server's own plan", async () => {
    const target = await against('counter')
    const planned = await plan({ module: 'counter-additive', inputs: { ...target, token: stage.token } })
    expect(planned).toMatchObject({
      exitCode: 0,
      outputs: {
        result: 'planned',
        verdict: 'compatible',
        reversible: 'conditional',
        exists: 'true',
        'module-hash': hashOf('counter-additive'),
        'previous-module-hash': hashOf('counter'),
        'database-identity': expect.stringMatching(/^c200/),
        identity: expect.stringMatching(/^c200/)
      }
    })
    expect(planned.plan?.serverPlan).toMatchObject({ kind: 'automatic' })
    expect(planned.plan && planDigest(planned.plan)).toBe(planned.outputs['plan-digest'])
    expect(JSON.parse(planned.outputs.changes ?? '')).toContainEqual(
      expect.objectContaining({ kind: 'table-added', verdict: 'compatible' })
    )
    expect(planned.summary.split('\n')[0]).toBe(
      '### ✅ Clients that run now keep working · can be rolled back on a condition'
    )
    expect(planned.summary).toContain('```mermaid')
    expect(await stage.liveHash(target.database)).toBe(hashOf('counter'))
  })

  test.concurrent('needs no credential', async () => {
    const planned = await plan({ module: 'counter-reducer-param', inputs: await against('counter') })
    expect(planned).toMatchObject({ exitCode: 1, outputs: { result: 'refused', verdict: 'breaks-clients' } })
    expect(planned.plan?.serverPlan).toBeUndefined()
    expect(errorsOf(planned)).toMatchObject([{ title: 'migrate-schema: refused' }])
  })

  test.concurrent('that is not there is a first release', async () => {
    const inputs = { server: stage.server.url, database: stage.newDatabase() }
    const planned = await plan({ module: 'counter', inputs })
    expect(planned).toMatchObject({ exitCode: 0, outputs: { result: 'planned', verdict: 'none', exists: 'false' } })
    expect(planned.outputs).not.toHaveProperty('reversible')
    expect(planned.summary).toContain('A first release')
  })

  test.concurrent('that runs the module changes nothing', async () => {
    const planned = await plan({ module: 'counter', inputs: await against('counter') })
    expect(planned).toMatchObject({ exitCode: 0, outputs: { result: 'unchanged', verdict: 'none', changes: '[]' } })
  })

  test.concurrent('says what of the data stands in the way now', async () => {
    const target = await against('counter-additive')
    await stage.call(target.database, 'increment_counter', [1])
    const inputs = { ...target, token: stage.token, 'allow-breaking-clients': 'true' }
    const planned = await plan({ module: 'counter', inputs })
    expect(planned).toMatchObject({ exitCode: 0, outputs: { result: 'planned' } })
    expect(planned.summary).toContain('- ⛔ table audit is empty: 1 row is there')
    expect(planned.annotations).toContainEqual(
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('1 row is there') })
    )
  })

  test.concurrent('tells how to make what is impossible', async () => {
    const planned = await plan({ module: 'counter-column-type', inputs: await against('counter') })
    expect(planned).toMatchObject({ exitCode: 1, outputs: { result: 'refused', verdict: 'manual' } })
    expect(planned.summary).toContain('**What works instead, for table `counter`:**')
    expect(planned.summary).toContain('counter_v2')
  })
})

describe('the gate', () => {
  test.concurrent('lets through what is agreed to by its id, and nothing else', async () => {
    const target = await against('counter')
    const refused = await plan({ module: 'counter-reducer-param', inputs: target })
    const changes: readonly { id: string; verdict: string }[] = JSON.parse(refused.outputs.changes ?? '[]')
    const acknowledge = changes.map(({ id }) => id).join('\n')
    const passed = await plan({ module: 'counter-reducer-param', inputs: { ...target, acknowledge } })
    expect(passed).toMatchObject({ exitCode: 0, outputs: { result: 'planned', verdict: 'breaks-clients' } })
    const [other] = changes.map(({ id }) => id.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')))
    const wrong = await plan({ module: 'counter-reducer-param', inputs: { ...target, acknowledge: other ?? '' } })
    expect(wrong).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
  })

  test.concurrent('only reports when that is asked', async () => {
    const inputs = { ...(await against('counter')), 'report-only': 'true' }
    const passed = await plan({ module: 'counter-reducer-param', inputs })
    expect(passed).toMatchObject({ exitCode: 0, outputs: { result: 'planned', verdict: 'breaks-clients' } })
    expect(passed.annotations.filter(({ level }) => level === 'warning')).not.toEqual([])
    const manual = await plan({ module: 'counter-column-type', inputs })
    expect(manual).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
  })
})

describe('on a pull request', () => {
  const base = { 'base.wasm': fixtureModule('counter.wasm') }
  const inputs = { 'base-module': 'base.wasm', 'allow-breaking-clients': 'true' }

  /** GitHub, as far as comments go, for a token of this standing. */
  async function withComments(access: 'read' | 'write') {
    const api = await startGitHubApi(undefined, { owner: 'org' })
    open.push(api)
    api.state.pullRequests.push({ number: 7, owner: 'org', branch: 'feature', sha: 'c0ffee' })
    const token = api.issueToken({ 'pull-requests': access })
    return { api: { url: api.url, token }, bodies: () => api.state.comments.map(({ body }) => body) }
  }

  test.concurrent('one comment is kept up to date, and removed when there is nothing to say', async () => {
    const { api, bodies } = await withComments('write')
    const about = { workflow: pullRequest, api, files: base, inputs }
    const first = await plan({ ...about, module: 'counter-additive' })
    expect(first.exitCode).toBe(0)
    expect(bodies()).toEqual([expect.stringContaining('Clients that run now keep working')])
    await plan({ ...about, module: 'counter-reducer-param' })
    expect(bodies()).toEqual([expect.stringContaining('Breaks clients that run now')])
    await plan({ ...about, module: 'counter' })
    expect(bodies()).toEqual([])
  })

  test.concurrent('from a fork there is the summary, and the job passes', async () => {
    const { api, bodies } = await withComments('read')
    const workflow = { branch: 'feature', pullRequest: { number: 7, fromFork: true } }
    const planned = await plan({ module: 'counter-additive', workflow, api, files: base, inputs })
    expect(planned.exitCode).toBe(0)
    expect(planned.summary).toContain('Clients that run now keep working')
    expect(planned.log).toContain('No comment on the pull request')
    expect(bodies()).toEqual([])
  })

  test.concurrent('changes are shown on the lines of the source', async () => {
    const source = readFileSync(join(import.meta.dirname, '../fixtures/modules/src/counter-reducer-param.rs'), 'utf8')
    const files = { ...base, 'Cargo.toml': '[package]\nname = "counter"\n', 'lib.rs': source }
    const { api } = await withComments('write')
    const planned = await plan({ module: 'counter-reducer-param', workflow: pullRequest, api, files, inputs })
    const line = source.split('\n').findIndex((text) => text.includes('fn increment_counter')) + 1
    const shown = planned.commands.find(({ properties }) => properties.file === 'lib.rs')
    expect(Number(shown?.properties.endLine ?? shown?.properties.line)).toBe(line)
    expect(planned.annotations).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        file: 'lib.rs',
        message: expect.stringContaining('reducer increment_counter: parameters change')
      })
    )
  })
})

describe('a plan that is kept as an artifact', () => {
  test.concurrent('is applied by another job of the run', async () => {
    const target = { ...(await against('counter')), token: stage.token, module: 'module.wasm' }
    const run = github.startRun()
    const startJob = () => {
      const { job } = run.startJob({ dist, secrets: () => [...stage.secrets] })
      writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule('counter-additive.wasm'))
      return job
    }
    const [first, second] = [startJob(), startJob()]
    const made = await first.run({ action: 'migrate-schema', inputs: target })
    expect(made.outputs['artifact-id']).toMatch(/^\d+$/)
    const approved = { mode: 'apply', 'plan-digest': made.outputs['plan-digest'] ?? '', ...target }
    const missing = await second.run({ action: 'migrate-schema', inputs: { ...approved, plan: 'artifact:other' } })
    expect(errorsOf(missing)[0]?.message).toContain('has kept no artifact `other`')
    const applied = await second.run({ action: 'migrate-schema', inputs: { ...approved, plan: 'artifact:plan' } })
    expect(applied).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
    for (const job of [first, second]) {
      await job.post()
      job.end()
    }
  })
})

describe('wrong inputs', () => {
  test.concurrent.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['nothing to compare with', {}, /There is nothing to compare the module with/],
    ['a server without a database', { server: 'local' }, /`server` and `database` go together/],
    ['two things to compare with', { 'base-module': 'a.wasm', 'base-ref': 'main' }, /They exclude each other/],
    ['two credentials', { server: 'local', database: 'a', token: 'x', auth: 'oidc' }, /not both/],
    [
      'applying without a plan',
      { mode: 'apply', server: 'local', database: 'a' },
      /`mode: apply` give the approved plan/
    ],
    ['a plan to plan with', { plan: 'plan.json', 'base-module': 'a.wasm' }, /go with `mode: apply` only/],
    [
      'an environment to plan for',
      { environment: 'a', 'base-module': 'a.wasm' },
      /`environment` and `on-drift` go with/
    ],
    ['a word about drift', { 'on-drift': 'fail', 'base-module': 'a.wasm' }, /`environment` and `on-drift` go with/],
    ['a base module that is not there', { 'base-module': 'nope.wasm' }, /nope\.wasm does not exist/],
    ['ids that are none', { 'base-module': 'module.wasm', acknowledge: 'a b; c' }, /`acknowledge` is `a b; c`/],
    ['two modules', { artifact: 'module', 'base-module': 'module.wasm' }, /Give one module/],
    ['no module', { module: '', 'base-module': 'module.wasm' }, /Give one module/]
  ])('%s', async (_, inputs, message) => {
    const planned = await plan({ module: 'counter', inputs })
    expect(planned.exitCode).toBe(1)
    expect(planned.outputs.result).toBe('failed')
    expect(errorsOf(planned)).toMatchObject([
      { title: 'migrate-schema: wrong configuration', message: expect.stringMatching(message) }
    ])
  })
})
