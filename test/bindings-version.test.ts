import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { findBindingsVersion } from '../src/bindings-version.ts'
import { lockFileReaders } from '../src/lock-files.ts'
import type { ModuleLanguage } from '../src/module-language.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bindings-version-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

type Files = Readonly<Record<string, string>>

let count = 0
/** The answer for a module in `folder` of a repository with these files; paths in it are from the repository. */
async function find(language: ModuleLanguage, folder: string, files: Files) {
  const repository = join(root, `${count++}`)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(repository, path)), { recursive: true })
    await writeFile(join(repository, path), text)
  }
  const found = await findBindingsVersion(join(repository, folder), language, repository)
  return JSON.parse(JSON.stringify(found).replaceAll(`${repository}/`, ''))
}

const cargoToml = '[package]\nname = "game"\n[dependencies]\nspacetimedb = "2.8"\n'
const cargoLock = (...entries: string[]) => entries.map((entry) => `[[package]]\n${entry}\n`).join('\n')
const game = (dependency: string) => `name = "game"\nversion = "0.1.0"\ndependencies = ["log", "${dependency}"]`
const crate = (version: string) => `name = "spacetimedb"\nversion = "${version}"\nsource = "registry+x"`

describe('a Rust module', () => {
  test.each<[title: string, folder: string, files: Files, expected: object]>([
    [
      'its lock file',
      '.',
      { 'Cargo.toml': cargoToml, 'Cargo.lock': cargoLock(game('spacetimedb'), crate('2.8.3')) },
      { kind: 'locked', version: '2.8.3', file: 'Cargo.lock' }
    ],
    [
      "the workspace's lock file, which has a version for another member too",
      'server',
      {
        'server/Cargo.toml': cargoToml,
        'Cargo.lock': cargoLock(game('spacetimedb 2.8.3'), crate('1.12.0'), crate('2.8.3'))
      },
      { kind: 'locked', version: '2.8.3', file: 'Cargo.lock' }
    ],
    [
      'a lock file above that is not of its workspace',
      'server',
      { 'server/Cargo.toml': cargoToml, 'Cargo.lock': cargoLock(crate('1.12.0')) },
      { kind: 'required', range: '^2.8', file: 'server/Cargo.toml' }
    ],
    [
      'no lock file, and bounds',
      '.',
      { 'Cargo.toml': '[dependencies]\nspacetimedb = { version = ">=2.7, <2.9" }' },
      { kind: 'required', range: '>=2.7 <2.9', file: 'Cargo.toml' }
    ],
    [
      "its workspace's requirement",
      'server',
      {
        'server/Cargo.toml': '[dependencies]\nspacetimedb.workspace = true',
        'Cargo.toml': '[workspace.dependencies]\nspacetimedb = "=2.8.3"'
      },
      { kind: 'required', range: '=2.8.3', file: 'Cargo.toml' }
    ],
    [
      'a broken lock file',
      '.',
      { 'Cargo.toml': '[package]\nname = "game"', 'Cargo.lock': '<<<<<<< HEAD' },
      {
        kind: 'unknown',
        reason: expect.stringMatching(/^no file names the package `spacetimedb`; Cargo\.lock can't be read: /),
        lookedAt: ['Cargo.toml', 'Cargo.lock', 'Cargo.toml']
      }
    ]
  ])('%s', async (_, folder, files, expected) => {
    expect(await find('rust', folder, files)).toEqual(expected)
  })
})

const packageJson = '{"name": "game", "dependencies": {"spacetimedb": "^2.8.0"}}'

describe('a TypeScript module', () => {
  test.each<[title: string, folder: string, files: Files, expected: object]>([
    [
      'package-lock.json',
      '.',
      {
        'package.json': packageJson,
        'package-lock.json': '{"packages": {"": {}, "node_modules/spacetimedb": {"version": "2.8.3"}}}'
      },
      { kind: 'locked', version: '2.8.3', file: 'package-lock.json' }
    ],
    [
      'package-lock.json of npm 6',
      '.',
      { 'package.json': packageJson, 'package-lock.json': '{"dependencies": {"spacetimedb": {"version": "2.8.3"}}}' },
      { kind: 'locked', version: '2.8.3', file: 'package-lock.json' }
    ],
    [
      "a workspace's package-lock.json, where the client has another version",
      'server',
      {
        'server/package.json': packageJson,
        'package-lock.json': JSON.stringify({
          packages: {
            '': {},
            server: {},
            'node_modules/spacetimedb': { version: '1.12.0' },
            'server/node_modules/spacetimedb': { version: '2.8.3' }
          }
        })
      },
      { kind: 'locked', version: '2.8.3', file: 'package-lock.json' }
    ],
    [
      "a client's package-lock.json above, that does not cover it",
      'server',
      {
        'server/package.json': packageJson,
        'package-lock.json': '{"packages": {"": {}, "node_modules/spacetimedb": {"version": "1.12.0"}}}'
      },
      { kind: 'required', range: '^2.8.0', file: 'server/package.json' }
    ],
    [
      'pnpm-lock.yaml',
      'server',
      {
        'server/package.json': packageJson,
        'pnpm-lock.yaml':
          "lockfileVersion: '9.0'\nimporters:\n  server:\n    dependencies:\n      spacetimedb:\n        specifier: ^2.8.0\n        version: 2.8.3(react@19.0.0)\n"
      },
      { kind: 'locked', version: '2.8.3', file: 'pnpm-lock.yaml' }
    ],
    [
      'pnpm-lock.yaml of pnpm 7',
      '.',
      {
        'package.json': packageJson,
        'pnpm-lock.yaml': 'lockfileVersion: 5.4\ndependencies:\n  spacetimedb: 2.8.3_react@18.2.0\n'
      },
      { kind: 'locked', version: '2.8.3', file: 'pnpm-lock.yaml' }
    ],
    [
      'yarn.lock of yarn 1',
      '.',
      {
        'package.json': packageJson,
        'yarn.lock':
          '# yarn lockfile v1\n\n\nspacetimedb@^1.0.0:\n  version "1.12.0"\n\n"spacetimedb@2.8.3", spacetimedb@^2.8.0:\n  version "2.8.3"\n  resolved "x"\n'
      },
      { kind: 'locked', version: '2.8.3', file: 'yarn.lock' }
    ],
    [
      'yarn.lock of yarn 4',
      '.',
      {
        'package.json': packageJson,
        'yarn.lock':
          '__metadata:\n  version: 8\n\n"spacetimedb@npm:^2.8.0":\n  version: 2.8.3\n  resolution: "spacetimedb@npm:2.8.3"\n'
      },
      { kind: 'locked', version: '2.8.3', file: 'yarn.lock' }
    ],
    [
      'bun.lock',
      '.',
      {
        'package.json': packageJson,
        'bun.lock': '{"workspaces": {"": {"name": "game",},}, "packages": {"spacetimedb": ["spacetimedb@2.8.3", ""],},}'
      },
      { kind: 'locked', version: '2.8.3', file: 'bun.lock' }
    ],
    [
      'of two lock files the one that the CLI installs by',
      '.',
      {
        'package.json': packageJson,
        'package-lock.json': '{"packages": {"": {}, "node_modules/spacetimedb": {"version": "2.8.1"}}}',
        'yarn.lock': '# yarn lockfile v1\n\n\nspacetimedb@^2.8.0:\n  version "2.8.3"\n'
      },
      { kind: 'locked', version: '2.8.3', file: 'yarn.lock' }
    ],
    [
      'a folder instead of a version',
      '.',
      { 'package.json': '{"dependencies": {"spacetimedb": "file:../sdk"}}' },
      { kind: 'unknown', reason: 'no file names the package `spacetimedb`', lookedAt: ['package.json'] }
    ]
  ])('%s', async (_, folder, files, expected) => {
    expect(await find('typescript', folder, files)).toEqual(expected)
  })
})

const csproj = (version: string) =>
  `<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="SpacetimeDB.Runtime" Version="${version}" /></ItemGroup></Project>`

describe('a C# module', () => {
  test.each<[title: string, files: Files, expected: object]>([
    [
      'packages.lock.json',
      {
        'Game.csproj': csproj('2.8.*'),
        'packages.lock.json': '{"dependencies": {"net8.0": {"SpacetimeDB.Runtime": {"resolved": "2.8.3"}}}}'
      },
      { kind: 'locked', version: '2.8.3', file: 'packages.lock.json' }
    ],
    ['a version', { 'Game.csproj': csproj('2.8.3') }, { kind: 'required', range: '2.8.3', file: 'Game.csproj' }],
    ['a floating one', { 'Game.csproj': csproj('2.8.*') }, { kind: 'required', range: '2.8.x', file: 'Game.csproj' }],
    ['exactly one', { 'Game.csproj': csproj('[2.8.3]') }, { kind: 'required', range: '2.8.3', file: 'Game.csproj' }],
    ['bounds', { 'Game.csproj': csproj('(2.7, 2.9)') }, { kind: 'required', range: '>2.7 <2.9', file: 'Game.csproj' }],
    [
      'versions in one place',
      {
        'Game.csproj': '<Project><ItemGroup><PackageReference Include="SpacetimeDB.Runtime" /></ItemGroup></Project>',
        'Directory.Packages.props':
          '<Project><ItemGroup><PackageVersion Include="SpacetimeDB.Runtime" Version="2.8.3" /></ItemGroup></Project>'
      },
      { kind: 'required', range: '2.8.3', file: 'Directory.Packages.props' }
    ]
  ])('%s', async (_, files, expected) => {
    expect(await find('csharp', '.', files)).toEqual(expected)
  })
})

test('a C++ module has no such file', async () => {
  expect(await find('cpp', '.', { 'CMakeLists.txt': '' })).toMatchObject({ kind: 'unknown' })
})

describe('any text', () => {
  const pieces = fc.constantFrom(
    'spacetimedb',
    '@',
    '2.8.3',
    ':',
    '\n',
    ' ',
    '"',
    '{',
    '}',
    '[',
    ']',
    'version',
    ',',
    '__metadata:'
  )
  test.each(Object.entries(lockFileReaders))('%s is read, or refused with an error', (_, read) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces).map((all) => all.join('')),
          fc.json()
        ),
        (text) => {
          let version: string | undefined
          try {
            version = read(text, 'spacetimedb', { folder: '', name: 'game', requirement: '^2.8.0' })
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
          expect(['string', 'undefined']).toContain(typeof version)
        }
      )
    )
  })
})
