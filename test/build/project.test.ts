import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { planBuilds } from '../../src/build/plan.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type Files, scratch } from './files.ts'

const { folder } = scratch()

const crate = '[package]\nname = "game"\n[lib]\ncrate-type = ["cdylib"]\n[dependencies]\nspacetimedb = "2.8"\n'
const npm = '{"dependencies": {"spacetimedb": "2.8.3"}}'

async function plan(files: Files, path?: string) {
  const workspace = await folder(files)
  return { workspace, plan: await planBuilds({ workspace, path, environment: undefined }) }
}

describe('the project', () => {
  test.each<[title: string, files: Files, path: string | undefined, found: string, language: string]>([
    ['in the folder itself', { 'Cargo.toml': crate }, undefined, '.', 'rust'],
    [
      'in spacetimedb/',
      { 'package.json': '{}', 'spacetimedb/package.json': npm },
      undefined,
      'spacetimedb',
      'typescript'
    ],
    [
      'in the folder, when spacetimedb/ has none',
      { 'Cargo.toml': crate, 'spacetimedb/README.md': '' },
      undefined,
      '.',
      'rust'
    ],
    ['where `path` says', { 'server/Game.csproj': '', 'package.json': npm }, 'server', 'server', 'csharp'],
    ['where `path` says, in other words', { 'server/CMakeLists.txt': '' }, './server/../server/', 'server', 'cpp'],
    ['Rust before C#, as the CLI has it', { 'Cargo.toml': crate, 'Game.csproj': '' }, undefined, '.', 'rust'],
    ['C# before TypeScript', { 'Game.csproj': '', 'package.json': '{}' }, undefined, '.', 'csharp'],
    ['TypeScript before C++', { 'package.json': npm, 'CMakeLists.txt': '' }, undefined, '.', 'typescript']
  ])('%s', async (_, files, path, found, language) => {
    const { workspace, plan: planned } = await plan(files, path)
    expect(planned.builds.map(({ project }) => project)).toEqual([{ folder: join(workspace, found), language }])
  })
})

describe('no project', () => {
  const workspaceToml = '[workspace]\nmembers = ["server", "shared"]\n'
  const member = { 'server/Cargo.toml': crate, 'shared/Cargo.toml': '[package]\nname = "shared"\n' }
  test.each<[title: string, files: Files, path: string | undefined, message: RegExp]>([
    [
      'anywhere',
      { 'README.md': '' },
      undefined,
      /^No module project was found in `spacetimedb` or `\.`: looked for Cargo\.toml \(Rust\), \*\.csproj \(C#\), package\.json \(TypeScript\), CMakeLists\.txt \(C\+\+\), and for a spacetime\.json that names one\. Give the folder of the module's sources as `path`\.$/
    ],
    [
      'where it is looked for',
      { 'games/chess/package.json': npm },
      undefined,
      /bindings here: `path: games\/chess`\.$/
    ],
    [
      'in the folder',
      { 'server/README.md': '' },
      'server',
      /^There is no module project in `server`: looked for Cargo/
    ],
    [
      'as there is no folder',
      { 'Cargo.toml': crate },
      'sever',
      /^The module's folder `sever` does not exist \(.*\/sever\)\./
    ],
    [
      'as it is a file',
      { 'Cargo.toml': crate },
      'Cargo.toml',
      /^The module's folder `Cargo\.toml` is a file\. Give the folder/
    ],
    ['outside', { 'Cargo.toml': crate }, '..', /^The module's folder `\.\.` is outside of the workspace/],
    [
      'but a workspace',
      { 'Cargo.toml': workspaceToml, ...member },
      undefined,
      /^The Cargo\.toml in `\.` has no `\[package\]`: it is the root of a workspace, .* here: `path: server`\.$/
    ],
    ['in a broken Cargo.toml', { 'Cargo.toml': '[package' }, undefined, /^The Cargo\.toml in `\.` can't be read: /],
    ['but two', { 's/A.csproj': '', 's/B.csproj': '' }, 's', /^There are 2 projects in `s`: A\.csproj, B\.csproj\./]
  ])('%s', async (_, files, path, message) => {
    const planned = plan(files, path)
    await expect(planned).rejects.toThrow(message)
    await expect(planned).rejects.toBeInstanceOf(ConfigurationError)
  })

  test('outside, by a link', async () => {
    const outside = await folder({ 'Cargo.toml': crate })
    const workspace = await folder()
    await symlink(outside, join(workspace, 'server'))
    const planned = planBuilds({ workspace, path: 'server', environment: undefined })
    await expect(planned).rejects.toThrow(/outside of the workspace/)
  })
})
