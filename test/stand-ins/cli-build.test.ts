import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { root } from '../../scripts/repository.ts'
import { type Ran, runProgram } from '../../src/process.ts'
import { fixtureModule } from '../fixtures.ts'
import { installPrograms } from './archives.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

const folder = mkdtempSync(join(tmpdir(), 'build-'))
const { 'spacetimedb-cli': program } = await installPrograms(join(folder, 'bin'), '2.8.3')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const environment = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, NO_COLOR: '1' }
const build = (...args: string[]) => runProgram({ program, args: ['build', ...args], environment, folder })

/** A fixture as a file; its path. */
function module(name: string): string {
  const path = join(folder, name)
  writeFileSync(path, fixtureModule(name))
  return path
}

/** A project of these files; its path. */
function project(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(folder, 'project-'))
  mkdirSync(join(path, 'src'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return path
}

/** With programs of a few lines in front of those of this machine. */
function buildWith(programs: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  const path = mkdtempSync(join(folder, 'path-'))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(path, name), 0o755)
  }
  const PATH = `${path}:${process.execPath.replace(/\/node$/, '')}:/usr/bin:/bin`
  return runProgram({
    program,
    args: ['build', ...args],
    environment: { ...environment, PATH }
  })
}

const rustc = 'echo /'
const artifact = (file: string) => JSON.stringify({ reason: 'compiler-artifact', filenames: [file] })

test('takes the last artifact that cargo names, and tells that there is no wasm-opt', async () => {
  const path = project({ 'Cargo.toml': '', 'src/lib.rs': '' })
  const cargo = `echo "$@" >&2; echo '${artifact('/of/a/dependency.rlib')}'; echo '${artifact(module('counter.wasm'))}'`
  const ended = await buildWith({ rustc, cargo }, '-p', path)
  expect(ended).toMatchObject({ exitCode: 0, stdout: 'Build finished successfully.\n' })
  expect(ended.stderr).toContain('--target=wasm32-unknown-unknown --release --message-format=json-render-diagnostics\n')
  expect(ended.stderr).toContain('Could not find wasm-opt to optimise the module.\n')
  expect(ended.stderr).toMatch(/Continuing with unoptimised module\.\n$/)
})

test('optimises beside the module with wasm-opt', async () => {
  const path = project({ 'Cargo.toml': '', 'src/lib.rs': '' })
  const programs = { rustc, cargo: `echo '${artifact(module('counter.wasm'))}'`, 'wasm-opt': 'cp "$4" "$6"' }
  const ended = await buildWith(programs, '-p', path)
  expect(ended.stderr).toBe('Optimising module with wasm-opt...\n')
  expect(readdirSync(folder)).toContain('counter.opt.wasm')
})

test('ends when cargo does, and when a module prints', async () => {
  const path = project({ 'Cargo.toml': '', 'src/lib.rs': 'println!("x")\n' })
  const linted = await buildWith({ rustc, cargo: 'exit 0' }, '-p', path)
  expect(linted).toMatchObject({ exitCode: 1, stdout: '' })
  expect(linted.stderr).toContain(`${join(path, 'src/lib.rs')}:1: println!("x")`)
  expect(linted.stderr).toContain('Error: Found 1 disallowed print statement(s).')
  const failed = await buildWith({ rustc, cargo: 'exit 101' }, '-p', path, '--lint-dir=')
  expect(failed).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/Error: command \["cargo", .* exited with code 101\n$/)
  })
})

const bundlerMissing = existsSync(join(root, 'node_modules/rolldown')) ? '' : ' (skipped: rolldown is not installed)'

describe(`of TypeScript${bundlerMissing}`, () => {
  const bundling = bundlerMissing === '' ? test : test.skip
  const module = `import { moduleHooks } from 'spacetime:sys@2.0'\nimport { text } from './text.ts'\n`
  const typescript = (index: string, files: Readonly<Record<string, string>> = {}) =>
    project({
      'package.json': '{}',
      'src/index.ts': index,
      'src/text.ts': `export const text: string = 'x'\n`,
      ...files
    })

  bundling('bundles it into one file', async () => {
    const path = typescript(`${module}export default { [moduleHooks]: text }\n`)
    const ended = await build('-p', path)
    expect(ended).toMatchObject({ exitCode: 0, stdout: 'Build finished successfully.\n' })
    expect(ended.stderr).toContain('tsc not found in node_modules.')
    const bundle = readFileSync(join(path, 'dist/bundle.js'), 'utf8')
    expect(bundle).toContain('spacetime:sys@2.0')
    expect(bundle).not.toContain('./text')
  })

  bundling.each([
    ['nothing of spacetimedb/server', 'export default 1\n', "doesn't import the `spacetimedb/server` package"],
    ['no default export', `${module}export const other = moduleHooks\n`, 'You must `export default schema(...);`'],
    ['an import that leads nowhere', `${module}import 'not-there'\nexport default 1\n`, 'not-there'],
    ['a mistake in its syntax', `${module}export default (\n`, 'PARSE_ERROR']
  ])('does not pass with %s', async (_, index, says) => {
    const ended = await build('-p', typescript(index))
    expect(ended).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining(says) })
  })

  test("ends as the project's own tsc does, with what it says", async () => {
    const path = typescript(module)
    mkdirSync(join(path, 'node_modules/.bin'), { recursive: true })
    const script = '#!/bin/sh\necho "src/index.ts(1,1): error TS1000: No."\nexit 2\n'
    writeFileSync(join(path, 'node_modules/.bin/tsc'), script, { mode: 0o755 })
    expect(await build('-p', path)).toMatchObject({
      exitCode: 2,
      stdout: 'src/index.ts(1,1): error TS1000: No.\n',
      stderr: ''
    })
  })
})

test('tells the language from the files, and compiles no C# or C++', async () => {
  expect(await build('-p', project({}))).toMatchObject({
    exitCode: 1,
    stderr: 'Error: Could not detect the language of the module. Are you in a SpacetimeDB project directory?\n'
  })
  const cpp = project({ 'CMakeLists.txt': '' })
  expect((await build('-p', cpp)).stderr).toContain('it compiles no C++')
  mkdirSync(join(cpp, 'build'))
  writeFileSync(join(cpp, 'build/lib.wasm'), fixtureModule('counter.wasm'))
  expect(await build('-p', cpp)).toMatchObject({ exitCode: 0 })
  expect((await build('-p', project({ 'a.csproj': '', 'package.json': '' }))).stderr).toContain('it compiles no C#')
})
