import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { type BuildOptions, type Built, type Files, rustProject, startBuildStage, within } from './build-stage.ts'
import { hashOf } from './stage.ts'

/** Each test is a job or more, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const stage = await startBuildStage()
afterAll(() => stage.close())

const errors = ({ main, post }: Built) =>
  [...main.annotations, ...post.annotations].filter(({ level }) => level === 'error')

const off = { cache: 'false', 'upload-artifact': 'false' }
const build = ({ inputs, ...options }: BuildOptions) =>
  stage.build({ ...options, inputs: { ...off, cli: stage.cli, ...inputs } })

describe('bindings', () => {
  const bindings = 'typescript:client/bindings'

  /** What `bindings-mode: write` leaves in the workspace for a module. */
  async function written(module: string): Promise<{ built: Built; files: Files }> {
    const machine = stage.newMachine()
    const files: Record<string, string> = {}
    const inputs = { bindings, 'bindings-mode': 'write' }
    const built = await build({ machine, files: rustProject(module), inputs })
    for (const [, file = ''] of built.main.summary.matchAll(/^\| `(client\/bindings\/[^`]+)` \| added/gm)) {
      files[file] = readFileSync(join(machine.workspace, file), 'utf8')
    }
    return { built, files }
  }

  test('are written where that is wanted, and are then up to date', async () => {
    const { built, files } = await written('counter')
    expect(built.main.exitCode).toBe(0)
    expect(Object.keys(files)).toContain('client/bindings/index.ts')
    const again = await build({ files: { ...rustProject('counter'), ...files }, inputs: { bindings } })
    expect(again.main.exitCode).toBe(0)
    expect(again.main.summary).toContain('are up to date')
  })

  test('that are stale fail the step, with the differences in the summary and nothing changed', async () => {
    const { files } = await written('counter-additive')
    const machine = stage.newMachine()
    const stale = await build({
      machine,
      files: { ...rustProject('counter'), ...files },
      inputs: { bindings, 'upload-artifact': 'true' }
    })
    expect(stale.main.exitCode).toBe(1)
    expect(errors(stale)).toMatchObject([{ title: 'build-module: bindings are stale' }])
    expect(errors(stale)[0]?.message).toMatch(/client\/bindings \(typescript\): .*index\.ts differs/s)
    expect(stale.main.summary).toMatch(/```diff\n[\s\S]*--- a\/client\/bindings\//)
    expect(stale.main.outputs['module-hash']).toBe(hashOf('counter'))
    expect(stale.main.outputs['artifact-id']).toBeUndefined()
    for (const [file, text] of Object.entries(files)) {
      expect(readFileSync(join(machine.workspace, file), 'utf8')).toBe(text)
    }
    expect(existsSync(join(machine.workspace, 'client/bindings'))).toBe(true)
  })
})

test('bindings that differ because there is no formatter: the log and the error say so', async () => {
  const script = `#!/bin/sh\n${stage.cli} "$@" && case "$1" in generate) echo 'Could not format generated files: no rustfmt' >&2;; esac; exit 0\n`
  const inputs = { bindings: 'rust:client', cli: './spacetime' }
  const built = await build({ files: rustProject('counter', { spacetime: script }), inputs })
  expect(errors(built)).toMatchObject([{ title: 'build-module: bindings are stale' }])
  expect(errors(built)[0]?.message).toContain('The CLI said: Could not format generated files: no rustfmt')
  expect(built.main.log).toContain('Bindings in client: Could not format generated files: no rustfmt')
  expect(built.main.summary).toContain('Could not format generated files: no rustfmt')
})

describe('a wrong input is one error that tells what to do', () => {
  const project = rustProject('counter')
  test.each<[string, Omit<BuildOptions, 'files'> & { files?: Files }, RegExp]>([
    ['a folder that is not there', { inputs: { path: 'gaem' } }, /`gaem` does not exist.*actions\/checkout/],
    ['a folder without a module', { files: { 'x.txt': '' } }, /No module project.*Cargo\.toml/],
    ['an unknown builder', { inputs: { builder: 'make' } }, /`builder` is `make`.*`toolchain`/],
    ['an environment without a file', { inputs: { environment: 'staging' } }, /`staging`.*spacetime\.json/],
    [
      'a language that is none',
      { inputs: { bindings: 'python:client' } },
      /`python` is no language.*typescript:client/
    ],
    ['a mode without bindings', { inputs: { 'bindings-mode': 'write' } }, /`bindings-mode` goes with `bindings`/],
    [
      'a CLI that is not there',
      { inputs: { cli: './no/spacetime' } },
      /no program `\.\/no\/spacetime`.*`setup-spacetimedb`/
    ],
    [
      'bindings without a CLI',
      { inputs: { cli: 'spacetime', bindings: 'ts:c' } },
      /needs the SpacetimeDB CLI.*`setup-spacetimedb`/
    ],
    ['the CLI wanted, and none', { inputs: { cli: 'spacetime', builder: 'cli' } }, /not in PATH.*setup-spacetimedb/],
    ['days that are none', { inputs: { 'retention-days': '0' } }, /`retention-days` is `0`.*from `1` to `400`/],
    [
      'a name that no artifact can have',
      { inputs: { 'artifact-name': 'a/b', 'upload-artifact': 'true' } },
      /`artifact-name` is `a\/b`; allowed is a name without quotes/
    ],
    [
      'bindings of several modules',
      {
        files: {
          ...within('a', project),
          ...within('b', rustProject('rich')),
          'spacetime.json': '{"children":[{"database":"a","module-path":"a"},{"database":"b","module-path":"b"}]}'
        },
        inputs: { bindings: 'ts:client' }
      },
      /there are 2 modules.*`path`/
    ],
    [
      'modules that are built already',
      { files: { 'spacetime.json': '{"database":"a","bin-path":"a.wasm"}', 'a.wasm': '' } },
      /no project to build.*a\.wasm.*`deploy`/
    ]
  ])('%s', async (_, { files = project, ...options }, message) => {
    const built = await build({ files, ...options })
    expect(built.main.exitCode).toBe(1)
    expect(errors(built)).toHaveLength(1)
    expect(errors(built)[0]?.message).toMatch(message)
    expect(built.post.exitCode).toBe(0)
  })
})
