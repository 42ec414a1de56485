import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import * as z from 'zod'
import { systemClock } from '../../src/clock.ts'
import { type GitHubApi, gitHubApi } from '../../src/github/api.ts'
import { type GitHubApi as GitHubServer, startGitHubApi } from '../stand-ins/github/api.ts'
import { type InternetFault, rateLimitFault } from '../stand-ins/internet-fault.ts'
import { type ResultsService, startResultsService } from '../stand-ins/results-service.ts'

let results: ResultsService
let server: GitHubServer

beforeEach(async () => {
  results = await startResultsService()
  server = await startGitHubApi(results)
})
afterEach(() => Promise.all([server.close(), results.close()]))

const patience = { attempts: 3, firstDelay: 1, longestDelay: 2, total: 5_000 }
const client = (token: string | undefined = server.issueToken(), url = server.url): GitHubApi =>
  gitHubApi({ url, token, version: '0.0.0', clock: systemClock, timeout: 500, patience })

const shape = z.object({ id: z.int() })
const repository = '/repos/octocat/game'
const needs = { permission: 'actions: read' }
const answering = (status: number, body: unknown, times?: number): void => {
  const fault: InternetFault = { kind: 'answer', status, body: JSON.stringify(body), headers: {} }
  server.faults.push({ fault, ...(times && { times }) })
}

test('an answer, of the shape that is asked for', async () => {
  expect(await client().get(repository, shape)).toEqual({ kind: 'ok', value: { id: 1296269 } })
  expect(server.unexpected).toEqual([])
})

test('all pages, one request for each', async () => {
  const page = z.object({ total_count: z.int() })
  const pages = []
  for await (const answer of client().pages(`${repository}/actions/artifacts?per_page=1`, page)) pages.push(answer)
  expect(pages).toEqual([{ kind: 'ok', value: { total_count: 0 } }])
})

test('the token is not sent to another server for the next page', async () => {
  const link = '<https://example.org/next>; rel="next"'
  server.faults.push({ fault: { kind: 'answer', status: 200, body: '{"id":1}', headers: { link } } })
  const pages = []
  for await (const answer of client().pages(repository, shape)) pages.push(answer)
  expect(pages).toEqual([{ kind: 'ok', value: { id: 1 } }])
})

test('a file, from where the API sends for it, and never more of it than is wanted', async () => {
  const bytes = Buffer.from('the bytes of a module')
  const [asset] = server.state.addRelease('v1', { 'game.wasm': bytes }).assets
  const path = `${repository}/releases/assets/${asset?.id}`
  const answer = await client().bytes(path, bytes.length)
  expect(answer).toMatchObject({ kind: 'ok' })
  expect(Buffer.from(answer.kind === 'ok' ? answer.value : [])).toEqual(bytes)
  expect(await client().bytes(path, 5)).toMatchObject({
    kind: 'unexpected',
    reason: expect.stringMatching(/more than 5/)
  })
  const missing = await client().bytes(`${repository}/releases/assets/1`, 5, { permission: 'contents: read' })
  expect(missing).toMatchObject({ kind: 'not-found', reason: expect.stringContaining('contents: read') })
})

describe('what goes wrong is told, with what to do', () => {
  test.each<[string, () => void, string, RegExp]>([
    ['a token that is not known', () => answering(401, { message: 'Bad credentials' }), 'forbidden', /`github-token`/],
    [
      'no permission',
      () => answering(403, { message: 'Resource not accessible by integration' }),
      'forbidden',
      /refused \/repos\/octocat\/game: Resource not accessible by integration\..*`permissions: actions: read`/
    ],
    [
      'nothing there',
      () => answering(404, { message: 'Not Found' }),
      'not-found',
      /no \/repos\/octocat\/game.*actions: read/
    ],
    [
      'too many requests',
      () => server.faults.push({ fault: rateLimitFault(1_900_000_000) }),
      'rate-limited',
      /rate limit\); it does again at 2030-03-17T17:46:40\.000Z, in \d+ min/
    ],
    ['another shape', () => answering(200, { id: 'x' }), 'unexpected', /unknown shape: id/],
    ['no JSON', () => answering(200, '<html>'), 'unexpected', /unknown shape/],
    ['trouble of its own', () => answering(502, {}), 'unexpected', /answered 502/],
    ['no answer', () => server.faults.push({ fault: { kind: 'hang' } }), 'unreachable', /could not be asked.*0\.5 s/],
    [
      'no connection',
      () => server.faults.push({ fault: { kind: 'reset-before' } }),
      'unreachable',
      /could not be asked/
    ]
  ])('%s', async (_, fault, kind, reason) => {
    fault()
    const answer = await client().get(repository, shape, needs)
    expect(answer.kind).toBe(kind)
    expect(answer).toMatchObject({ reason: expect.stringMatching(reason) })
  })
})

test('trouble that passes is not noticed', async () => {
  answering(503, {}, 2)
  expect(await client().get(repository, shape)).toEqual({ kind: 'ok', value: { id: 1296269 } })
  expect(server.requests.map(({ status }) => status)).toEqual([503, 503, 200])
})

test('a refusal is not asked for again', async () => {
  answering(403, { message: 'no' })
  await client().get(repository, shape)
  expect(server.requests).toHaveLength(1)
})

test('no token is sent where there is none', async () => {
  await client('').get(repository, shape)
  expect(server.requests[0]?.authorization).toBeUndefined()
})
