import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { startActionsClients } from '../stand-ins/actions-clients.ts'
import { releaseArchive } from '../stand-ins/archives.ts'
import { type ResultsService, startResultsService } from '../stand-ins/results-service.ts'
import { lastingFolder, setUp } from './setup-stage.ts'

jest.setTimeout(120_000)

const { name, digest } = await releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu')
const key = `stdb-actions-2.8.3-${name}-${digest.replace('sha256:', '')}`

let service: ResultsService
/** As on GitHub's machines, where it is the same folder in every job. */
let temporary: ReturnType<typeof lastingFolder>

beforeEach(async () => {
  service = await startResultsService()
  temporary = lastingFolder()
})
afterEach(async () => {
  await service.close()
  temporary.remove()
})

const setUpJob = (job: string, inputs: Readonly<Record<string, string>> = {}) =>
  setUp({
    inputs: { version: '2.8.3', ...inputs },
    env: { ...service.environmentOf({ job }), RUNNER_TEMP: temporary.path }
  })

const downloads = ({ internet }: Awaited<ReturnType<typeof setUp>>) => internet.requestsTo('github.com').length

test('what one job downloaded the next one has from the cache', async () => {
  const first = await setUpJob('one')
  expect(first.main.outputs.source).toBe('github')
  expect(first.post.log).toContain(`Kept for later runs in the cache, as ${key}.`)
  expect(service.caches.map((entry) => entry.key)).toEqual([key])
  const second = await setUpJob('two')
  expect(second.main).toMatchObject({ exitCode: 0, outputs: { version: '2.8.3', source: 'cache' } })
  expect(downloads(second)).toBe(0)
  expect(second.post.log).not.toContain('cache')
})

test('what is in the cache and is another file is not used', async () => {
  const file = join(temporary.path, 'stdb-actions', 'archives', `2.8.3-${name}`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'something else')
  const clients = await startActionsClients()
  const variables = { ...service.environmentOf({ job: 'evil' }), RUNNER_TEMP: temporary.path }
  await clients.run(`return await cache.saveCache(['${file}'], '${key}')`, temporary.path, variables)
  await clients.close()
  expect(service.caches).toHaveLength(1)
  const { main } = await setUpJob('one')
  expect(main).toMatchObject({ exitCode: 1, outputs: {} })
  expect(main.annotations).toMatchObject([{ title: 'setup-spacetimedb: wrong digest' }])
  expect(main.annotations[0]?.message).toMatch(/from the actions cache.*Expected: [0-9a-f]{64}.*Delete the entry/s)
})

test('a cache that is out of order costs time only', async () => {
  const body = { code: 'permission_denied', msg: 'cache read denied' }
  service.faults.push({ on: 'GetCacheEntryDownloadURL', kind: 'answer', status: 403, body })
  const { main } = await setUpJob('one')
  expect(main).toMatchObject({ exitCode: 0, outputs: { source: 'github' } })
})

test('without `cache` none is asked or written', async () => {
  const { main, post } = await setUpJob('one', { cache: 'false' })
  expect(main.outputs.source).toBe('github')
  expect(service.requests).toEqual([])
  expect(post.log).toBe('')
})
