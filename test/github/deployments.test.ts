import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Clock } from '../../src/clock.ts'
import { gitHubApi } from '../../src/github/api.ts'
import { type DeploymentRequest, gitHubDeployments } from '../../src/github/deployments.ts'
import { type GitHubApi, type GitHubRule, startGitHubApi } from '../stand-ins/github/api.ts'
import type { Permissions } from '../stand-ins/github/state.ts'

let server: GitHubApi
/** The waits that were asked for, in milliseconds. */
let waits: number[]

beforeEach(async () => {
  server = await startGitHubApi()
  waits = []
})

afterEach(() => server.close())

const repository = 'octocat/game'
const clock: Clock = {
  now: Date.now,
  random: () => 0,
  sleep: async (milliseconds) => {
    waits.push(milliseconds)
  }
}

function deployments(permissions: Permissions = { deployments: 'write' }, task = 'stdb-actions') {
  const patience = { attempts: 2, firstDelay: 1, longestDelay: 1, total: 5_000 }
  const token = server.issueToken(permissions)
  const api = gitHubApi({ url: server.url, token, version: '0', clock, timeout: 500, patience })
  return gitHubDeployments({ api, repository, task, clock })
}

const usual: DeploymentRequest = {
  ref: 'main',
  environment: 'my-game',
  description: 'deploy',
  payload: { what: 'a release' },
  isTransient: false
}

/** The id of a deployment that is made. Throws when it is not. */
async function made(more: Partial<DeploymentRequest> = {}): Promise<number> {
  const answer = await deployments().create({ ...usual, ...more })
  if (answer.kind !== 'ok') throw new Error(answer.reason)
  return answer.value.id
}

const posts = (suffix: RegExp): Pick<GitHubRule, 'on'> => ({
  on: (request) => request.method === 'POST' && suffix.test(request.path)
})
const creation = posts(/deployments$/)
const status = posts(/statuses$/)
const answering = (status: number, message: string, headers: Record<string, string> = {}): GitHubRule['fault'] => ({
  kind: 'answer',
  status,
  body: JSON.stringify({ message }),
  headers
})
const states = () => server.state.deployments.map(({ statuses }) => statuses.map(({ state }) => state))

describe('a deployment', () => {
  test('is made without asking GitHub to check or merge anything, and read back', async () => {
    const id = await made({ isTransient: true })
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({ auto_merge: false, required_contexts: [] })
    const payload = { what: 'a release', key: expect.any(String) }
    expect(server.state.deployments).toMatchObject([{ id, task: 'stdb-actions', isTransient: true, payload }])
    expect(await deployments().get(id)).toEqual({
      kind: 'ok',
      value: { id, environment: 'my-game', payload, created: expect.any(Number), creator: 'github-actions[bot]' }
    })
  })

  test('of an unknown commit is refused, once', async () => {
    const refused = await deployments().create({ ...usual, ref: 'f'.repeat(40) })
    expect(refused).toMatchObject({ kind: 'unexpected', status: 422, reason: expect.stringContaining('No ref found') })
    expect(server.requests).toHaveLength(1)
  })

  test('is listed without those of other tools and environments, page by page, the newest first', async () => {
    await made()
    const [first] = server.state.deployments
    if (first === undefined) throw new Error('nothing was made')
    for (let count = 1; count < 120; count += 1) server.state.deployments.push({ ...first, id: server.state.newId() })
    const ids = server.state.deployments.map(({ id }) => id)
    await made({ environment: 'other' })
    await deployments({ deployments: 'write' }, 'deploy').create(usual)
    const pages: number[][] = []
    for await (const page of deployments().list('my-game')) {
      if (page.kind === 'ok') pages.push(page.value.map(({ id }) => id))
    }
    expect(pages.map((page) => page.length)).toEqual([100, 20])
    expect(pages.flat()).toEqual(ids.toReversed())
  })

  test('is listed with those of all environments', async () => {
    await made()
    await made({ environment: 'other' })
    await deployments({ deployments: 'write' }, 'deploy').create(usual)
    const environments: string[] = []
    for await (const page of deployments().list()) {
      if (page.kind === 'ok') environments.push(...page.value.map(({ environment }) => environment))
    }
    expect(environments).toEqual(['other', 'my-game'])
  })

  test.each<[payload: unknown, read: unknown]>([
    ['{"a":1}', { a: 1 }],
    ['{"a":', '{"a":'],
    ['null', null],
    [{ hash: 1 }, { hash: 1 }]
  ])('has whatever payload another has given it: %j', async (payload, read) => {
    await made()
    const [first] = server.state.deployments
    server.state.deployments.splice(0, 1, { ...first, payload } as never)
    for await (const page of deployments().list('my-game')) {
      expect(page).toMatchObject({ kind: 'ok', value: [{ payload: read }] })
    }
  })
})

