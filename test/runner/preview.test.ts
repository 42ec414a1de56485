import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { startProxy } from '../faults/proxy.ts'
import { fixtureModule } from '../fixtures.ts'
import type { Permissions } from '../stand-ins/github/state.ts'
import type { WorkflowChoice } from './github.ts'
import { startLedgerStage } from './ledger-stage.ts'
import type { Job, JobOptions, RunningStep, StepResult } from './runner.ts'
import { dist, hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const all = await startLedgerStage()
const { stage, github } = all
const { state } = github.api
const prefix = `game-${crypto.randomUUID().slice(0, 8)}`
const mayAll: Permissions = { contents: 'read', 'pull-requests': 'write', deployments: 'write' }
let lastNumber = 100

afterAll(async () => {
  expect(github.api.unexpected).toEqual([])
  await all.close()
})

type PreviewOptions = Pick<JobOptions, 'event' | 'env'> & {
  readonly workflow?: WorkflowChoice
  readonly module?: string
  readonly files?: Readonly<Record<string, string>>
  readonly inputs?: Readonly<Record<string, string>>
  readonly permissions?: Permissions
  readonly secrets?: () => readonly string[]
}

/** Starts the built action in a job of its own, which is the test's to end. An empty input takes a usual one away. */
function start(options: PreviewOptions): { readonly job: Job; readonly step: RunningStep } {
  const { workflow, module, files = {}, inputs, permissions = mayAll, secrets, ...jobOptions } = options
  const known = () => [...stage.secrets, ...(secrets?.() ?? [])]
  const { job } = github.startRun(workflow).startJob({ dist, permissions, secrets: known, ...jobOptions })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(job.workspace, name), text)
  if (module !== undefined) writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule(`${module}.wasm`))
  const usual = { server: stage.server.url, prefix, token: stage.token, ...(module && { module: 'module.wasm' }) }
  return { job, step: job.start({ action: 'preview', inputs: { ...usual, ...inputs } }) }
}

/** Runs the main step. */
async function preview(options: PreviewOptions): Promise<{ readonly main: StepResult }> {
  const { job, step } = start(options)
  try {
    return { main: await step.result }
  } finally {
    job.end()
  }
}

/** From start to end, post step included. */
async function wholePreview(
  options: PreviewOptions
): Promise<{ readonly main: StepResult; readonly post: StepResult }> {
  const { job, step } = start(options)
  try {
    const main = await step.result
    const [post] = await job.post()
    if (!post) throw new Error('preview has no post step')
    return { main, post }
  } finally {
    job.end()
  }
}

/** A pull request that is open, and the runs of it. */
function newPullRequest(of = prefix) {
  const number = ++lastNumber
  const pullRequest = { number, owner: 'octocat', branch: `feature-${number}`, sha: String(number).padStart(40, 'a') }
  const kept: (typeof state.pullRequests)[number] = pullRequest
  state.pullRequests.push(kept)
  const { branch, sha } = pullRequest
  return {
    kept,
    database: `${of}-pr-${number}`,
    run: (action: 'opened' | 'synchronize' | 'closed', fromFork = false): WorkflowChoice => ({
      branch,
      sha,
      pullRequest: { number, action, fromFork }
    }),
    comments: () => state.comments.filter(({ issue }) => issue === number).map(({ body }) => body)
  }
}

/** As a release of another action is in the repository's deployments. */
async function writeDown(record: object): Promise<void> {
  const token = github.api.issueToken({ deployments: 'write' })
  const body = { ref: 'main', task: 'stdb-actions', environment: 'production', payload: { version: 1, ...record } }
  const answer = await fetch(`${github.api.url}/repos/${state.fullName}/deployments`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'test', 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, auto_merge: false, required_contexts: [] })
  })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
}

const errorsOf = ({ annotations }: StepResult) => annotations.filter(({ level }) => level === 'error')

const seed = 'seed:\n  - call: increment_counter\n    args: [41]\n'
const checks = 'checks:\n  - sql: SELECT COUNT(*) AS n FROM counter WHERE id = 41\n    value: 1\n'

