import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { startActionsClients } from '../actions-clients.ts'
import { rateLimitFault } from '../internet-fault.ts'
import { type ResultsService, startResultsService } from '../results-service.ts'
import { type GitHubApi, startGitHubApi } from './api.ts'
import type { Permissions } from './state.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

const clients = await startActionsClients()
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'github-')))
let results: ResultsService
let api: GitHubApi

beforeEach(async () => {
  results = await startResultsService()
  api = await startGitHubApi(results)
  writeFileSync(join(folder, 'module.wasm'), 'module')
})

afterEach(() => Promise.all([api.close(), results.close()]))

afterAll(async () => {
  await clients.close()
  rmSync(folder, { recursive: true, force: true })
})

async function get(path: string, token?: string) {
  const headers = { 'user-agent': 'test', ...(token && { authorization: `Bearer ${token}` }) }
  const answer = await fetch(`${api.url}${path}`, { headers, redirect: 'manual' })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** A run that uploads a file as an artifact of that name, by the real client. */
async function uploadIn(run: number, name: string, choice: { branch?: string; headRepositoryId?: number } = {}) {
  api.state.runs.push({ id: run, ...choice })
  const code = `return await artifact.uploadArtifact('${name}', ['module.wasm'], '.')`
  const { answer } = await clients.run(code, folder, {
    ...results.environmentOf({ run: `run-${run}` }),
    GITHUB_WORKSPACE: folder
  })
  return answer as { id: number; digest: string }
}

const token = (permissions?: Permissions) => api.issueToken(permissions)
const artifacts = '/repos/octocat/game/actions/artifacts'

describe('artifacts of all runs', () => {
  test('are listed newest first, with the run that each is of', async () => {
    const first = await uploadIn(1, 'module')
    await uploadIn(2, 'other')
    const second = await uploadIn(3, 'module', { branch: 'fix', headRepositoryId: 9 })
    const { status, body } = await get(`${artifacts}?name=module&per_page=100`, token())
    expect(status).toBe(200)
    expect(body.total_count).toBe(2)
    expect(body.artifacts).toMatchObject([
      { id: second.id, workflow_run: { id: 3, head_branch: 'fix', repository_id: 1296269, head_repository_id: 9 } },
      {
        id: first.id,
        name: 'module',
        expired: false,
        digest: `sha256:${first.digest}`,
        workflow_run: { id: 1, head_branch: 'main', head_repository_id: 1296269 }
      }
    ])
    expect(api.unexpected).toEqual([])
  })

  test('come in pages', async () => {
    for (const run of [1, 2, 3]) await uploadIn(run, 'module')
    const { headers, body } = await get(`${artifacts}?per_page=2`, token())
    expect(body.artifacts).toHaveLength(2)
    expect(headers.get('link')).toContain(`<${api.url}${artifacts}?per_page=2&page=2>; rel="next"`)
    expect((await get(`${artifacts}?per_page=2&page=2`, token())).body.artifacts).toHaveLength(1)
  })

  test('are downloaded by another run, with the real client', async () => {
    const { id, digest } = await uploadIn(1, 'module')
    const findBy = { token: token(), workflowRunId: 1, repositoryOwner: 'octocat', repositoryName: 'game' }
    const ofApi = await startActionsClients({ GITHUB_API_URL: api.url })
    const { answer } = await ofApi.run(
      `const findBy = ${JSON.stringify(findBy)}
       const found = await artifact.getArtifact('module', { findBy })
       const got = await artifact.downloadArtifact(found.artifact.id, { path: 'got', expectedHash: 'sha256:${digest}', findBy })
       return { id: found.artifact.id, ...got }`,
      folder,
      { ...results.environmentOf({ run: 'run-2' }), GITHUB_WORKSPACE: folder }
    )
    await ofApi.close()
    expect(answer).toMatchObject({ id, digestMismatch: false })
    expect(readFileSync(join(folder, 'got/module.wasm'), 'utf8')).toBe('module')
    expect(api.unexpected).toEqual([])
  })

  test('are gone when they have expired, but still listed', async () => {
    const { id } = await uploadIn(1, 'module')
    for (const artifact of results.artifacts) artifact.expiresAt = new Date(0)
    expect((await get(artifacts, token())).body.artifacts).toMatchObject([{ id, expired: true }])
    expect((await get(`${artifacts}/${id}/zip`, token())).status).toBe(410)
  })
})

test('the repository and its runs are shown', async () => {
  api.state.runs.push({ id: 7, sha: 'a'.repeat(40), conclusion: 'success' })
  expect((await get('/repos/octocat/game', token({}))).body).toMatchObject({
    id: 1296269,
    default_branch: 'main',
    private: true
  })
  expect((await get('/repos/octocat/game/actions/runs/7', token())).body).toMatchObject({
    head_sha: 'a'.repeat(40),
    status: 'completed',
    conclusion: 'success'
  })
  expect((await get('/repos/octocat/game/actions/runs/8', token())).status).toBe(404)
})

describe('who may not', () => {
  const denied: [title: string, tokenOf: () => string | undefined, status: number, message: string][] = [
    ['a token without actions: read', () => token({ contents: 'read' }), 403, 'Resource not accessible by integration'],
    ['a token that is none', () => 'ghs_made_up', 401, 'Bad credentials'],
    ['nobody, where the repository is private', () => undefined, 404, 'Not Found']
  ]

  test.each(denied)('%s', async (_, tokenOf, status, message) => {
    expect(await get(artifacts, tokenOf())).toMatchObject({ status, body: { message } })
  })

  test('another repository is not there', async () => {
    expect((await get('/repos/octocat/other/actions/artifacts', token())).status).toBe(404)
  })

  test('nobody downloads without a token, a public repository either', async () => {
    const open = await startGitHubApi(results, { isPrivate: false })
    try {
      const ask = (path: string) => fetch(`${open.url}${path}`, { headers: { 'user-agent': 'test' } })
      expect((await ask(artifacts)).status).toBe(200)
      expect((await ask(`${artifacts}/1/zip`)).status).toBe(401)
    } finally {
      await open.close()
    }
  })
})

test('faults, and what should not have been asked, are told', async () => {
  api.faults.push({ path: /artifacts/, times: 1, fault: rateLimitFault(1_800_000_000) })
  expect((await get(artifacts, token())).headers.get('x-ratelimit-remaining')).toBe('0')
  expect((await get(artifacts, token())).headers.get('x-ratelimit-remaining')).toBe('4999')
  expect((await get(`${artifacts}?nam=module`, token())).status).toBe(200)
  expect((await get('/repos/octocat/game/actions/artefacts', token())).status).toBe(404)
  expect(api.unexpected).toEqual([
    `GET ${artifacts}?nam=module: it has no parameter nam`,
    'GET /repos/octocat/game/actions/artefacts: there is no such route'
  ])
  api.unexpected.length = 0
  expect(api.requests.map(({ status }) => status)).toEqual([403, 200, 200, 404])
})
