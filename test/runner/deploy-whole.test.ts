import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, expect, jest, test } from '@jest/globals'
import { pushModule } from '../../src/image/oci/module-artifact.ts'
import { packModule } from '../../src/image/oci/module-manifest.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import { fixtureModule } from '../fixtures.ts'
import { open } from '../image/oci/registries.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import { startRegistry } from '../stand-ins/registry.ts'
import { installRustToolchain } from '../stand-ins/rust-toolchain.ts'
import { rustProject } from './build-stage.ts'
import { callsIn, type DockerSettings, installDocker, registryIn, shipDocker } from './docker-stage.ts'
import { startLedgerStage } from './ledger-stage.ts'
import { hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(180_000)

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deploy-whole-')))
shipDocker()
const [stage, registry] = await Promise.all([startLedgerStage(), startRegistry()])

afterAll(async () => {
  await Promise.all([stage.close(), registry.close()])
  rmSync(folder, { recursive: true, force: true })
})

const usualFolders = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin']

function pathOf(...folders: readonly string[]): Readonly<Record<string, string>> {
  return { PATH: [...folders, ...usualFolders].join(delimiter) }
}

function machineWithDocker(settings: DockerSettings = {}): string {
  const machine = mkdtempSync(join(folder, 'docker-'))
  installDocker(machine, settings)
  return machine
}

const errorsOf = ({ annotations }: { annotations: readonly { level: string; message: string }[] }) =>
  annotations.filter(({ level }) => level === 'error').map(({ message }) => message)

test.concurrent('what an environment names is built, deployed to its database, and written down', async () => {
  const database = await stage.stage.databaseWith('counter')
  const rust = installRustToolchain(join(folder, 'rust'))
  const files = rustProject('counter-additive', {
    'spacetime.json': JSON.stringify({ database: 'on-my-machine', server: 'local', 'module-path': '.' }),
    'spacetime.staging.json': JSON.stringify({ database, server: stage.stage.server.url })
  })
  const inputs = { server: '', database: '', environment: 'staging' }
  const { main, post } = await stage.run('deploy', { database, files, inputs, env: pathOf(rust) })
  expect(errorsOf(main)).toEqual([])
  expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated', 'module-hash': hashOf('counter-additive') } })
  expect(await stage.stage.liveHash(database)).toBe(hashOf('counter-additive'))
  expect(main.summary.indexOf('was updated')).toBeLessThan(main.summary.indexOf('📦 Built'))
  const release = stage.entries('staging').at(-1)
  expect(release?.states.at(-1)).toBe('success')
  expect(release?.payload).toMatchObject({ database, moduleHash: hashOf('counter-additive'), action: 'deploy' })
  expect(main.log).toContain(`stdb-module-${hashOf('counter').slice(0, 32)}`)
  expect(post.exitCode).toBe(0)
  expect(post.log).toContain('Dependencies are kept in the cache')
})

test.concurrent('a project that does not build changes nothing', async () => {
  const database = await stage.stage.databaseWith('counter')
  const files = { 'Cargo.toml': '[workspace]\nmembers = []\n' }
  const { main } = await stage.runMain('deploy', { database, files })
  expect(main.outputs.result).toBe('failed')
  expect(errorsOf(main)).toEqual([expect.stringContaining('a project to build was looked for')])
  expect(await stage.stage.liveHash(database)).toBe(hashOf('counter'))
})

test.concurrent('a module is fetched from a registry, by the tag of an image that says where it is', async () => {
  const database = await stage.stage.databaseWith('counter')
  const module = moduleFromBytes(fixtureModule('counter-additive.wasm'))
  const revision = 'a'.repeat(40)
  const { registry: client } = open(registry.host)
  const { reference } = await pushModule(client, { repository: 'octocat/game', module, origin: { revision } })
  const image = storeImage('v1', {
    'dev.spacetimedb.module.artifact': reference,
    'dev.spacetimedb.module.hash': module.hash
  })
  const inputs = { 'from-image': `${registry.host}/octocat/game:v1` }
  const { main } = await stage.runMain('deploy', { database, inputs })
  expect(errorsOf(main)).toEqual([])
  expect(await stage.stage.liveHash(database)).toBe(module.hash)
  expect(main.outputs['module-artifact']).toBe(reference)
  expect(main.outputs.module).toMatch(/module\.wasm$/)
  expect(main.log).toContain(`v1 is ${image}`)
  expect(stage.entries(database).at(-1)?.payload).toMatchObject({ image, moduleArtifact: reference, commit: revision })
})

test.concurrent('a module from a registry of which nobody knows the commit is written down without one', async () => {
  const database = await stage.stage.databaseWith('counter')
  const module = moduleFromBytes(fixtureModule('counter-additive.wasm'))
  const { reference } = await pushModule(open(registry.host).registry, { repository: 'octocat/plain', module })
  const { main } = await stage.runMain('deploy', { database, inputs: { 'from-image': reference } })
  expect(errorsOf(main)).toEqual([])
  const { payload } = stage.entries(database).at(-1) ?? {}
  expect(payload).toMatchObject({ moduleArtifact: reference, moduleHash: module.hash })
  expect(payload).not.toHaveProperty('commit')
  expect(payload).not.toHaveProperty('ref')
})

test.concurrent('an image that does not say where its module is, or says it of another module, is not deployed', async () => {
  const database = await stage.stage.databaseWith('counter')
  const inputs = { 'from-image': `${registry.host}/octocat/game:other` }
  storeImage('other', { 'dev.spacetimedb.module.hash': hashOf('counter-additive') })
  const silent = await stage.runMain('deploy', { database, inputs })
  expect(errorsOf(silent.main)).toEqual([expect.stringMatching(/does not say where its module.*`publish-image`/s)])
  const module = moduleFromBytes(fixtureModule('counter-additive.wasm'))
  const { digest } = packModule(module, {}).manifest
  await pushModule(open(registry.host).registry, { repository: 'octocat/game', module })
  storeImage('other', {
    'dev.spacetimedb.module.artifact': `${registry.host}/octocat/game@${digest}`,
    'dev.spacetimedb.module.hash': hashOf('counter')
  })
  const lying = await stage.runMain('deploy', { database, inputs })
  expect(errorsOf(lying.main)).toEqual([expect.stringContaining('says that its module is')])
  expect(await stage.stage.liveHash(database)).toBe(hashOf('counter'))
})

/** An image of one platform with these labels, as a tag of `octocat/game`. Answers it by digest. */
function storeImage(tag: string, labels: Readonly<Record<string, string>>): string {
  const { contents, host } = registry
  const store = (value: object) => {
    const bytes = Buffer.from(JSON.stringify(value))
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    return { bytes, digest, size: bytes.length }
  }
  const config = store({ architecture: 'amd64', os: 'linux', config: { Labels: labels } })
  contents.blobs.set(config.digest, config.bytes)
  const put = (value: object, mediaType: string) => {
    const { bytes, digest, size } = store({ schemaVersion: 2, mediaType, ...value })
    contents.manifests.set(`octocat/game@${digest}`, { bytes, mediaType })
    return { bytes, digest, size, mediaType }
  }
  const { digest, size } = config
  const image = put(
    { config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size }, layers: [] },
    'application/vnd.oci.image.manifest.v1+json'
  )
  const { bytes: _, ...descriptor } = image
  const attestation = { ...descriptor, platform: { os: 'unknown', architecture: 'unknown' } }
  const index = put(
    { manifests: [attestation, { ...descriptor, platform: { os: 'linux', architecture: 'amd64' } }] },
    'application/vnd.oci.image.index.v1+json'
  )
  contents.manifests.set(`octocat/game:${tag}`, { bytes: index.bytes, mediaType: index.mediaType })
  return `${host}/octocat/game@${index.digest}`
}