test.concurrent('a pull request has a preview from when it is opened until it is closed', async () => {
  const { kept, database, run, comments } = newPullRequest()
  const files = { 'seed.yml': seed, 'checks.yml': checks }
  const inputs = { seed: 'seed.yml', checks: 'checks.yml' }
  const opened = await wholePreview({ workflow: run('opened'), module: 'counter', files, inputs })
  const url = `${stage.server.url}/v1/database/${database}`
  expect(opened.main).toMatchObject({
    exitCode: 0,
    outputs: { result: 'created', database, url, 'is-new': 'true', 'pull-request': String(kept.number), passed: '1' }
  })
  expect(opened.main.outputs['module-hash']).toBe(hashOf('counter'))
  expect(opened.post).toMatchObject({ exitCode: 0, annotations: [], summary: '' })
  expect(comments()).toEqual([expect.stringMatching(new RegExp(`${database}\` was created[^]*${url}[^]*1 passed`))])
  expect(all.entries(database)).toMatchObject([{ sha: kept.sha, states: ['in_progress', 'success'] }])
  expect(state.deployments.find(({ environment }) => environment === database)).toMatchObject({ isTransient: true })

  const changed = await preview({ workflow: run('synchronize'), module: 'counter-new-columns', files, inputs })
  expect(changed.main.outputs).toMatchObject({ result: 'updated', verdict: 'breaks-clients', 'is-new': 'false' })
  expect(changed.main.annotations.map(({ level }) => level)).not.toContain('error')
  const manual = await preview({ workflow: run('synchronize'), module: 'counter', files, inputs })
  expect(manual.main).toMatchObject({ exitCode: 0, outputs: { result: 'remade', 'is-new': 'true', passed: '1' } })
  expect(manual.main.annotations).toEqual([])
  expect(comments()).toEqual([expect.stringContaining('the data that was in it is gone')])

  kept.state = 'closed'
  const closed = await preview({ workflow: run('closed') })
  expect(closed.main).toMatchObject({
    exitCode: 0,
    outputs: { result: 'deleted', database, deleted: JSON.stringify([database]) }
  })
  expect(closed.main.outputs.url).toBeUndefined()
  expect(closed.main.summary).toContain('was deleted, with all its data')
  expect(await stage.liveHash(database)).toBeUndefined()
  expect(comments()).toEqual([expect.stringContaining('was deleted')])
  expect(all.entries(database).map(({ states }) => states.at(-1))).toEqual(['inactive', 'inactive', 'inactive'])

  for (const comment of state.comments) comment.body = comment.body.replace(`${database}\` was deleted`, 'was updated')
  expect((await preview({ workflow: run('closed') })).main.outputs.result).toBe('absent')
  expect(comments()).toEqual([expect.stringContaining(`there is no \`${database}\` to delete`)])
})

