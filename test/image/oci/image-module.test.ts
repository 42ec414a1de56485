import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { moduleOfImage } from '../../../src/image/oci/image-module.ts'
import { pushModule } from '../../../src/image/oci/module-artifact.ts'
import { parseReference } from '../../../src/image/oci/reference.ts'
import type { RegistryStandIn } from '../../stand-ins/registry.ts'
import { module, registries } from './registries.ts'

const start = registries()
const artifact = `ghcr.io/octocat/game@sha256:${'a'.repeat(64)}`
const labels = { 'dev.spacetimedb.module.artifact': artifact, 'dev.spacetimedb.module.hash': module.hash }

type Stored = { readonly digest: string; readonly size: number; readonly mediaType: string }

function storeManifest({ contents }: RegistryStandIn, manifest: { readonly mediaType: string }): Stored {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...manifest }))
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const { mediaType } = manifest
  for (const name of [`@${digest}`, ':v1']) contents.manifests.set(`octocat/game${name}`, { bytes, mediaType })
  return { digest, size: bytes.length, mediaType }
}

function storeImage(server: RegistryStandIn, config: object, kind: 'oci' | 'docker' = 'oci'): Stored {
  const bytes = Buffer.from(JSON.stringify(config))
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  server.contents.blobs.set(digest, bytes)
  const types = {
    oci: ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.config.v1+json'],
    docker: ['application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.docker.container.image.v1+json']
  } as const
  const [mediaType, configType] = types[kind]
  return storeManifest(server, {
    mediaType,
    ...{ config: { mediaType: configType, digest, size: bytes.length }, layers: [] }
  })
}

test.each(['oci', 'docker'] as const)('an image in the form of %s tells where its module is', async (kind) => {
  const { server, registry } = await start()
  const { digest } = storeImage(server, { config: { Labels: labels } }, kind)
  const found = await moduleOfImage(registry, parseReference(`${server.host}/octocat/game:v1`))
  const image = `${server.host}/octocat/game@${digest}`
  expect(found).toEqual({ image, artifact: parseReference(artifact), hash: module.hash })
})

test('of an image of several platforms one that runs is asked, not an attestation', async () => {
  const { server, registry } = await start()
  const bad = storeImage(server, { config: { Labels: {} } })
  const good = storeImage(server, { config: { Labels: labels } })
  const { digest } = storeManifest(server, {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    ...{
      manifests: [
        { ...bad, platform: { os: 'unknown', architecture: 'unknown' } },
        { ...good, platform: { os: 'linux', architecture: 'arm64' } }
      ]
    }
  })
  const found = await moduleOfImage(registry, parseReference(`${server.host}/octocat/game@${digest}`))
  expect(found?.image).toBe(`${server.host}/octocat/game@${digest}`)
  expect(found?.hash).toBe(module.hash)
})

test("a module's own artifact is no image, and neither is what is not there", async () => {
  const { server, registry } = await start()
  const { reference } = await pushModule(registry, { repository: 'octocat/game', module })
  expect(await moduleOfImage(registry, parseReference(reference))).toBeUndefined()
  expect(await moduleOfImage(registry, parseReference(`${server.host}/octocat/game:v9`))).toBeUndefined()
})

test.each([
  { title: 'that nobody here made', config: {}, says: /an image that this action did not make/ },
  {
    title: 'with a module alone that was not stored',
    config: { config: { Labels: { 'dev.spacetimedb.module.hash': module.hash } } },
    says: new RegExp(`with the module ${module.hash}.*module-artifact: true`)
  },
  {
    title: 'whose label names a tag',
    config: { config: { Labels: { 'dev.spacetimedb.module.artifact': 'ghcr.io/octocat/game:v1' } } },
    says: /names no digest/
  },
  {
    title: 'whose label is nonsense',
    config: { config: { Labels: { 'dev.spacetimedb.module.artifact': 'not an artifact' } } },
    says: /label `dev\.spacetimedb\.module\.artifact`/
  },
  { title: 'whose labels are no texts', config: { config: { Labels: { a: 1 } } }, says: /can't be read/ }
])('an image $title is told apart', async ({ config, says }) => {
  const { server, registry } = await start()
  storeImage(server, config)
  await expect(moduleOfImage(registry, parseReference(`${server.host}/octocat/game:v1`))).rejects.toThrow(says)
})
