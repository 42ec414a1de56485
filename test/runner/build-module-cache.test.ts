import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { cacheWriteDenied } from '../stand-ins/results-service.ts'
import { type BuildOptions, type Built, cargoLock, type Machine, rustProject, startBuildStage } from './build-stage.ts'
import { hashOf } from './stage.ts'

/** Each test is a job or more, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const stage = await startBuildStage()
const { results } = stage.github
const folder = mkdtempSync(join(tmpdir(), 'caches-'))

afterAll(async () => {
  await stage.close()
  rmSync(folder, { recursive: true, force: true })
})

let machine: Machine
beforeEach(() => {
  machine = stage.newMachine()
})

/** On the same machine, so that caches fit; without an artifact, which is not what these tests are about. */
const build = (options: Omit<BuildOptions, 'machine'>) =>
  stage.build({ ...options, machine, inputs: { 'upload-artifact': 'false', ...options.inputs } })

const compiled = ({ main }: Built) => [...main.log.matchAll(/^ +Compiling (\S+)$/gm)].map(([, crate]) => crate)

/** The names of the files in the archive of the cache that was saved last, and those that are the module. */
function lastArchive(module: string): { names: string[]; modules: string[] } {
  const entry = results.caches.at(-1)
  if (entry === undefined) throw new Error('no cache was saved')
  const archive = join(folder, 'archive')
  const unpacked = mkdtempSync(join(folder, 'unpacked-'))
  writeFileSync(archive, results.bytesOf(entry))
  const tar = (...args: string[]) =>
    execFileSync('tar', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const names = tar('-tf', archive)
    .split('\n')
    .filter((name) => name !== '' && !name.endsWith('/'))
  // Names lead from the workspace to the home beside it.
  const workspace = join(unpacked, 'workspace')
  mkdirSync(workspace)
  tar('-xPf', archive, '-C', workspace)
  const bytes = Buffer.from(fixtureModule(`${module}.wasm`))
  const modules = names.filter((name) => readFileSync(join(workspace, name)).equals(bytes))
  return { names, modules }
}

const savedNow = async (work: () => Promise<unknown>): Promise<number> => {
  const before = results.caches.length
  await work()
  return results.caches.length - before
}

test('dependencies are kept for the next run, and the module is not', async () => {
  const first = await build({ files: rustProject('counter') })
  expect(first.main.summary).toContain('not in the cache yet')
  expect(compiled(first)).toEqual(['spacetimedb', 'serde', 'my-game'])
  const { names, modules } = lastArchive('counter')
  expect(modules).toEqual([])
  expect(names.filter((name) => /my.game/.test(name))).toEqual([])
  expect(names.filter((name) => /libserde-\w+\.rlib$|serde\.crate$/.test(name))).toHaveLength(2)

  const saved = await savedNow(async () => {
    const second = await build({ files: rustProject('counter-additive') })
    expect(second.main.summary).toContain('restored from the cache')
    expect(compiled(second)).toEqual(['my-game'])
    expect(second.main.outputs['module-hash']).toBe(hashOf('counter-additive'))
  })
  expect(saved).toBe(0)
})

test('the cache of another lock file is better than none, and the new one is kept', async () => {
  await build({ files: rustProject('counter') })
  const saved = await savedNow(async () => {
    const files = rustProject('counter', { 'Cargo.lock': cargoLock('my-game', ['serde', 'rand']) })
    const next = await build({ files })
    expect(next.main.summary).toContain('of another lock file')
    expect(compiled(next)).toEqual(['rand', 'my-game'])
  })
  expect(saved).toBe(1)
})

describe('nothing is kept', () => {
  test.each<[string, Omit<BuildOptions, 'machine'>, number]>([
    [
      'of a build that failed',
      {
        files: rustProject('counter', {
          'src/lib.rs': 'compile_error!("no")\n',
          'Cargo.lock': cargoLock('my-game', ['a'])
        })
      },
      1
    ],
    ['when no cache is wanted', { files: rustProject('counter'), inputs: { cache: 'false' } }, 0]
  ])('%s', async (_, options, exitCode) => {
    const saved = await savedNow(async () => {
      const built = await build(options)
      expect(built.main.exitCode).toBe(exitCode)
      expect(built.post.exitCode).toBe(0)
    })
    expect(saved).toBe(0)
  })

  test("of a fork's pull request, which may use what is there", async () => {
    await build({ files: rustProject('counter') })
    const run = stage.github.startRun({ branch: 'fix', pullRequest: { number: 9, fromFork: true } })
    const asked = results.requests.length
    const files = rustProject('counter', { 'Cargo.lock': cargoLock('my-game', ['serde', 'rand']) })
    const { main, post } = await build({ run, files })
    expect(main.summary).toContain('of another lock file')
    expect(post.log).toContain('the code of this run is from a fork')
    expect(results.requests.slice(asked).map(({ operation }) => operation)).not.toContain('CreateCacheEntry')
  })

  test('where the cache may only be read: the step passes, and says so', async () => {
    results.faults.push({ ...cacheWriteDenied, times: 1 })
    const { main, post } = await build({ files: rustProject('counter') })
    expect([main.exitCode, post.exitCode]).toEqual([0, 0])
    expect(post.log).toMatch(/not kept in the cache/)
  })
})

test('a cache that comes broken is done without', async () => {
  await build({ files: rustProject('counter') })
  results.faults.push({ on: 'download', kind: 'corrupt', times: 10 })
  const { main } = await build({ files: rustProject('counter') })
  results.faults.pop()
  expect(main.exitCode).toBe(0)
  expect(main.outputs['module-hash']).toBe(hashOf('counter'))
  expect(main.summary).toContain('the cache could not be used')
})