describe('what is something else is refused, and stays', () => {
  test.concurrent('a database that a deploy of this repository has published to', async () => {
    const { kept, database, run } = newPullRequest()
    await stage.publish(database, 'counter')
    await writeDown({ action: 'deploy', server: stage.server.url, database, moduleHash: hashOf('counter') })
    const updated = await preview({ workflow: run('synchronize'), module: 'counter-additive' })
    expect(updated.main).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    kept.state = 'closed'
    const closed = await preview({ workflow: run('closed') })
    expect(closed.main).toMatchObject({ exitCode: 1, outputs: { result: 'refused', deleted: '[]' } })
    expect(errorsOf(closed.main)).toEqual([
      expect.objectContaining({
        title: 'preview: refused',
        message: expect.stringMatching(/was released by `deploy`, in the environment .* Nothing was deleted/)
      })
    ])
    expect(await stage.liveHash(database)).toBe(hashOf('counter'))
  })

  test.concurrent("production under a stranger's name, in a cleanup that deletes the others", async () => {
    // A cleanup goes for all previews of its prefix.
    const cleaned = `${prefix}-cleaned`
    const [first, second, third] = [newPullRequest(cleaned), newPullRequest(cleaned), newPullRequest(cleaned)]
    const production = await stage.databaseWith('counter')
    const stranger = await stage.server.issueToken('stranger')
    for (const { database } of [first, third]) await stage.publish(database, 'counter')
    await fetch(`${stage.server.url}/v1/database/${production}/names`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stranger}` },
      body: second.database
    })
    for (const { kept } of [first, second]) kept.state = 'closed'
    const event = { name: 'schedule', payload: {} }
    const planned = await preview({ event, inputs: { prefix: cleaned, 'dry-run': 'true' } })
    expect(planned.main).toMatchObject({ exitCode: 0, outputs: { result: 'planned' } })
    expect(await stage.liveHash(first.database)).toBeDefined()
    const { main } = await preview({ event, inputs: { prefix: cleaned } })
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'cleaned-up' } })
    expect(JSON.parse(main.outputs.deleted ?? '')).toEqual([first.database])
    expect(JSON.parse(main.outputs.kept ?? '')).toContainEqual({
      database: third.database,
      reason: 'its pull request is open'
    })
    expect(main.annotations).toContainEqual(
      expect.objectContaining({ level: 'warning', title: `${second.database} was not deleted` })
    )
    expect(await stage.liveHash(first.database)).toBeUndefined()
    for (const left of [production, third.database]) expect(await stage.liveHash(left)).toBe(hashOf('counter'))
  })

  test.concurrent('what somebody else owns', async () => {
    const { database, run } = newPullRequest()
    const stranger = await stage.server.issueToken('stranger')
    await stage.publish(database, 'counter', stranger)
    const { main } = await preview({ workflow: run('opened'), module: 'counter-additive' })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(errorsOf(main)[0]?.message).toMatch(/belongs to identity \w{64}, and this job is \w{64}/)
    expect(await stage.liveHash(database)).toBe(hashOf('counter'))
  })
})

describe('where nothing is to be done, the job passes and says so', () => {
  test.concurrent('a fork', async () => {
    const { database, run } = newPullRequest()
    const workflow = run('opened', true)
    const { main } = await preview({ workflow, module: 'counter', inputs: { token: '' }, permissions: {} })
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'skipped', database } })
    expect(main.annotations).toEqual([
      expect.objectContaining({ level: 'notice', message: expect.stringMatching(/fork no secrets and no ID token/) })
    ])
    expect(main.summary).toContain('nothing was done')
    expect(await stage.liveHash(database)).toBeUndefined()
  })

  test.concurrent('a pull request that was closed, or opened again, while its run waited', async () => {
    const { kept, database, run } = newPullRequest()
    await stage.publish(database, 'counter')
    const late = await preview({ workflow: run('closed') })
    expect(late.main).toMatchObject({ exitCode: 0, outputs: { result: 'skipped' } })
    expect(late.main.summary).toContain('is open again')
    kept.state = 'closed'
    const again = await preview({ workflow: run('synchronize'), module: 'counter-additive' })
    expect(again.main).toMatchObject({ exitCode: 0, outputs: { result: 'skipped' } })
    expect(await stage.liveHash(database)).toBe(hashOf('counter'))
  })
})

test.concurrent('without permissions it works all the same, and says what it could not do', async () => {
  const { kept, database, run } = newPullRequest()
  const permissions = { contents: 'read' } as const
  const { main } = await preview({ workflow: run('opened'), module: 'counter', permissions })
  expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'created' } })
  expect(main.annotations.map(({ level }) => level)).not.toContain('error')
  expect(main.annotations.map(({ message }) => message).join('\n')).toMatch(/permissions: deployments: write/)
  expect(main.log).toMatch(/permissions: pull-requests: write/)
  kept.state = 'closed'
  const { main: deleted } = await preview({ workflow: run('closed'), permissions })
  expect(deleted).toMatchObject({ exitCode: 0, outputs: { result: 'deleted', database } })
})

/** A new preview that is to be filled, on a server that can be kept from answering. */
async function startFilling() {
  const { database, run } = newPullRequest()
  const proxy = await startProxy(stage.server.url)
  const inputs = { server: proxy.url, seed: 'seed.yml' }
  const secrets = () => [...proxy.issuedTokens]
  const files = { 'seed.yml': seed }
  const { job, step } = start({ workflow: run('opened'), module: 'counter', files, inputs, secrets })
  const end = async () => {
    job.end()
    await proxy.close()
  }
  return { database, proxy, job, step, end }
}

test.concurrent('a preview whose filling is cut off is deleted by the post step', async () => {
  const { database, proxy, job, step, end } = await startFilling()
  const match = { method: 'POST', path: /\/call\/increment_counter/ }
  proxy.inject({ match, fault: { kind: 'hang', forward: true }, answered: () => step.kill() })
  try {
    const main = await step.result
    expect(await stage.liveHash(database)).toBe(hashOf('counter'))
    const [post] = await job.post()
    expect(main.outputs.result).toBe('failed')
    expect(post?.exitCode).toBe(1)
    expect(post && errorsOf(post)[0]?.message).toContain(`"${database}" is deleted again`)
    expect(await stage.liveHash(database)).toBeUndefined()
  } finally {
    await end()
  }
})

test.concurrent('a preview that is created after its job was cut off is deleted by the post step too', async () => {
  const { database, proxy, job, step, end } = await startFilling()
  proxy.inject({ match: { method: 'PUT' }, fault: { kind: 'hang', forward: false }, before: () => step.kill() })
  try {
    await step.result
    expect(await stage.liveHash(database)).toBeUndefined()
    const lands = async () => {
      await stage.publish(database, 'counter')
    }
    proxy.inject({ match: { method: 'POST', path: /\/sql$/, nth: 1 }, before: lands })
    const [post] = await job.post()
    expect(post?.exitCode).toBe(1)
    expect(post && errorsOf(post)[0]?.message).toContain(`"${database}" is deleted again`)
    expect(await stage.liveHash(database)).toBeUndefined()
  } finally {
    await end()
  }
})

describe('a wrong input is one error that says what to do', () => {
  const opened = (more: PreviewOptions = {}) => ({ workflow: newPullRequest().run('opened'), ...more })
  test.concurrent.each<[string, () => PreviewOptions, RegExp]>([
    ['no module', () => opened(), /Say which module the preview is to show/],
    [
      'a seed of rows',
      () =>
        opened({
          module: 'counter',
          files: { 'seed.yml': 'seed:\n  - copy: all\n' },
          inputs: { seed: 'seed.yml' }
        }),
      /seed\.yml:2:\d+: A preview is filled by/
    ]
  ])('%s', async (_name, options, says) => {
    const { main, post } = await wholePreview(options())
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(errorsOf(main)).toEqual([
      expect.objectContaining({ title: 'preview: wrong configuration', message: expect.stringMatching(says) })
    ])
    expect(post).toMatchObject({ exitCode: 0, annotations: [] })
  })
})
