import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type GitHubApi, startGitHubApi } from './api.ts'
import { initialCommit } from './state.ts'

let api: GitHubApi

beforeEach(async () => {
  api = await startGitHubApi()
})

afterEach(() => api.close())

const deployments = '/repos/octocat/game/deployments'
const usual = { ref: 'main', environment: 'staging', auto_merge: false, required_contexts: [] }

async function ask(method: string, path: string, body?: unknown, permissions = { deployments: 'write' } as const) {
  const headers = { 'user-agent': 'test', authorization: `Bearer ${api.issueToken(permissions)}` }
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const answer = await fetch(`${api.url}${path}`, { method, headers, ...sent })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}

const create = async (choice: object = {}) => (await ask('POST', deployments, { ...usual, ...choice })).body
const end = (id: number, state: string, more: object = {}) =>
  ask('POST', `${deployments}/${id}/statuses`, { state, ...more })
const statesOf = async (id: number) =>
  (await ask('GET', `${deployments}/${id}/statuses`)).body.map(({ state }: { state: string }) => state)

describe('a deployment', () => {
  test('is made, shown and listed', async () => {
    const payload = { hash: 'a'.repeat(64), nested: { list: [1, null] } }
    const made = await ask('POST', deployments, { ...usual, task: 'stdb-actions', payload, description: 'one' })
    expect(made).toMatchObject({
      status: 201,
      body: {
        sha: initialCommit,
        ref: 'main',
        payload,
        environment: 'staging',
        task: 'stdb-actions',
        creator: { login: 'github-actions[bot]', type: 'Bot' },
        production_environment: false
      }
    })
    expect((await ask('GET', `${deployments}/${made.body.id}`)).body).toEqual(made.body)
    expect((await ask('GET', deployments)).body).toEqual([made.body])
  })

  test('of a commit that is not there is refused', async () => {
    const refused = await ask('POST', deployments, { ...usual, ref: 'f'.repeat(40) })
    expect(refused).toMatchObject({ status: 422, body: { message: `No ref found for: ${'f'.repeat(40)}` } })
    api.state.commits.add('f'.repeat(40))
    expect(await create({ ref: 'f'.repeat(40) })).toMatchObject({ sha: 'f'.repeat(40) })
  })

  test('is merged or refused where that is not forbidden', async () => {
    const sha = 'e'.repeat(40)
    api.state.runs.push({ id: 7, branch: 'fix', sha })
    expect(await ask('POST', deployments, { ...usual, ref: 'fix', auto_merge: true })).toMatchObject({ status: 202 })
    const { required_contexts: _, ...unsaid } = usual
    expect(await ask('POST', deployments, { ...unsaid, ref: sha })).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('Commit status checks failed') }
    })
    expect(api.state.deployments).toEqual([])
  })

  test('is found by what it is of, the newest first, in pages', async () => {
    const ids: number[] = []
    for (const environment of ['staging', 'production', 'staging', 'staging']) {
      ids.push((await create({ environment })).id)
    }
    const first = await ask('GET', `${deployments}?environment=staging&per_page=2`)
    expect(first.body.map(({ id }: { id: number }) => id)).toEqual([ids[3], ids[2]])
    expect(first.headers.get('link')).toContain('page=2>; rel="next"')
    const second = await ask('GET', `${deployments}?environment=staging&per_page=2&page=2`)
    expect(second.body.map(({ id }: { id: number }) => id)).toEqual([ids[0]])
    expect((await ask('GET', `${deployments}?task=other`)).body).toEqual([])
  })

  test('is removed when it is not in use', async () => {
    const [one, other] = [await create(), await create()]
    expect(await ask('DELETE', `${deployments}/${one.id}`)).toMatchObject({ status: 422 })
    await end(one.id, 'inactive')
    expect(await ask('DELETE', `${deployments}/${one.id}`)).toMatchObject({ status: 204, body: undefined })
    expect(api.state.deployments.map(({ id }) => id)).toEqual([other.id])
  })
})

