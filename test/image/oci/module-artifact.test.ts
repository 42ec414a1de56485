import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../../src/errors.ts'
import { fetchArtifact, fetchModule, pushModule } from '../../../src/image/oci/module-artifact.ts'
import { moduleArtifactType } from '../../../src/image/oci/module-manifest.ts'
import { parseReference } from '../../../src/image/oci/reference.ts'
import { moduleFromBytes } from '../../../src/module/load.ts'
import { digestOf, type RegistryOptions, registryUser } from '../../stand-ins/registry.ts'
import { module, open, otherModule, registries } from './registries.ts'

const start = registries()
const repository = 'octocat/game'

const origin = {
  created: '2026-01-31T12:00:00Z',
  revision: '0123456789012345678901234567890123456789',
  source: 'https://github.com/octocat/game',
  version: '1.2.3',
  bindingsVersion: '2.8.3',
  manifest: JSON.stringify({ format: 1, module: { hash: module.hash, kind: 'wasm' } })
}

describe('what is pushed comes back', () => {
  test.each<[string, RegistryOptions]>([
    ['a registry for everybody', {}],
    ['one that gives paths for uploads', { location: 'relative' }],
    ['one that asks for Basic', { login: 'basic' }],
    ['one that asks for tokens', { login: 'bearer' }],
    ['one that stores blobs at another host', { login: 'bearer', redirects: true }]
  ])('from %s', async (_, options) => {
    const { server, registry } = await start(options, registryUser)
    const { digest, reference } = await pushModule(registry, { repository, tag: '1.2.3', module, origin })
    expect(reference).toBe(`${server.host}/${repository}@${digest}`)
    const again = open(server.host, registryUser).registry
    for (const name of [reference, `${server.host}/${repository}:1.2.3`]) {
      const fetched = await fetchArtifact(again, parseReference(name))
      expect(Buffer.from(fetched.module.bytes).equals(module.bytes)).toBe(true)
      expect(fetched.module).toMatchObject({ kind: 'wasm', hash: module.hash })
      expect(fetched).toMatchObject({ digest, reference, origin: { ...origin, title: 'module.wasm' } })
    }
  })

  test('whatever its bytes, of both kinds', async () => {
    const { server, registry } = await start()
    const modules = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.constantFrom('wasm', 'js'))
    await fc.assert(
      fc.asyncProperty(modules, async ([bytes, kind]) => {
        const { reference } = await pushModule(registry, { repository, module: moduleFromBytes(bytes, kind) })
        const back = await fetchModule(registry, parseReference(reference))
        expect(Buffer.from(back.bytes).equals(bytes)).toBe(true)
        expect(back.kind).toBe(kind)
      }),
      { numRuns: 10 }
    )
    expect(server.seen.registry.length).toBeGreaterThan(0)
  })
})

describe('the manifest', () => {
  test('is of the type of modules, with the empty config and one layer', async () => {
    const { server, registry } = await start()
    const { digest } = await pushModule(registry, { repository, module, origin })
    const stored = server.contents.manifests.get(`${repository}@${digest}`)
    expect(stored?.mediaType).toBe('application/vnd.oci.image.manifest.v1+json')
    expect(JSON.parse(`${stored?.bytes}`)).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: moduleArtifactType,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
      layers: [
        {
          mediaType: 'application/vnd.spacetimedb.module.v1.wasm',
          digest: digestOf(module.bytes),
          size: module.bytes.length,
          annotations: { 'org.opencontainers.image.title': 'module.wasm' }
        }
      ],
      annotations: {
        'dev.spacetimedb.module.bindings-version': '2.8.3',
        'dev.spacetimedb.module.hash': module.hash,
        'dev.spacetimedb.module.kind': 'wasm',
        'dev.spacetimedb.module.manifest': origin.manifest,
        'org.opencontainers.image.created': origin.created,
        'org.opencontainers.image.revision': origin.revision,
        'org.opencontainers.image.source': origin.source,
        'org.opencontainers.image.title': 'module.wasm',
        'org.opencontainers.image.version': '1.2.3'
      }
    })
  })

  test('is the same for the same module and origin, in whatever order that is given', async () => {
    const { registry } = await start()
    const first = await pushModule(registry, { repository, module, origin })
    const reversed = Object.fromEntries(Object.entries(origin).reverse())
    const copy = moduleFromBytes(Uint8Array.from(module.bytes))
    expect(await pushModule(registry, { repository: 'another/place', module: copy, origin: reversed })).toMatchObject({
      digest: first.digest
    })
    const later = { ...origin, created: '2026-02-01T12:00:00Z' }
    expect((await pushModule(registry, { repository, module, origin: later })).digest).not.toBe(first.digest)
  })

  test.each([
    [{ created: 'yesterday' }, /The time "yesterday" .* is not of the form/],
    [{ manifest: '{' }, /module\.json is not JSON/],
    [{ manifest: '{}' }, /module\.json is not a module's manifest: module/],
    [{ manifest: JSON.stringify({ module: { hash: otherModule.hash } }) }, /module\.json speaks of another module/],
    [{ manifest: JSON.stringify({ module: { hash: module.hash }, x: 'x'.repeat(300_000) }) }, /more than 256 KiB/]
  ])('refuses the origin %#', async (wrong, message) => {
    const { server, registry } = await start()
    const pushed = pushModule(registry, { repository, module, origin: wrong })
    await expect(pushed).rejects.toThrow(ConfigurationError)
    await expect(pushed).rejects.toThrow(message)
    expect(server.seen.registry).toEqual([])
  })
})

