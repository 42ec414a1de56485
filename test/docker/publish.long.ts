import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { systemClock } from '../../src/clock.ts'
import { fetchArtifact } from '../../src/image/oci/module-artifact.ts'
import { parseReference } from '../../src/image/oci/reference.ts'
import { openRegistry, registryPatience } from '../../src/image/oci/registry.ts'
import { createTransport } from '../../src/spacetimedb/transport.ts'
import { fixtureModule } from '../fixtures.ts'
import { shipDocker } from '../runner/docker-stage.ts'
import { Job, type StepResult } from '../runner/runner.ts'
import { dist, hashOf } from '../runner/stage.ts'
import { startEngine, startRegistry } from './engine.ts'
import { Images } from './image.ts'

jest.setTimeout(300_000)

const engine = await startEngine('packages and buildx')
if (engine.kind === 'missing') throw new Error(`no image can be built here: ${engine.reason}`)

const images = new Images(engine)
const registry = await startRegistry(images.folder)
const image = `${registry.host}/owner/game`

beforeAll(async () => {
  shipDocker()
  await images.makeBases()
})

afterAll(async () => {
  await registry.stop()
  await engine.stop()
  images.cleanUp()
})

/** Runs the built action with the real docker and buildx. */
async function publish(
  module: string,
  inputs: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {}
): Promise<StepResult> {
  const { DOCKER_HOST, DOCKER_CONFIG } = engine.kind === 'ready' ? engine.environment : {}
  const job = new Job({ dist, deadline: 240_000, env: { DOCKER_HOST, DOCKER_CONFIG, SOURCE_DATE_EPOCH: '1700000000' } })
  writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule(module))
  for (const [path, text] of Object.entries(files)) writeFileSync(join(job.workspace, path), text)
  const bases = 'dockerfile' in inputs ? {} : { 'server-image': 'server:1', 'base-image': 'base:1' }
  try {
    const main = await job.run({
      action: 'docker-publish',
      inputs: { module: 'module.wasm', image, network: 'none', ...bases, ...inputs }
    })
    await job.post()
    return main
  } finally {
    job.end()
  }
}

const errorsOf = ({ annotations }: StepResult) => annotations.filter(({ level }) => level === 'error')

async function manifestOf(tag: string) {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json'
  const answer = await fetch(`http://${registry.host}/v2/owner/game/manifests/${tag}`, { headers: { accept } })
  const { layers } = (await answer.json()) as { layers: { digest: string }[] }
  return { digest: answer.headers.get('docker-content-digest'), layers: layers.map(({ digest }) => digest) }
}

test('an image is pushed under its tags, and serves its module; the module lies beside it', async () => {
  const main = await publish('counter.wasm', { tags: 'type=raw,value=one\ntype=sha', 'module-artifact': 'true' })
  expect(errorsOf(main)).toEqual([])
  const { digest, tags } = main.outputs
  expect(tags).toBe(`${image}:one\n${image}:sha-7fd1a60`)
  expect((await manifestOf('one')).digest).toBe(digest)
  expect((await manifestOf('sha-7fd1a60')).digest).toBe(digest)

  const reference = `${image}@${digest}`
  await engine.docker('pull', reference)
  const labels = JSON.parse(await engine.docker('image', 'inspect', '--format', '{{json .Config.Labels}}', reference))
  expect(labels).toMatchObject({
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'org.opencontainers.image.revision': '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d',
    'org.opencontainers.image.version': 'one',
    'dev.spacetimedb.module.hash': hashOf('counter')
  })
  const container = await images.start(reference)
  await images.becomesHealthy(container)
  expect(await images.stop(container)).toBe(0)

  const artifact = parseReference(main.outputs['module-artifact'] ?? '')
  const network = {
    transport: createTransport('test'),
    clock: systemClock,
    patience: registryPatience,
    onRetry: () => {}
  }
  const from = openRegistry({ host: artifact.host, credential: undefined, network, onSecret: () => {} })
  const fetched = await fetchArtifact(from, artifact)
  expect(Buffer.from(fetched.module.bytes).equals(fixtureModule('counter.wasm'))).toBe(true)
  expect(fetched.digest).toBe(main.outputs['module-digest'])
})

test('the same commit makes the same layers', async () => {
  const again = await publish('counter.wasm', { tags: 'type=raw,value=again', 'no-cache': 'true' })
  expect(errorsOf(again)).toEqual([])
  expect((await manifestOf('again')).layers).toEqual((await manifestOf('one')).layers)
})

test("a user's own Dockerfile gets the module, arguments and secrets", async () => {
  const dockerfile = [
    'FROM base:1 AS seen',
    'ARG MODE',
    'COPY module.wasm /module.wasm',
    'RUN --mount=type=secret,id=token,required=true test "$MODE" = release && test "$(cat /run/secrets/token)" = hunter2-hunter2',
    'FROM seen'
  ].join('\n')
  const inputs = {
    dockerfile: 'own.Dockerfile',
    tags: 'own',
    secrets: 'token=hunter2-hunter2',
    'build-args': 'MODE=release'
  }
  const main = await publish('counter.wasm', inputs, { 'own.Dockerfile': dockerfile })
  expect(errorsOf(main)).toEqual([])
  expect((await manifestOf('own')).digest).toBe(main.outputs.digest)

  const without = await publish(
    'counter.wasm',
    { ...inputs, secrets: 'other=hunter2-hunter2', 'no-cache': 'true' },
    { 'own.Dockerfile': dockerfile }
  )
  expect(errorsOf(without)[0]?.message).toMatch(/build secret.*`token`/)
})

test('what Docker refuses is explained', async () => {
  const missing = await publish('counter.wasm', { tags: 'x', 'server-image': `${registry.host}/none:1` })
  expect(errorsOf(missing)[0]?.message).toMatch(/base image .*none:1 is not there/)
  const several = await publish('counter.wasm', { tags: 'x', platforms: 'linux/amd64,linux/arm64' })
  expect(errorsOf(several)[0]?.message).toMatch(/setup-buildx-action/)
})
