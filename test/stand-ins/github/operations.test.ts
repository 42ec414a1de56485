import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { startActionsClients } from '../actions-clients.ts'
import { type ResultsService, startResultsService } from '../results-service.ts'
import { type GitHubApi, startGitHubApi } from './api.ts'
import { operationIds, readRequest } from './description.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

let results: ResultsService
let api: GitHubApi
let token = ''
const asked = new Set<string>()

beforeAll(async () => {
  results = await startResultsService()
  api = await startGitHubApi(results)
  const all = ['actions', 'administration', 'contents', 'deployments', 'pull-requests'] as const
  token = api.issueToken(Object.fromEntries(all.map((each) => [each, 'write'])))
})

afterAll(() => Promise.all([api.close(), results.close()]))

/** Each answer is compared with its description by the stand-in itself. */
async function ask(method: string, path: string, status: number, body?: unknown, accept = 'application/json') {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const headers = { 'user-agent': 'test', accept, authorization: `Bearer ${token}` }
  const whole = `/repos/octocat/game${path}`
  const answer = await fetch(`${api.url}${whole}`, { method, headers, redirect: 'manual', ...sent })
  expect(answer.status).toBe(status)
  expect(api.unexpected).toEqual([])
  asked.add(readRequest(method, whole, Buffer.from(sent.body ?? ''))?.operation.id ?? '')
  const text = await answer.text()
  return text === '' ? { location: answer.headers.get('location') } : JSON.parse(text)
}

async function uploadIn(run: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'operations-'))
  const clients = await startActionsClients()
  writeFileSync(join(folder, 'file'), 'text')
  const environment = { ...results.environmentOf({ run: `run-${run}` }), GITHUB_WORKSPACE: folder }
  const code = `return await artifact.uploadArtifact('file', ['file'], '.')`
  const { answer } = await clients.run(code, folder, environment)
  await clients.close()
  rmSync(folder, { recursive: true })
  return (answer as { id: number }).id
}

test('all that is described is answered, as it is described', async () => {
  await ask('GET', '', 200)
  api.state.runs.push({ id: 7, conclusion: 'success' })
  const artifact = await uploadIn(7)
  await ask('GET', '/actions/runs/7', 200)
  await ask('GET', '/actions/artifacts', 200)
  await ask('GET', '/actions/runs/7/artifacts', 200)
  await ask('GET', `/actions/artifacts/${artifact}`, 200)
  await ask('GET', `/actions/artifacts/${artifact}/zip`, 302)

  api.state.pullRequests.push({ number: 3, owner: 'hubot', branch: 'fix', sha: 'c0ffee' })
  expect(await ask('GET', '/pulls?head=hubot:fix', 200)).toMatchObject([{ number: 3, head: { sha: 'c0ffee' } }])
  expect(await ask('GET', '/pulls?state=closed', 200)).toEqual([])
  expect(await ask('GET', '/pulls/3', 200)).toMatchObject({ state: 'open', closed_at: null })
  const comment = await ask('POST', '/issues/3/comments', 201, { body: 'hello' })
  await ask('GET', '/issues/3/comments', 200)
  await ask('PATCH', `/issues/comments/${comment.id}`, 200, { body: 'hello again' })
  expect(await ask('GET', `/issues/comments/${comment.id}`, 200)).toMatchObject({ body: 'hello again' })
  await ask('DELETE', `/issues/comments/${comment.id}`, 204)

  const { id } = await ask('POST', '/deployments', 201, { ref: 'main', required_contexts: [], payload: 'text' })
  await ask('GET', '/deployments', 200)
  expect(await ask('GET', `/deployments/${id}`, 200)).toMatchObject({ environment: 'production', payload: 'text' })
  const status = await ask('POST', `/deployments/${id}/statuses`, 201, { state: 'in_progress' })
  await ask('GET', `/deployments/${id}/statuses`, 200)
  await ask('GET', `/deployments/${id}/statuses/${status.id}`, 200)
  await ask('DELETE', `/deployments/${id}`, 204)

  expect(await ask('GET', '/environments', 200)).toMatchObject({ environments: [{ name: 'production' }] })
  await ask('PUT', '/environments/eu%2Fone', 200, {})
  expect(await ask('GET', '/environments/eu%2Fone', 200)).toMatchObject({ name: 'eu/one' })
  await ask('DELETE', '/environments/eu%2Fone', 204)
  await ask('GET', '/environments/eu%2Fone', 404)

  const release = api.state.addRelease('v1', { 'module.wasm': Buffer.from('bytes') })
  api.state.addRelease('v2', {}, { isDraft: true })
  expect(await ask('GET', '/releases', 200)).toMatchObject([{ tag_name: 'v1' }])
  await ask('GET', '/releases/latest', 200)
  await ask('GET', '/releases/tags/v1', 200)
  await ask('GET', '/releases/tags/v2', 404)
  await ask('GET', `/releases/${release.id}`, 200)
  const [asset] = await ask('GET', `/releases/${release.id}/assets`, 200)
  await ask('GET', `/releases/assets/${asset.id}`, 200)

  expect([...asked].sort()).toEqual([...operationIds].sort())
})

test('the bytes of an asset lie where no token may be sent', async () => {
  const { assets } = api.state.addRelease('v3', { 'module.wasm': Buffer.from('bytes') })
  const { location } = await ask('GET', `/releases/assets/${assets[0]?.id}`, 302, undefined, 'application/octet-stream')
  expect(await (await fetch(location)).text()).toBe('bytes')
  expect((await fetch(location, { headers: { authorization: `Bearer ${token}` } })).status).toBe(400)
  expect(api.unexpected.splice(0)).toEqual([expect.stringMatching(/a token was sent to where files are stored$/)])
})
