import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { compareBindings, writeBindings } from '../../src/build/bindings.ts'
import type { BindingsTarget } from '../../src/build/bindings-list.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { runProgram } from '../../src/process.ts'
import { fixtureModule } from '../fixtures.ts'
import { installPrograms } from '../stand-ins/archives.ts'

jest.setTimeout(60_000)

const root = mkdtempSync(join(tmpdir(), 'bindings-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const installed = await installPrograms(join(root, 'bin'), '2.8.3')
const newer = await installPrograms(join(root, 'newer'), '2.8.4')
const target: BindingsTarget = { language: 'typescript', folder: 'client/bindings', options: [] }

let workspace: string
let tools: Parameters<typeof compareBindings>[2]
beforeEach(() => {
  workspace = mkdtempSync(join(root, 'workspace-'))
  const environment = { PATH: process.env.PATH, HOME: workspace, TMPDIR: root }
  tools = { run: runProgram, cli: installed['spacetimedb-cli'], environment, workspace }
})

function module(name: string) {
  const path = join(root, name)
  writeFileSync(path, fixtureModule(name))
  return { path, kind: 'wasm' as const }
}

const committed = (...path: string[]) => join(workspace, 'client/bindings', ...path)
const indexOf = () => committed('index.ts')

test('bindings that were written are up to date, and nothing else is left', async () => {
  const written = await writeBindings(target, module('counter.wasm'), tools)
  expect(written.changes.length).toBeGreaterThan(1)
  expect(written.changes.every(({ kind }) => kind === 'missing')).toBe(true)
  expect(existsSync(indexOf())).toBe(true)
  expect((await compareBindings(target, module('counter.wasm'), tools)).changes).toEqual([])
  expect(readdirSync(join(workspace, 'client'))).toEqual(['bindings'])
})

describe('bindings of another module', () => {
  beforeEach(() => writeBindings(target, module('counter-additive.wasm'), tools))

  test('are stale: what differs and what is left over is told, and nothing is changed', async () => {
    const before = readdirSync(committed(), { recursive: true })
    const { changes, onlyVersion } = await compareBindings(target, module('counter.wasm'), tools)
    expect(onlyVersion).toBeUndefined()
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(['changed', 'left-over']))
    const index = changes.find(({ file }) => file === 'client/bindings/index.ts')
    expect(index?.diff).toMatch(/^--- a\/client\/bindings\/index\.ts\t?\n\+\+\+ b\/client\/bindings\/index\.ts/m)
    expect(readdirSync(committed(), { recursive: true })).toEqual(before)
  })

  test('are brought up to date: what is left over is removed, what was written by hand is kept', async () => {
    writeFileSync(committed('own.ts'), 'export const own = 1\n')
    const { changes } = await writeBindings(target, module('counter.wasm'), tools)
    const gone = changes.filter(({ kind }) => kind === 'left-over')
    expect(gone.length).toBeGreaterThan(0)
    for (const { file } of gone) expect(existsSync(join(workspace, file))).toBe(false)
    expect(readFileSync(committed('own.ts'), 'utf8')).toBe('export const own = 1\n')
    expect((await compareBindings(target, module('counter.wasm'), tools)).changes).toEqual([])
  })
})

test('what the CLI could not format is told, with the reason', async () => {
  await writeBindings(target, module('counter.wasm'), tools)
  const said = 'Could not format generated files: rustfmt: No such file or directory (os error 2)'
  const cli = join(workspace, 'spacetime')
  writeFileSync(cli, `#!/bin/sh\n${tools.cli} "$@" && echo '${said}' >&2\n`, { mode: 0o755 })
  const state = await compareBindings(target, module('counter.wasm'), { ...tools, cli })
  expect(state).toMatchObject({ changes: [], unformatted: said })
  expect(await compareBindings(target, module('counter.wasm'), tools)).not.toHaveProperty('unformatted')
})

test('a file that was edited differs', async () => {
  await writeBindings(target, module('counter.wasm'), tools)
  writeFileSync(indexOf(), readFileSync(indexOf(), 'utf8').replace('//', '// edited'))
  const { changes } = await compareBindings(target, module('counter.wasm'), tools)
  expect(changes).toMatchObject([{ file: 'client/bindings/index.ts', kind: 'changed' }])
  expect(changes[0]?.diff).toContain('-// edited')
})

test('line ends of Windows are no difference', async () => {
  await writeBindings(target, module('counter.wasm'), tools)
  writeFileSync(indexOf(), readFileSync(indexOf(), 'utf8').replaceAll('\n', '\r\n'))
  expect((await compareBindings(target, module('counter.wasm'), tools)).changes).toEqual([])
})

test('when only the version of the CLI differs, that is said', async () => {
  await writeBindings(target, module('counter.wasm'), tools)
  const other = { ...tools, cli: newer['spacetimedb-cli'] }
  const { changes, onlyVersion } = await compareBindings(target, module('counter.wasm'), other)
  expect(changes).toMatchObject([{ file: 'client/bindings/index.ts', kind: 'changed' }])
  expect(onlyVersion?.committed).toMatch(/^2\.8\.3 \(commit /)
  expect(onlyVersion?.generated).toMatch(/^2\.8\.4 \(commit /)
})

test('options are handed on', async () => {
  const all = { ...target, options: ['--include-private'] }
  await writeBindings(target, module('rich.wasm'), tools)
  const { changes } = await compareBindings(all, module('rich.wasm'), tools)
  expect(changes.some(({ kind }) => kind === 'missing')).toBe(true)
})

describe('what can not be', () => {
  test('a folder elsewhere', async () => {
    const elsewhere = compareBindings({ ...target, folder: '../bindings' }, module('counter.wasm'), tools)
    await expect(elsewhere).rejects.toThrow(/\.\.\/bindings is outside of the workspace/)
  })

  test('a folder that leads elsewhere', async () => {
    mkdirSync(join(root, 'outside'), { recursive: true })
    symlinkSync(join(root, 'outside'), join(workspace, 'client'))
    await expect(writeBindings(target, module('counter.wasm'), tools)).rejects.toThrow(/outside of the workspace/)
    expect(readdirSync(join(root, 'outside'))).toEqual([])
  })

  test('a module that the CLI refuses: its own words, and nothing is left', async () => {
    const path = join(root, 'no.wasm')
    writeFileSync(path, 'no module')
    const refused = compareBindings(target, { path, kind: 'wasm' }, tools)
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(/generate --lang typescript.*exit code 1.*could not extract schema/s)
    expect(readdirSync(join(workspace, 'client'))).toEqual([])
  })
})
