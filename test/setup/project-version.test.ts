import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../src/errors.ts'
import { type ProjectVersion, projectVersion } from '../../src/setup/project-version.ts'
import { temporaryFolders } from './folders.ts'

const makeFolder = temporaryFolders()

type Files = Readonly<Record<string, string>>

const cargo = '[package]\nname = "game"\n[dependencies]\nspacetimedb = "2.8"\n'
const locked = (version: string) =>
  `[[package]]\nname = "game"\nversion = "0.1.0"\ndependencies = ["spacetimedb"]\n[[package]]\nname = "spacetimedb"\nversion = "${version}"\n`
const packageJson = '{"name": "game", "dependencies": {"spacetimedb": "^2.8.0"}}'
const csproj = (version: string) =>
  `<Project><ItemGroup><PackageReference Include="SpacetimeDB.Runtime" Version="${version}" /></ItemGroup></Project>`

describe('the version of a project', () => {
  test.each<[title: string, folder: string, files: Files, expected: ProjectVersion]>([
    [
      'in Rust, locked',
      'spacetimedb',
      { 'spacetimedb/Cargo.toml': cargo, 'spacetimedb/Cargo.lock': locked('2.8.3') },
      { kind: 'exact', version: '2.8.3', reason: 'spacetimedb/Cargo.lock has spacetimedb 2.8.3' }
    ],
    [
      'in Rust, locked by the workspace above',
      'server',
      { 'server/Cargo.toml': cargo, 'Cargo.lock': locked('2.8.3') },
      { kind: 'exact', version: '2.8.3', reason: 'Cargo.lock has spacetimedb 2.8.3' }
    ],
    [
      'in Rust, not locked',
      '.',
      { 'Cargo.toml': cargo },
      {
        kind: 'range',
        range: '^2.8',
        reason: 'Cargo.toml asks for spacetimedb ^2.8, and there is no lock file that says more'
      }
    ],
    [
      'in Rust, pinned without a lock file',
      '.',
      { 'Cargo.toml': '[dependencies]\nspacetimedb = "=2.8.3"' },
      {
        kind: 'exact',
        version: '2.8.3',
        reason: 'Cargo.toml asks for spacetimedb =2.8.3, and there is no lock file that says more'
      }
    ],
    [
      'in TypeScript, locked',
      '.',
      {
        'package.json': packageJson,
        'package-lock.json': '{"packages": {"": {}, "node_modules/spacetimedb": {"version": "2.8.3"}}}'
      },
      { kind: 'exact', version: '2.8.3', reason: 'package-lock.json has spacetimedb 2.8.3' }
    ],
    [
      'in TypeScript, not locked',
      '.',
      { 'package.json': packageJson },
      {
        kind: 'range',
        range: '^2.8.0',
        reason: 'package.json asks for spacetimedb ^2.8.0, and there is no lock file that says more'
      }
    ],
    [
      'in C#, exact',
      '.',
      { 'Game.csproj': csproj('2.8.3') },
      {
        kind: 'exact',
        version: '2.8.3',
        reason: 'Game.csproj asks for SpacetimeDB.Runtime 2.8.3, and there is no lock file that says more'
      }
    ],
    [
      'in C#, floating',
      '.',
      { 'Game.csproj': csproj('2.8.*') },
      {
        kind: 'range',
        range: '2.8.x',
        reason: 'Game.csproj asks for SpacetimeDB.Runtime 2.8.x, and there is no lock file that says more'
      }
    ],
    [
      'in C#, locked',
      '.',
      {
        'Game.csproj': csproj('2.8.*'),
        'packages.lock.json': '{"dependencies": {"net8.0": {"SpacetimeDB.Runtime": {"resolved": "2.8.3"}}}}'
      },
      { kind: 'exact', version: '2.8.3', reason: 'packages.lock.json has SpacetimeDB.Runtime 2.8.3' }
    ]
  ])('%s', async (_, folder, files, expected) => {
    const top = makeFolder(files)
    expect(await projectVersion(join(top, folder), top)).toEqual(expected)
  })
})

describe('a project that does not tell', () => {
  test.each<[title: string, files: Files, says: RegExp]>([
    ['is none', {}, /no module project in the folder \..*Cargo\.toml.*`path`.*`version`/],
    ['is in C++', { 'CMakeLists.txt': '' }, /C\+\+ project in \..*`version`/],
    ['depends on something else', { 'Cargo.toml': '[package]\nname = "game"' }, /Rust project.*looked at: Cargo\.toml/],
    [
      'has the old client only',
      { 'package.json': '{"dependencies": {"@clockworklabs/spacetimedb-sdk": "1.0.0"}}' },
      /TypeScript project.*package\.json/
    ],
    [
      'has a broken lock file',
      { 'Cargo.toml': '[package]\nname = "g"', 'Cargo.lock': '<<<<<<< HEAD' },
      /Cargo\.lock can't be read/
    ],
    [
      'is locked to no version',
      { 'Cargo.toml': cargo, 'Cargo.lock': locked('two') },
      /Cargo\.lock has "two", which is no version/
    ]
  ])('%s', async (_, files, says) => {
    const top = makeFolder(files)
    await expect(projectVersion(top, top)).rejects.toThrow(ConfigurationError)
    await expect(projectVersion(top, top)).rejects.toThrow(says)
  })
})

test('whatever the files hold, a version comes out or an error for the user', async () => {
  const names = fc.constantFrom(
    ...['Cargo.toml', 'Cargo.lock', 'package.json', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'],
    ...['Game.csproj', 'packages.lock.json', 'Directory.Packages.props']
  )
  const pieces = fc.constantFrom(
    ...[cargo, locked('2.8.3'), packageJson, csproj('*'), '{', '}', '[[package]]', 'spacetimedb', ': ', '\n', '"', '['],
    ...['spacetimedb@^2.8.0:\n  version "x"', 'packages:', '__metadata:\n', '<Project>', 'null', '{"packages": null}']
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 6 }).map((all) => all.join('')),
    fc.json()
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, text, { maxKeys: 4 }), async (files) => {
      const top = makeFolder(files)
      const version = await projectVersion(top, top).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ConfigurationError)
      })
      if (version) expect(version.reason).not.toBe('')
    }),
    { numRuns: 150 }
  )
})