const imageInputs = (name: string) => ({
  'publish-image': `${registry.host}/octocat/${name}`,
  tags: 'type=raw,value=stable',
  version: '2.8.3'
})

test.concurrent('an image is pushed before the module is published, and tagged when the release is kept', async () => {
  const database = await stage.stage.databaseWith('counter')
  const machine = machineWithDocker()
  const inputs = imageInputs('kept')
  const { main } = await stage.runMain('deploy', {
    database,
    module: 'counter-additive',
    inputs,
    env: pathOf(machine)
  })
  expect(errorsOf(main)).toEqual([])
  const name = inputs['publish-image']
  const { digest = '', 'module-artifact': artifact = '' } = main.outputs
  expect(main.outputs).toMatchObject({ result: 'updated', image: name, pushed: 'true' })
  expect(registryIn(machine)).toEqual({ [`${name}:stable`]: digest })
  const [build] = callsIn(machine).filter(({ what }) => what === 'buildx build')
  expect(build?.args).toContain(`--label=dev.spacetimedb.module.artifact=${artifact}`)
  expect(build?.args.join(' ')).toContain('push-by-digest=true')
  const order = ['push', 'Publish', `${name}: stable`].map((text) => main.log.indexOf(text))
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(stage.entries(database).at(-1)?.payload).toMatchObject({
    image: `${name}@${digest}`,
    moduleArtifact: artifact
  })
  expect(main.files).not.toContainEqual(expect.stringContaining('config.json'))
})

test.concurrent("a release that is not kept leaves the tags of its image where they were, with docker's own builder too", async () => {
  const database = await stage.stage.databaseWith('counter')
  const machine = machineWithDocker({ driver: 'docker' })
  const inputs = imageInputs('undone')
  const { main } = await stage.runMain('deploy', {
    database,
    module: 'counter-unhealthy',
    inputs,
    env: pathOf(machine)
  })
  expect(main.outputs).toMatchObject({ result: 'rolled-back', pushed: 'false' })
  const name = inputs['publish-image']
  const unfollowed = `${name}:staged-${hashOf('counter-unhealthy').slice(0, 12)}`
  expect(registryIn(machine)).toEqual({ [unfollowed]: main.outputs.digest })
  expect(main.summary).toContain('no tag leads to it')
})