describe('its statuses', () => {
  test('come newest first', async () => {
    const { id } = await create()
    await end(id, 'in_progress', { log_url: 'https://example.com/run', environment_url: 'http://127.0.0.1:3000/v1' })
    await end(id, 'success', { description: 'updated, checked' })
    expect((await ask('GET', `${deployments}/${id}/statuses`)).body).toMatchObject([
      { state: 'success', description: 'updated, checked' },
      { state: 'in_progress', log_url: 'https://example.com/run', environment_url: 'http://127.0.0.1:3000/v1' }
    ])
  })

  test('make earlier ones inactive, unless told not to', async () => {
    const [first, second, third] = [await create(), await create(), await create({ environment: 'production' })]
    for (const { id } of [first, third]) await end(id, 'success')
    await end(second.id, 'success', { auto_inactive: false })
    expect(await statesOf(first.id)).toEqual(['success'])
    await end(second.id, 'success')
    expect(await statesOf(first.id)).toEqual(['inactive', 'success'])
    expect(await statesOf(third.id)).toEqual(['success'])
  })

  test('have a short description', async () => {
    const { id } = await create()
    expect(await end(id, 'success', { description: 'x'.repeat(141) })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'description' }] }
    })
    expect(await end(9, 'success')).toMatchObject({ status: 404 })
  })
})

test('a token needs the permission', async () => {
  const permissions = { deployments: 'read' } as never
  expect(await ask('GET', deployments, undefined, permissions)).toMatchObject({ status: 200 })
  expect(await ask('POST', deployments, usual, permissions)).toMatchObject({
    status: 403,
    body: { message: 'Resource not accessible by integration' }
  })
  expect(await ask('GET', deployments, undefined, {} as never)).toMatchObject({ status: 403 })
})

test('no more is written in a minute than GitHub takes', async () => {
  api.mostWrites = 2
  const token = api.issueToken({ deployments: 'write' })
  const headers = { 'user-agent': 'test', authorization: `Bearer ${token}` }
  const write = () => fetch(`${api.url}${deployments}`, { method: 'POST', headers, body: JSON.stringify(usual) })
  const answers = [await write(), await write(), await write()]
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 403])
  expect(answers[2]?.headers.get('retry-after')).toBe('60')
  expect((await fetch(`${api.url}${deployments}`, { headers })).status).toBe(200)
})

test('what is lost on the way was carried out or not, as the fault says', async () => {
  api.faults.push({ path: /deployments$/, times: 1, fault: { kind: 'reset-after' } })
  await expect(create()).rejects.toThrow()
  expect(api.state.deployments).toHaveLength(1)
  api.faults.push({ path: /deployments$/, times: 1, fault: { kind: 'reset-before' } })
  await expect(create()).rejects.toThrow()
  expect(api.state.deployments).toHaveLength(1)
})

describe('a request that GitHub does not describe', () => {
  test.each<[string, string, string, unknown, number, string]>([
    ['a body of another type', 'POST', '', { ...usual, ref: 7 }, 422, 'its body /ref must be string'],
    ['a body without what is needed', 'POST', '', {}, 422, "its body must have required property 'ref'"],
    ['a field that is unknown', 'POST', '', { ...usual, automerge: false }, 422, 'its body has no property automerge'],
    ['no JSON', 'POST', '', '{', 400, 'its body is no JSON'],
    ['no body', 'POST', '', undefined, 400, 'it has no body'],
    ['another method', 'PUT', '', usual, 404, 'there is no such route'],
    ['a number that is none', 'GET', '/one', undefined, 404, 'deployment_id in its path /value must be integer'],
    ['a parameter of another type', 'GET', '?page=first', undefined, 200, 'page in its query /value must be integer']
  ])('%s', async (_, method, path, body, status, problem) => {
    expect(await ask(method, `${deployments}${path}`, body)).toMatchObject({ status })
    expect(api.unexpected).toEqual([`${method} ${deployments}${path}: ${problem}`])
    await expect(api.close()).rejects.toThrow(problem)
    api = await startGitHubApi()
  })
})
