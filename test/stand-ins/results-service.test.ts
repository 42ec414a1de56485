import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { type Ran, startActionsClients } from './actions-clients.ts'
import type { JobChoice } from './results-job.ts'
import {
  cacheWriteDenied,
  quotaExceeded,
  type ResultsService,
  startResultsService,
  unavailable
} from './results-service.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

const clients = await startActionsClients()
let service: ResultsService
let folder: string

beforeEach(async () => {
  service = await startResultsService()
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'results-')))
  mkdirSync(join(folder, 'temp'))
})

afterAll(() => clients.close())

afterEach(async () => {
  await service.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs code that has the clients `cache` and `artifact`, in a job. */
function inJob(code: string, choice: JobChoice = {}): Promise<Ran> {
  const variables = { RUNNER_TEMP: join(folder, 'temp'), GITHUB_WORKSPACE: folder }
  return clients.run(code, folder, { ...service.environmentOf(choice), ...variables })
}

const read = (path: string) => readFileSync(join(folder, path), 'utf8')

describe('caches, by @actions/cache', () => {
  const save = (key: string, choice?: JobChoice) => inJob(`return await cache.saveCache(['deps'], '${key}')`, choice)
  const restore = (keys: string, choice?: JobChoice) =>
    inJob(`return await cache.restoreCache(['deps'], ${keys})`, choice)

  beforeEach(() => {
    mkdirSync(join(folder, 'deps'))
    writeFileSync(join(folder, 'deps/file'), 'saved')
  })

  test('what one job saved another one gets back', async () => {
    expect((await save('linux-1')).answer).toBe(service.caches[0]?.id)
    rmSync(join(folder, 'deps'), { recursive: true })
    expect((await restore(`'linux-1'`, { job: 'job-2' })).answer).toBe('linux-1')
    expect(read('deps/file')).toBe('saved')
  })

  test('a restore key finds the newest that begins with it, and nothing is found for others', async () => {
    await save('linux-1')
    await save('linux-2')
    expect((await restore(`'linux-3', ['linux-']`)).answer).toBe('linux-2')
    expect((await restore(`'linux-3', ['macos-']`)).answer).toBeNull()
  })

  test('a key is saved once', async () => {
    await save('linux-1')
    const again = await save('linux-1')
    expect(again.answer).toBe(-1)
    expect(again.log).toContain('another job may be creating this cache')
    expect(service.caches).toHaveLength(1)
  })

  test('a branch reads those of main but not of another branch, and writes its own', async () => {
    await save('linux-main')
    await save('linux-other', { ref: 'refs/heads/other' })
    const branch = { ref: 'refs/pull/1/merge' }
    expect((await restore(`'linux-x', ['linux-']`, branch)).answer).toBe('linux-main')
    await save('linux-branch', branch)
    expect((await restore(`'linux-x', ['linux-']`, branch)).answer).toBe('linux-branch')
    expect((await restore(`'linux-x', ['linux-']`)).answer).toBe('linux-main')
  })

  test('a token that may only read saves nothing, one without scopes reads nothing', async () => {
    const saved = await save('linux-1', { cache: 'read' })
    expect(saved.answer).toBe(-1)
    expect(saved.log).toContain('::warning::Failed to save: Unable to reserve cache with key linux-1')
    expect(saved.log).toContain('cache write denied:')
    const restored = await restore(`'linux-1'`, { cache: 'none' })
    expect(restored.answer).toBeNull()
    expect(restored.log).toContain('cache read denied:')
  })

  test('large ones come back whole', async () => {
    const bytes = randomBytes(9 << 20)
    writeFileSync(join(folder, 'deps/large'), bytes)
    await save('large')
    rmSync(join(folder, 'deps'), { recursive: true })
    expect((await restore(`'large'`)).answer).toBe('large')
    expect(readFileSync(join(folder, 'deps/large')).equals(bytes)).toBe(true)
  })

  test('faults: refused, a moment of trouble, other bytes', async () => {
    service.faults.push({ ...cacheWriteDenied, times: 1 }, unavailable('GetCacheEntryDownloadURL', 1))
    expect((await save('linux-1')).answer).toBe(-1)
    expect((await save('linux-1')).answer).toBeGreaterThan(0)
    service.faults.push({ on: 'download', kind: 'corrupt', times: 1 })
    const broken = await restore(`'linux-1'`)
    expect(broken.answer).toBeNull()
    expect(broken.log).toContain('Retrying request')
    expect(broken.log).toContain('::warning::Failed to restore')
    expect((await restore(`'linux-1'`)).answer).toBe('linux-1')
  })
})

describe('artifacts, by @actions/artifact', () => {
  const upload = (name: string, choice?: JobChoice) =>
    inJob(`return await artifact.uploadArtifact('${name}', ['module.wasm'], '.')`, choice)
  const download = (name: string, choice?: JobChoice) =>
    inJob(
      `const { artifact: { id, digest } } = await artifact.getArtifact('${name}')
       return await artifact.downloadArtifact(id, { path: 'got', expectedHash: digest })`,
      choice
    )

  beforeEach(() => writeFileSync(join(folder, 'module.wasm'), 'module'))

  test('what one job uploaded another one of the same run gets', async () => {
    const { answer } = await upload('module')
    const [stored] = service.artifacts
    expect(answer).toEqual({ id: stored?.id, size: stored?.size, digest: stored?.digest.slice('sha256:'.length) })
    expect((await inJob('return await artifact.listArtifacts()', { job: 'job-2' })).answer).toMatchObject({
      artifacts: [{ name: 'module', id: stored?.id, digest: stored?.digest }]
    })
    expect((await download('module', { job: 'job-2' })).answer).toMatchObject({ digestMismatch: false })
    expect(read('got/module.wasm')).toBe('module')
  })

  test('another run sees none of it', async () => {
    await upload('module')
    expect((await download('module', { run: 'run-2' })).answer).toMatchObject({
      error: expect.stringContaining('Artifact not found')
    })
    expect((await upload('module', { run: 'run-2' })).answer).toMatchObject({ size: expect.any(Number) })
  })

  test('a name is taken once in a run, until it is deleted', async () => {
    await upload('module')
    expect((await upload('module', { job: 'job-2' })).answer).toMatchObject({
      error: expect.stringContaining('an artifact with this name already exists')
    })
    await inJob(`await artifact.deleteArtifact('module')`)
    expect((await upload('module', { job: 'job-2' })).answer).toMatchObject({ size: expect.any(Number) })
  })

  test('large ones are put in blocks', async () => {
    const bytes = randomBytes(20 << 20)
    writeFileSync(join(folder, 'module.wasm'), bytes)
    await upload('module')
    expect(service.requests.filter(({ operation }) => operation === 'upload').length).toBeGreaterThan(2)
    await download('module')
    expect(readFileSync(join(folder, 'got/module.wasm')).equals(bytes)).toBe(true)
  })

  test('faults: no more space, a moment of trouble', async () => {
    service.faults.push({ ...quotaExceeded, times: 1 }, unavailable('CreateArtifact', 1))
    expect((await upload('module')).answer).toMatchObject({ error: expect.stringContaining('quota has been hit') })
    const second = await upload('module')
    expect(second.log).toContain('Retrying request')
    expect(second.answer).toMatchObject({ size: expect.any(Number) })
  })
})

test('a token or a signature of somebody else is refused', async () => {
  const call = (token: string) =>
    fetch(`${service.url}twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: '{}'
    })
  expect((await call('made up')).status).toBe(401)
  expect((await call(service.environment.ACTIONS_RUNTIME_TOKEN ?? '')).status).toBe(200)
  expect((await fetch(`${service.url}account/blobs/artifact-1001?sig=made-up`)).status).toBe(403)
  expect((await fetch(`${service.url}elsewhere`)).status).toBe(404)
})