describe('statuses', () => {
  test('come newest first, and leave other deployments alone', async () => {
    const [other, id] = [await made(), await made()]
    const all = deployments()
    await all.addStatus(other, { state: 'success', description: 'updated' })
    await all.addStatus(id, { state: 'in_progress', logUrl: 'https://example.org/run' })
    await all.addStatus(id, { state: 'success', environmentUrl: 'http://127.0.0.1:3000/v1/database/my-game' })
    expect(await all.statuses(id)).toMatchObject({
      kind: 'ok',
      value: [
        { state: 'success', description: '' },
        { state: 'in_progress', logUrl: 'https://example.org/run' }
      ]
    })
    expect(states()).toEqual([['success'], ['in_progress', 'success']])
  })

  test('of more than one page', async () => {
    const id = await made()
    await deployments().addStatus(id, { state: 'inactive' })
    const [kept] = server.state.deployments
    const [status] = kept?.statuses ?? []
    if (status === undefined) throw new Error('nothing was added')
    for (let count = 1; count < 101; count += 1) kept?.statuses.push({ ...status, id: server.state.newId() })
    const answer = await deployments().statuses(id)
    expect(answer.kind === 'ok' && answer.value.length).toBe(101)
  })
})

describe('what may not be done says what the job needs', () => {
  test.each<[title: string, permissions: Permissions, needs: RegExp]>([
    ['writing with a token that reads', { deployments: 'read' }, /permissions: deployments: write/],
    ['writing with one that may neither', { contents: 'read' }, /permissions: deployments: write/]
  ])('%s', async (_, permissions, needs) => {
    const refused = { kind: 'forbidden', reason: expect.stringMatching(needs) }
    const id = await made()
    expect(await deployments(permissions).create(usual)).toMatchObject(refused)
    expect(await deployments(permissions).addStatus(id, { state: 'success' })).toMatchObject(refused)
    expect(states()).toEqual([[]])
  })

  test('reading without permission', async () => {
    const refused = { kind: 'forbidden', reason: expect.stringMatching(/permissions: deployments: read/) }
    const id = await made()
    const all = deployments({ contents: 'read' })
    expect(await all.get(id)).toMatchObject(refused)
    expect(await all.statuses(id)).toMatchObject(refused)
    for await (const page of all.list('my-game')) expect(page).toMatchObject(refused)
  })
})

describe('an answer that is lost', () => {
  const lost: [title: string, fault: GitHubRule['fault'], isCarriedOut: boolean][] = [
    ['by a reset, before', { kind: 'reset-before' }, false],
    ['by a reset, after', { kind: 'reset-after' }, true],
    ['by a server that hangs', { kind: 'hang' }, true],
    ['half way', { kind: 'cut' }, true],
    ['to a proxy that has failed', answering(502, 'Bad Gateway'), false],
    ['to something that is no JSON', { kind: 'answer', status: 201, body: '<html>', headers: {} }, false]
  ]

  test.each(lost)('%s: a deployment is made once', async (_, fault, isCarriedOut) => {
    server.faults.push({ ...creation, times: 1, fault })
    const id = await made()
    expect(server.state.deployments).toMatchObject([{ id }])
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(isCarriedOut ? 1 : 2)
    expect(waits).toEqual([1000])
  })

  test.each(lost)('%s: a status is added once', async (_, fault) => {
    const id = await made()
    server.faults.push({ ...status, times: 1, fault })
    const added = await deployments().addStatus(id, { state: 'success', description: 'updated' })
    expect(added).toEqual({ kind: 'ok', value: undefined })
    expect(states()).toEqual([['success']])
  })

  test('an earlier deployment with the same payload is not taken for it', async () => {
    const earlier = await made()
    server.faults.push({ ...creation, times: 1, fault: { kind: 'reset-before' } })
    expect(await made()).not.toBe(earlier)
    expect(server.state.deployments).toHaveLength(2)
  })

  test('again and again is told', async () => {
    server.faults.push({ ...creation, fault: answering(500, 'Server Error') })
    expect(await deployments().create(usual)).toMatchObject({ kind: 'unexpected', status: 500 })
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(3)
  })

  test('is told when nobody can look what became of it, and nothing is made a second time', async () => {
    server.faults.push({ ...creation, fault: { kind: 'reset-after' } })
    server.faults.push({ on: ({ method }) => method === 'GET', fault: answering(403, 'Forbidden') })
    expect(await deployments().create(usual)).toMatchObject({ kind: 'unreachable' })
    expect(server.state.deployments).toHaveLength(1)
  })
})

describe('too many requests', () => {
  const secondary = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'

  test('are waited for as long as GitHub asks', async () => {
    server.faults.push({ ...creation, times: 1, fault: answering(403, secondary, { 'retry-after': '7' }) })
    await made()
    expect(waits).toEqual([7000])
    expect(server.state.deployments).toHaveLength(1)
  })

  test.each<[title: string, headers: Record<string, string>]>([
    ['a minute', { 'retry-after': '60' }],
    ['nothing said', {}],
    ['an hour', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${Math.round(Date.now() / 1000) + 3600}` }]
  ])('are told when it takes longer: %s', async (_, headers) => {
    server.faults.push({ ...creation, fault: answering(403, secondary, headers) })
    expect(await deployments().create(usual)).toMatchObject({
      kind: 'rate-limited',
      reason: expect.stringContaining('no more requests')
    })
    expect(server.requests).toHaveLength(1)
    expect(waits).toEqual([])
  })
})
