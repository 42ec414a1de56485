import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { parseManifest } from '../../src/build/manifest.ts'
import { fixtureModule } from '../fixtures.ts'
import { startActionsClients } from '../stand-ins/actions-clients.ts'
import { resultsRun } from '../stand-ins/github/state.ts'
import { quotaExceeded } from '../stand-ins/results-service.ts'
import { type Built, cargoLock, cargoToml, rustProject, startBuildStage, within } from './build-stage.ts'
import { hashOf, startStage } from './stage.ts'

/** Each test is a job or more, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const stage = await startBuildStage()
const { github } = stage
const deploying = await startStage()
const folder = mkdtempSync(join(tmpdir(), 'build-module-'))

afterAll(async () => {
  await stage.close()
  await deploying.server.close()
  rmSync(folder, { recursive: true, force: true })
})

const errors = ({ main, post }: Built) =>
  [...main.annotations, ...post.annotations].filter(({ level }) => level === 'error')

test('a module is built, described and kept, with its origin', async () => {
  const run = github.startRun({ sha: 'c'.repeat(40) })
  let files: string[] = []
  const built = await stage.build({
    run,
    files: rustProject('rich'),
    look: ({ main }) => {
      const folder = join(main.outputs.manifest ?? '', '..')
      files = readdirSync(folder)
      const manifest = parseManifest(readFileSync(main.outputs.manifest ?? '', 'utf8'))
      expect(manifest).toMatchObject({
        module: { file: 'my_game.wasm', kind: 'wasm', hash: hashOf('rich'), size: fixtureModule('rich.wasm').length },
        language: 'rust',
        builder: 'toolchain',
        bindingsVersion: '2.8.3',
        project: '.',
        lockFile: { path: 'Cargo.lock' },
        versions: { cargo: 'cargo 1.95.0 (stand-in)' },
        source: { commit: 'c'.repeat(40), repository: 'octocat/game', ref: 'refs/heads/main' }
      })
      expect(JSON.parse(readFileSync(main.outputs.schema ?? '', 'utf8')).tables.length).toBeGreaterThan(1)
      expect(readFileSync(main.outputs.module ?? '')).toEqual(Buffer.from(fixtureModule('rich.wasm')))
    }
  })
  const { main, post } = built
  expect(errors(built)).toEqual([])
  expect([main.exitCode, post.exitCode]).toEqual([0, 0])
  expect(files.sort()).toEqual(['module.json', 'my_game.wasm', 'schema.json'])
  expect(main.outputs).toMatchObject({
    kind: 'wasm',
    'module-hash': hashOf('rich'),
    size: `${fixtureModule('rich.wasm').length}`,
    language: 'rust',
    builder: 'toolchain',
    'bindings-version': '2.8.3',
    'artifact-name': 'module'
  })
  const artifact = github.results.artifacts.find(({ id }) => `${id}` === main.outputs['artifact-id'])
  expect(main.outputs['artifact-digest']).toBe(artifact?.digest)
  const [entry, ...more] = JSON.parse(main.outputs.modules ?? '')
  expect(more).toEqual([])
  expect(entry).toMatchObject({ file: 'my_game.wasm', 'module-hash': hashOf('rich'), 'artifact-id': artifact?.id })
  expect(main.summary).toContain('Built `my_game.wasm`')
  expect(main.summary).toContain(hashOf('rich'))
})

test('the artifact of one job is what another job deploys', async () => {
  const run = github.startRun()
  const { main } = await stage.build({ run, files: rustProject('counter') })
  const clients = await startActionsClients()
  const code = `const { artifact: found } = await artifact.getArtifact('${main.outputs['artifact-name']}')
    return { found, ...await artifact.downloadArtifact(found.id, { path: 'got', expectedHash: found.digest }) }`
  const env = { ...github.results.environmentOf({ run: resultsRun(run.id), job: 'deploy' }), GITHUB_WORKSPACE: folder }
  const { answer } = await clients.run(code, folder, env)
  await clients.close()
  expect(answer).toMatchObject({
    digestMismatch: false,
    found: { id: Number(main.outputs['artifact-id']), digest: main.outputs['artifact-digest'] }
  })
  expect(readdirSync(join(folder, 'got')).sort()).toEqual(['module.json', 'my_game.wasm', 'schema.json'])
  const database = deploying.newDatabase()
  const module = new Uint8Array(readFileSync(join(folder, 'got/my_game.wasm')))
  const deployed = await deploying.deploy({ database, module, inputs: { create: 'true' } })
  expect(deployed.main.outputs).toMatchObject({ result: 'created', 'module-hash': main.outputs['module-hash'] })
  expect(await deploying.liveHash(database)).toBe(main.outputs['module-hash'])
})

describe('the base branch', () => {
  const pullRequest = () => github.startRun({ branch: 'fix', pullRequest: { number: 7, base: 'main' } })

  test('is compared with, where it has built the module', async () => {
    const inputs = { 'artifact-name': 'compared' }
    const first = await stage.build({ files: rustProject('counter'), inputs })
    expect(first.main.summary).toContain('Not compared')
    const { main } = await stage.build({ run: pullRequest(), files: rustProject('counter-additive'), inputs })
    const change = fixtureModule('counter-additive.wasm').length - fixtureModule('counter.wasm').length
    expect(main.summary).toContain(`+${change.toLocaleString('en-US')} bytes`)
    expect(main.summary).toMatch(/against `main` \(`[0-9a-f]{7}`\)/)
    const same = await stage.build({ run: pullRequest(), files: rustProject('counter'), inputs })
    expect(same.main.summary).toContain('the very module of `main`')
    expect(github.api.unexpected).toEqual([])
  })

  test('is left out without the permission, and nothing fails', async () => {
    const permissions = { contents: 'read' } as const
    const built = await stage.build({ run: pullRequest(), permissions, files: rustProject('counter') })
    expect(built.main.exitCode).toBe(0)
    expect(errors(built)).toEqual([])
    expect(built.main.summary).toMatch(/Not compared.*actions: read/)
  })

  test('is not what a fork calls by its name', async () => {
    const fork = github.startRun({ branch: 'next', pullRequest: { number: 8, base: 'main', fromFork: true } })
    await stage.build({ run: fork, files: rustProject('counter'), inputs: { 'artifact-name': 'forked' } })
    const run = github.startRun({ branch: 'next' })
    const { main } = await stage.build({ run, files: rustProject('counter'), inputs: { 'artifact-name': 'forked' } })
    expect(main.summary).toMatch(/Not compared.*no run of the branch/)
  })
})

describe('several databases', () => {
  const files = {
    ...within('game', { ...rustProject('counter'), 'Cargo.toml': cargoToml('game') }),
    ...within('chat', { ...rustProject('rich'), 'Cargo.toml': cargoToml('chat'), 'Cargo.lock': cargoLock('chat', []) }),
    'spacetime.json': JSON.stringify({
      server: 'maincloud',
      children: [
        { database: 'game-eu', 'module-path': 'game' },
        { database: 'game-us', 'module-path': 'game', server: 'https://us.example.org' },
        { database: 'chat', 'module-path': 'chat' }
      ]
    })
  }

  test('each module is built once and kept by its name, and a matrix has them all', async () => {
    const { main } = await stage.build({ files })
    expect(main.exitCode).toBe(0)
    const modules = JSON.parse(main.outputs.modules ?? '')
    expect(modules).toMatchObject([
      { database: 'game-eu', server: 'maincloud', 'module-hash': hashOf('counter'), 'artifact-name': 'module-game-eu' },
      { database: 'game-us', server: 'https://us.example.org', 'artifact-name': 'module-game-eu' },
      { database: 'chat', 'module-hash': hashOf('rich'), 'artifact-name': 'module-chat', file: 'chat.wasm' }
    ])
    expect(modules[0]['artifact-id']).toBe(modules[1]['artifact-id'])
    expect(main.outputs['module-hash']).toBe(hashOf('counter'))
    expect(main.summary).toContain('Built `game-eu.wasm`')
    expect(main.summary).toContain('Built `chat.wasm`')
  })

  test('one of them is built by its path', async () => {
    const { main } = await stage.build({ files, inputs: { path: 'chat' } })
    expect(JSON.parse(main.outputs.modules ?? '')).toMatchObject([{ database: 'chat', 'artifact-name': 'module' }])
  })
})

describe('a build that fails', () => {
  test('shows what the compiler says at the line, keeps nothing, and fails the step', async () => {
    const files = rustProject('counter', { 'src/lib.rs': '// one\n// two\ncompile_error!("no")\n' })
    const built = await stage.build({ files })
    expect(built.main.exitCode).toBe(1)
    expect(errors(built)).toMatchObject([
      { title: 'E0308', file: 'src/lib.rs', message: 'this is wrong' },
      { title: 'build-module: the build failed' }
    ])
    expect(built.main.commands.find(({ name }) => name === 'error')?.properties.line).toBe('3')
    expect(built.main.outputs).toEqual({})
    expect(built.main.summary).toMatch(/could not be built[\s\S]*`src\/lib\.rs:3`[\s\S]*this is wrong/)
    expect(built.post.log).toContain('nothing to finish')
  })

  test.each([
    ['loop', /longer than \d+ s/],
    ['grow', /memory/],
    ['env', /imports.*env/],
    ['abi11', /spacetime_11/]
  ])('with what is no module (%s) ends with a clear error', async (module, message) => {
    const built = await stage.build({ files: rustProject(`hostile/${module}`), inputs: { cache: 'false' } })
    expect(built.main.exitCode).toBe(1)
    expect(errors(built)).toHaveLength(1)
    expect(errors(built)[0]?.message).toMatch(message)
    expect(built.main.leftProcesses).toBe(false)
    expect(built.main.outputs).toEqual({})
  })
})

describe('an artifact that can not be kept fails the step, with the outputs set', () => {
  test('since its name is taken in this run', async () => {
    const run = github.startRun()
    await stage.build({ run, files: rustProject('counter') })
    const built = await stage.build({ run, files: rustProject('counter') })
    expect(built.main.exitCode).toBe(1)
    expect(errors(built)[0]?.message).toMatch(/has one of that name already.*`artifact-name`/)
    expect(built.main.outputs['module-hash']).toBe(hashOf('counter'))
    expect(built.main.outputs['artifact-id']).toBeUndefined()
  })

  test('since the storage is full', async () => {
    github.results.faults.push({ ...quotaExceeded, times: 1 })
    const built = await stage.build({ files: rustProject('counter') })
    expect(errors(built)[0]?.message).toMatch(/storage for artifacts is full.*`retention-days`/)
  })

  test('since there is no service', async () => {
    const built = await stage.build({ files: rustProject('counter'), env: { ACTIONS_RUNTIME_TOKEN: undefined } })
    expect(errors(built)[0]?.message).toMatch(/no artifact service where this runs/)
  })

  test('but not where none is wanted', async () => {
    const env = { ACTIONS_RUNTIME_TOKEN: undefined, ACTIONS_RESULTS_URL: undefined }
    const built = await stage.build({ files: rustProject('counter'), env, inputs: { 'upload-artifact': 'false' } })
    expect(errors(built)).toEqual([])
    expect(built.main.outputs['artifact-name']).toBeUndefined()
    expect(built.main.summary).toContain('there is no cache where this runs')
  })
})