test.concurrent('an image that can not be made keeps the module from being published; what is refused gets none', async () => {
  const database = await stage.stage.databaseWith('counter')
  const machine = machineWithDocker({ fails: { 'buildx build': 'ERROR: failed to solve: the base is gone' } })
  const options = { database, inputs: imageInputs('none'), env: pathOf(machine) }
  const failed = await stage.runMain('deploy', { ...options, module: 'counter-additive' })
  expect(failed.main.outputs).toMatchObject({ result: 'failed', pushed: 'false' })
  expect(errorsOf(failed.main)).toEqual([expect.stringContaining('Nothing was changed')])
  expect(stage.entries(database)).toEqual([])
  const builds = callsIn(machine).length
  const refused = await stage.runMain('deploy', { ...options, module: 'counter-column-type' })
  expect(refused.main.outputs.result).toBe('refused')
  expect(callsIn(machine)).toHaveLength(builds)
  expect(await stage.stage.liveHash(database)).toBe(hashOf('counter'))
})

test.concurrent('a release whose image can not be tagged is live, and the job fails', async () => {
  const database = await stage.stage.databaseWith('counter')
  const env = pathOf(machineWithDocker({ fails: { 'buildx imagetools create': 'ERROR: denied' } }))
  const { main } = await stage.runMain('deploy', {
    database,
    module: 'counter-additive',
    inputs: imageInputs('late'),
    env
  })
  expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'updated', pushed: 'false' } })
  expect(errorsOf(main)).toEqual([expect.stringMatching(/is live and kept.*Run the job again/s)])
  expect(await stage.stage.liveHash(database)).toBe(hashOf('counter-additive'))
})

test.concurrent('a job that is cancelled while the image is made has changed nothing', async () => {
  const database = await stage.stage.databaseWith('counter')
  const machine = machineWithDocker({ hangs: 'buildx build' })
  const { job, step } = stage.start('deploy', {
    database,
    module: 'counter-additive',
    inputs: imageInputs('cancelled'),
    env: pathOf(machine),
    onLine: ({ text }) => {
      if (text.startsWith('Building and pushing')) step.cancel()
    }
  })
  try {
    const main = await step.result
    const [post] = await job.post()
    expect(main).toMatchObject({ exitCode: 1, leftProcesses: false, outputs: { result: 'failed', pushed: 'false' } })
    expect(errorsOf(main)).toEqual([expect.stringContaining('cancelled before anything was changed')])
    expect(post?.exitCode).toBe(0)
    expect(stage.entries(database)).toEqual([])
    expect(await stage.stage.liveHash(database)).toBe(hashOf('counter'))
  } finally {
    job.end()
  }
})

test.concurrent('a release is rehearsed before anything is changed', async () => {
  const programs = join(folder, 'programs')
  mkdirSync(programs)
  await installPrograms(programs, '2.8.3')
  const database = await stage.stage.databaseWith('counter')
  const options = { database, inputs: { rehearse: 'live', version: '2.8.3' }, env: pathOf(programs) }
  const bad = await stage.runMain('deploy', { ...options, module: 'counter-unhealthy' })
  expect(bad.main.outputs.result).toBe('failed')
  expect(errorsOf(bad.main)).toEqual([expect.stringContaining('The rehearsal did not pass')])
  expect(bad.main.leftProcesses).toBe(false)
  expect(stage.entries(database)).toEqual([])
  expect(await stage.stage.liveHash(database)).toBe(hashOf('counter'))
  const good = await stage.runMain('deploy', { ...options, module: 'counter-additive' })
  expect(errorsOf(good.main)).toEqual([])
  expect(good.main.outputs).toMatchObject({ result: 'updated', rehearsal: expect.stringContaining('rehearsal.json') })
  expect(good.main.leftProcesses).toBe(false)
  expect(await stage.stage.liveHash(database)).toBe(hashOf('counter-additive'))
})

test.concurrent('of two deploys at once one wins, and the other says which', async () => {
  const database = await stage.stage.databaseWith('counter')
  const waits = `steps:
  - name: until the other one is live
    wait-for: { sql: SELECT COUNT(*) AS n FROM counter, equals: 2 }
    every: 100ms
    timeout: 2m
`
  let began = () => {}
  const hasBegun = new Promise<void>((resolve) => {
    began = resolve
  })
  const { job, step } = stage.start('deploy', {
    database,
    module: 'counter-reducer-param',
    files: { 'before.yml': waits },
    inputs: { 'steps-before': 'before.yml', 'allow-breaking-clients': 'true' },
    onLine: ({ text }) => {
      if (text.includes('Write the release down')) began()
    }
  })
  try {
    await hasBegun
    const { main: winner } = await stage.runMain('deploy', { database, module: 'counter-additive' })
    expect(winner.outputs.result).toBe('updated')
    await stage.stage.call(database, 'increment_counter', [7])
    const loser = await step.result
    expect(loser.outputs.result).toBe('failed')
    const { id } = stage.entries(database).at(-1) ?? {}
    expect(errorsOf(loser)).toEqual([expect.stringContaining(`it is release ${id} of`)])
    expect(await stage.stage.liveHash(database)).toBe(hashOf('counter-additive'))
  } finally {
    job.end()
  }
})
