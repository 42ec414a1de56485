import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  formatManifest,
  loadDescribedModule,
  type Manifest,
  parseManifest,
  readManifest,
  sha256Of,
  writeManifest
} from '../../src/build/manifest.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { hashModule } from '../../src/module/hash.ts'
import { fixtureModule } from '../fixtures.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifest-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const bytes = fixtureModule('counter.wasm')
const manifest: Manifest = {
  tool: 'stdb-actions 0.1.0',
  createdAt: '2026-11-25T15:00:00.000Z',
  module: {
    file: 'my-game.wasm',
    kind: 'wasm',
    hash: hashModule(bytes),
    sha256: sha256Of(bytes),
    size: bytes.length
  },
  schema: { file: 'schema.json', sha256: '0'.repeat(64) },
  databases: [{ name: 'my-game', server: 'maincloud' }, { name: 'other' }],
  language: 'rust',
  builder: 'cli',
  bindingsVersion: '2.8.3',
  versions: { rustc: 'rustc 1.95.0' },
  project: 'server',
  lockFile: { path: 'server/Cargo.lock', sha256: '1'.repeat(64) },
  source: { commit: '2'.repeat(40), ref: 'refs/heads/main', repository: 'octocat/game', run: 'https://example.org/1' }
}

const changed = (change: (copy: Record<string, never>) => void): string => {
  const copy = JSON.parse(formatManifest(manifest))
  change(copy)
  return JSON.stringify(copy)
}

test('a manifest that is written reads back the same', async () => {
  const path = join(folder, 'module.json')
  await writeManifest(path, manifest)
  expect(await readManifest(path)).toEqual(manifest)
})

test('whatever texts it holds, a manifest reads back the same', () => {
  const hash = fc.stringMatching(/^[0-9a-f]{64}$/)
  const optional = <T>(name: string, arbitrary: fc.Arbitrary<T>) =>
    fc.option(arbitrary, { nil: undefined }).map((value) => (value === undefined ? {} : { [name]: value }))
  const any = fc
    .tuple(
      fc.record({ hash, sha256: hash, size: fc.integer({ min: 1 }), kind: fc.constantFrom('wasm' as const, 'js') }),
      // No program has this name, and an object that is read from JSON can't have it as a key.
      fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        fc.string()
      ),
      fc.array(
        fc.record({ name: fc.string(), server: fc.string() }, { requiredKeys: ['name'], noNullPrototype: true })
      ),
      optional('bindingsVersion', fc.string()),
      optional('lockFile', fc.record({ path: fc.string(), sha256: hash })),
      fc.tuple(optional('commit', fc.string()), optional('ref', fc.string()), optional('run', fc.string()))
    )
    .map(([module, versions, databases, bindings, lock, source]): Manifest => {
      const { bindingsVersion: _, lockFile: __, ...rest } = manifest
      const origin = Object.assign({}, ...source)
      return {
        ...rest,
        module: { file: 'm.wasm', ...module },
        versions,
        databases,
        ...bindings,
        ...lock,
        source: origin
      }
    })
  fc.assert(fc.property(any, (given) => expect(parseManifest(formatManifest(given))).toEqual(given)))
})

test.each<[string, string, RegExp]>([
  ['no JSON', 'module', /not JSON/],
  ['a text of another kind', '{"database":"x"}', /not a module's manifest: format/],
  ['another format', changed((copy) => Object.assign(copy, { format: 2 })), /format 2.*reads format 1.*same version/s],
  [
    'a hash of another length',
    changed((copy) => Object.assign(copy.module ?? {}, { hash: 'ab' })),
    /module\.hash: not 64/
  ],
  ['a file elsewhere', changed((copy) => Object.assign(copy.module ?? {}, { file: '../x.wasm' })), /module\.file/],
  ['a part that is unknown', changed((copy) => Object.assign(copy, { extra: 1 })), /extra/],
  ['no module', changed((copy) => delete copy.module), /module/]
])('%s is no manifest', (_, text, message) => {
  expect(() => parseManifest(text)).toThrow(ConfigurationError)
  expect(() => parseManifest(text)).toThrow(message)
})

test('no text makes it throw anything else', () => {
  const refuses = (text: string) => {
    try {
      parseManifest(text)
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError)
    }
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), refuses))
})

describe('a module with its manifest', () => {
  test('is loaded when it is the one', async () => {
    await writeFile(join(folder, 'my-game.wasm'), bytes)
    const loaded = await loadDescribedModule(join(folder, 'module.json'))
    expect(loaded.module.hash).toBe(manifest.module.hash)
    expect(loaded.manifest).toEqual(manifest)
  })

  test('is refused when it is another', async () => {
    await writeFile(join(folder, 'my-game.wasm'), fixtureModule('rich.wasm'))
    await expect(loadDescribedModule(join(folder, 'module.json'))).rejects.toThrow(
      /my-game\.wasm is not the module that module\.json speaks of.*Take the artifact/s
    )
  })

  test('is refused when it is not there', async () => {
    await expect(readManifest(join(folder, 'nowhere.json'))).rejects.toThrow(/can't be read.*artifact of build-module/s)
  })
})