describe('nothing is sent twice', () => {
  const writes = (seen: readonly { readonly method: string }[]) =>
    seen.filter(({ method }) => method === 'PUT' || method === 'POST').length

  test.each([['1.2.3'], [undefined]])('with the tag %s', async (tag) => {
    const { server, registry } = await start({ login: 'bearer' }, registryUser)
    const first = await pushModule(registry, { repository, tag, module, origin })
    expect(writes(server.seen.registry)).toBe(5)
    expect(await pushModule(open(server.host, registryUser).registry, { repository, tag, module, origin })).toEqual(
      first
    )
    expect(writes(server.seen.registry)).toBe(5)
  })

  test('a tag moves, with the blobs that are new alone', async () => {
    const { server, registry } = await start()
    await pushModule(registry, { repository, tag: 'next', module })
    const { digest } = await pushModule(registry, { repository, tag: 'next', module: otherModule })
    expect(writes(server.seen.registry)).toBe(5 + 3)
    expect((await fetchArtifact(registry, parseReference(`${server.host}/${repository}:next`))).digest).toBe(digest)
  })
})

describe('an index', () => {
  const indexOf = (manifests: readonly object[]) => Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }))
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const image = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(Buffer.from('image')),
    size: 5
  }

  async function withIndex(make: (descriptor: object) => readonly object[]) {
    const { server, registry } = await start()
    const { digest } = await pushModule(registry, { repository, module })
    const size = server.contents.manifests.get(`${repository}@${digest}`)?.bytes.length
    const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size }
    server.contents.manifests.set(`${repository}:all`, { bytes: indexOf(make(descriptor)), mediaType })
    return { digest, fetched: fetchArtifact(registry, parseReference(`${server.host}/${repository}:all`)) }
  }

  test.each<[string, (descriptor: object) => object[]]>([
    ['of one manifest', (descriptor) => [descriptor]],
    ['in which one is a module', (descriptor) => [image, { ...descriptor, artifactType: moduleArtifactType }]]
  ])('%s leads to the module', async (_, make) => {
    const { digest, fetched } = await withIndex(make)
    expect(await fetched).toMatchObject({ digest, module: { hash: module.hash } })
  })

  test.each<[string, (descriptor: object) => object[], RegExp]>([
    [
      'of many that could be meant',
      (descriptor) => [image, descriptor],
      /index of 2 manifests, of which 0 are .* Give the digest/
    ],
    ['of none', () => [], /is an empty index/],
    ['that names what is not there', () => [image], /has its manifest, but not all that it names/],
    [
      'with a wrong size',
      (descriptor) => [{ ...descriptor, size: 10 }],
      /has more than the 10 bytes that it should have/
    ]
  ])('%s leads nowhere', async (_, make, message) => {
    await expect((await withIndex(make)).fetched).rejects.toThrow(message)
  })
})

describe('what is no module', () => {
  const layer = { mediaType: 'application/vnd.spacetimedb.module.v1.wasm', digest: digestOf(module.bytes), size: 10 }
  const annotations = { 'dev.spacetimedb.module.hash': module.hash }
  const artifact = { schemaVersion: 2, artifactType: moduleArtifactType, layers: [layer], annotations }

  test.each<[string, object, RegExp]>([
    [
      'an image',
      { schemaVersion: 2, config: { mediaType: 'application/vnd.oci.image.config.v1+json' } },
      /no SpacetimeDB module: it is of the type "application\/vnd.oci.image.config/
    ],
    ['something', {}, /no SpacetimeDB module: it is something else/],
    ['one without layers', { ...artifact, layers: [] }, /not a module that this version can read: layers/],
    ['one with two', { ...artifact, layers: [layer, layer] }, /not a module that this version can read: layers/],
    ['one of another format', { ...artifact, layers: [{ ...layer, mediaType: 'text/plain' }] }, /layers\.0\.mediaType/],
    ['one too large', { ...artifact, layers: [{ ...layer, size: 2 ** 30 }] }, /layers\.0\.size/],
    [
      'one with a path as digest',
      { ...artifact, layers: [{ ...layer, digest: '../../x' }] },
      /layers\.0\.digest: not the digest/
    ],
    ['one without the hash', { ...artifact, annotations: {} }, /annotations\.dev\.spacetimedb/]
  ])('%s is refused', async (_, manifest, message) => {
    const { server, registry } = await start()
    const bytes = Buffer.from(JSON.stringify(manifest))
    server.contents.manifests.set(`${repository}:x`, { bytes, mediaType: 'application/vnd.oci.image.manifest.v1+json' })
    const fetched = fetchModule(registry, parseReference(`${server.host}/${repository}:x`))
    await expect(fetched).rejects.toThrow(ConfigurationError)
    await expect(fetched).rejects.toThrow(message)
  })

  test('another module than the artifact states is refused', async () => {
    const { server, registry } = await start()
    const { digest } = await pushModule(registry, { repository, module })
    const stored = `${server.contents.manifests.get(`${repository}@${digest}`)?.bytes}`
    const bytes = Buffer.from(stored.replace(module.hash, otherModule.hash))
    server.contents.manifests.set(`${repository}:x`, { bytes, mediaType: 'application/vnd.oci.image.manifest.v1+json' })
    const fetched = fetchModule(registry, parseReference(`${server.host}/${repository}:x`))
    await expect(fetched).rejects.toThrow(`states the module's hash as ${otherModule.hash}, and it is ${module.hash}`)
  })
})
