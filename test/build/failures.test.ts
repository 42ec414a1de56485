import { readFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { BuildOptions } from '../../src/build/options.ts'
import { defaultBuildOptions } from '../../src/build/options.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type Building, build } from './building.ts'
import { type Files, scratch } from './files.ts'

/** Programs here are stand-ins: scripts that say what the real ones say, in a PATH of their own. */
const { folder } = scratch()

const sh = (text: string) => `#!/bin/sh\n${text}\n`

/** Builds a project of these files, with nothing in PATH but these programs and the shell's. */
async function buildWith(files: Files, programs: Files, building: Building = {}) {
  const workspace = await folder(files)
  const bin = await folder(programs)
  const environment = { PATH: [bin, '/usr/bin', '/bin'].join(delimiter), HOME: workspace, STAND_INS: bin }
  const result = await build(join(workspace, 'server'), {
    workspace,
    ...building,
    environment: { ...environment, ...building.environment }
  })
  return { result, workspace, bin }
}

const options = (more: Partial<BuildOptions>): BuildOptions => ({ ...defaultBuildOptions, ...more })

const rust = {
  'server/Cargo.toml': '[package]\nname = "game"\nversion = "0.1.0"\n',
  'server/src/lib.rs': '// nothing\n'
}
const csharp = {
  'server/Game.csproj': '<Project><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>',
  'server/Lib.cs': ''
}
const typescript = { 'server/package.json': '{}', 'server/src/index.ts': '', 'server/tsconfig.json': '{}' }
const cpp = { 'server/CMakeLists.txt': '' }

describe('a program that is missing', () => {
  test.each<[title: string, files: Files, programs: Files, building: Building, message: RegExp]>([
    ['cargo', rust, {}, {}, /^Rust is not installed: `cargo` was not found in PATH\. .* https:\/\/rustup\.rs/],
    ['dotnet', csharp, {}, {}, /^\.NET is not installed: `dotnet` was not found in PATH\. .*`actions\/setup-dotnet`/],
    [
      'the package manager of the lock file',
      { ...typescript, 'server/pnpm-lock.yaml': '' },
      {},
      {},
      /^The module's packages are locked by pnpm-lock\.yaml, and `pnpm` is not installed\./
    ],
    [
      'the CLI for C++',
      cpp,
      {},
      { builder: 'auto' },
      /^C\+\+ modules are built by the CLI alone: install it by setup-spacetimedb/
    ],
    [
      'the CLI, for a builder that is it',
      rust,
      {},
      { builder: 'cli' },
      /^`builder` is `cli`, and the CLI .* `builder: toolchain`/
    ],
    [
      'the CLI, where it is said to be',
      csharp,
      {},
      { builder: 'cli', cli: '/nowhere/spacetime' },
      /^The program `\/nowhere\/spacetime` was not found/
    ]
  ])('%s', async (_, files, programs, building, message) => {
    const built = buildWith(files, programs, building)
    await expect(built).rejects.toThrow(message)
    await expect(built).rejects.toBeInstanceOf(ConfigurationError)
  })
})

describe('options that do not fit', () => {
  test.each<[title: string, files: Files, given: BuildOptions, building: Building, message: RegExp]>([
    [
      'features for TypeScript',
      typescript,
      options({ features: 'a' }),
      {},
      /^The module is TypeScript, and .* `features` is for Rust\. Leave it out/
    ],
    ['a .NET for Rust', rust, options({ dotnetVersion: 8 }), {}, /`dotnet-version` is for C#/],
    [
      'native-aot with the CLI',
      csharp,
      options({ nativeAot: true }),
      { builder: 'cli', cli: 'spacetime' },
      /^`spacetime build` has no option for `native-aot`/
    ]
  ])('%s', async (_, files, given, building, message) => {
    await expect(buildWith(files, {}, { ...building, options: given })).rejects.toThrow(message)
  })
})

describe('cargo that fails', () => {
  const metadata = (crateTypes: string) =>
    `echo '{"target_directory": "'$PWD'/target", "workspace_root": "'$PWD'", "packages": [{"name": "game", "manifest_path": "'$PWD'/Cargo.toml", "targets": [{"name": "game", "crate_types": ["${crateTypes}"]}]}]}'`
  const cargo = (build: string) =>
    sh(`case "$1" in metadata) ${metadata('cdylib')};; --version) echo "cargo 1.99.0";; *) ${build};; esac`)
  const rustc = sh('case "$2" in target-libdir) echo /usr;; *) echo "rustc 1.99.0";; esac')

  test('as the crate is no cdylib', async () => {
    const built = buildWith(rust, { cargo: sh(metadata('lib')), rustc })
    await expect(built).rejects.toThrow(
      /^The crate game makes no WebAssembly module: its `crate-type` is not `cdylib`\. .* `\[lib\]`/
    )
  })

  test('as it can not read the project', async () => {
    const { result } = await buildWith(rust, { cargo: sh('echo "error: no targets specified" >&2; exit 101'), rustc })
    expect(result).toMatchObject({
      kind: 'failed',
      reason: "cargo can't read the project: error: no targets specified"
    })
  })

  test('as the target is not installed, and rustup can not install it', async () => {
    const { result } = await buildWith(rust, {
      cargo: cargo('exit 1'),
      rustc: sh('case "$2" in target-libdir) echo /nowhere;; *) echo "rustc 1.99.0";; esac'),
      rustup: sh('echo "error: could not download" >&2; exit 1')
    })
    expect(result).toMatchObject({
      kind: 'failed',
      reason: '`rustup` failed (exit code 1). The target wasm32-unknown-unknown is not installed.',
      output: '$ rustup target add wasm32-unknown-unknown\nerror: could not download'
    })
  })

  test('as the sources print', async () => {
    const files = { ...rust, 'server/src/deep/mod.rs': 'fn f() {\n    eprintln!("x");\n}\n' }
    const { result } = await buildWith(files, { cargo: cargo('exit 1'), rustc })
    expect(result).toMatchObject({
      kind: 'failed',
      reason: 'The module prints to nowhere.',
      complaints: [
        {
          message: expect.stringMatching(/^`eprintln!` prints nothing/),
          place: { file: 'server/src/deep/mod.rs', line: 2 }
        }
      ]
    })
  })

  test('as a browser is missing', async () => {
    const wasm = [
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      1,
      4,
      1,
      0x60,
      0,
      0,
      2,
      26,
      1,
      3,
      ...Buffer.from('env'),
      18,
      ...Buffer.from('__getrandom_custom'),
      0,
      0
    ]
    const { result } = await buildWith(
      { ...rust, 'module.wasm': '' },
      {
        cargo: cargo(
          `mkdir -p target && printf '${wasm.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}' > target/game.wasm; echo '{"reason":"compiler-artifact","manifest_path":"'$PWD'/Cargo.toml","target":{"crate_types":["cdylib"]},"filenames":["'$PWD'/target/game.wasm"]}'`
        ),
        rustc
      }
    )
    expect(result).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^The module needs getrandom, .*`ctx\.rng\(\)`/)
    })
  })

  test('while the action is cancelled', async () => {
    const cancelled = new AbortController()
    const cargoThatTakesLong = cargo('echo started >&2; exec sleep 60')
    setTimeout(() => cancelled.abort(), 1500)
    const { result } = await buildWith(rust, { cargo: cargoThatTakesLong, rustc }, { signal: cancelled.signal })
    expect(result).toMatchObject({ kind: 'failed', reason: 'The build was cancelled.' })
  })
})

describe('packages that can not be installed', () => {
  test('by npm', async () => {
    const npm = sh('echo "npm error code EUSAGE" >&2; exit 1')
    const { result } = await buildWith({ ...typescript, 'server/package-lock.json': '{}' }, { npm })
    expect(result).toMatchObject({
      kind: 'failed',
      reason: 'The packages of the module could not be installed. `npm ci --no-audit --no-fund` failed (exit code 1).',
      output: '$ npm ci --no-audit --no-fund\nnpm error code EUSAGE'
    })
  })

  test.each<[lock: string, text: string, command: string]>([
    ['pnpm-lock.yaml', '', 'pnpm install --frozen-lockfile'],
    ['yarn.lock', '# yarn lockfile v1', 'yarn install --frozen-lockfile'],
    ['yarn.lock', '__metadata:\n  version: 8', 'yarn install --immutable'],
    ['bun.lock', '{}', 'bun install --frozen-lockfile']
  ])('%s (%s): %s', async (lock, text, command) => {
    const fails = sh('exit 1')
    const { result } = await buildWith(
      { ...typescript, [`server/${lock}`]: text },
      { pnpm: fails, yarn: fails, bun: fails }
    )
    expect(result).toMatchObject({ kind: 'failed', output: `$ ${command}` })
  })

  test('a lock file of a workspace above is used there, and one of nothing in common is not', async () => {
    const npm = sh('echo "in $PWD"; exit 1')
    const above = { ...typescript, 'package-lock.json': '{}' }
    const shared = await buildWith({ ...above, 'package.json': '{"workspaces": ["server"]}' }, { npm })
    expect(shared.result.said).toBe(`$ npm ci --no-audit --no-fund\nin ${shared.workspace}`)
    const apart = await buildWith({ ...above, 'package.json': '{}' }, { npm })
    expect(apart.result.said).toMatch(/^There is no lock file: .*\n\$ npm install --no-package-lock .*\nin .*\/server$/)
  })

  test("by Yarn's Plug'n'Play, where nothing finds them", async () => {
    const files = { ...typescript, 'server/yarn.lock': '__metadata:\n  version: 8' }
    const { result } = await buildWith(files, { yarn: sh('touch .pnp.cjs') })
    expect(result).toMatchObject({
      reason:
        "The packages were installed by Yarn's Plug'n'Play, and what builds modules looks for them in `node_modules`. " +
        'Add `nodeLinker: node-modules` to .yarnrc.yml.'
    })
  })

  test('without the bindings among them', async () => {
    const { result } = await buildWith({ ...typescript, 'server/package-lock.json': '{}' }, { npm: sh('exit 0') })
    expect(result).toMatchObject({
      reason:
        'The packages were installed, and `spacetimedb` is not among them. Add it to `dependencies` in package.json.'
    })
  })
})

/** A stand-in for .NET's SDK, after crates/cli/src/tasks/csharp.rs: no real one is at hand. */
describe('dotnet', () => {
  const dotnet = (more: string, version = '8.0.404') =>
    sh(`echo "$* (aot: $EXPERIMENTAL_WASM_AOT)" >> "$STAND_INS/calls"
case "$1" in --version) echo ${version};; workload) echo wasi-experimental;; publish) ${more};; esac`)
  const makes = (path: string) => `mkdir -p ${dirname(path)} && echo module > ${path}`
  const calls = async (bin: string) =>
    (await readFile(join(bin, 'calls'), 'utf8'))
      .trim()
      .split('\n')
      .filter((call) => !call.startsWith('--version'))

  test('builds for .NET 8 with what was restored for that alone', async () => {
    const { result, workspace, bin } = await buildWith(csharp, {
      dotnet: dotnet(makes('bin/Release/net8.0/wasi-wasm/AppBundle/StdbModule.wasm'))
    })
    const file = join(workspace, 'server/bin/Release/net8.0/wasi-wasm/AppBundle/StdbModule.wasm')
    expect(result).toMatchObject({ kind: 'built', file, language: 'csharp', tools: { dotnet: '8.0.404' } })
    expect(await calls(bin)).toEqual([
      'workload list (aot: )',
      'restore Game.csproj --force -p:TargetFrameworks=net8.0 (aot: )',
      'publish Game.csproj -c Release -f net8.0 -v quiet --no-restore --force -p:TargetFrameworks=net8.0 (aot: )'
    ])
  })

  test('gives the module to wasm-opt when there is one, and keeps it as it is when that fails', async () => {
    const made = dotnet(makes('bin/Release/net8.0/wasi-wasm/AppBundle/StdbModule.wasm'))
    const optimised = await buildWith(csharp, {
      dotnet: made,
      'wasm-opt': sh('test "$1" = --version && echo "wasm-opt version 99" || echo smaller > "$6"')
    })
    expect(optimised.result).toMatchObject({
      kind: 'built',
      file: expect.stringMatching(/StdbModule\.opt\.wasm$/),
      tools: { 'wasm-opt': 'wasm-opt version 99' }
    })
    const failed = await buildWith(csharp, { dotnet: made, 'wasm-opt': sh('echo half > "$6"; exit 1') })
    expect(failed.result).toMatchObject({ kind: 'built', file: expect.stringMatching(/StdbModule\.wasm$/) })
    expect(failed.result.said).toContain('`wasm-opt` failed (exit code 1). The module is left as it is.')
  })

  test('compiles ahead of time for .NET 10', async () => {
    const { result, bin } = await buildWith(
      {
        'server/Game.csproj':
          '<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>'
      },
      { dotnet: dotnet(makes('bin/Debug/net10.0/wasi-wasm/native/StdbModule.wasm'), '10.0.100') },
      { options: options({ debug: true }) }
    )
    expect(result).toMatchObject({ kind: 'built', file: expect.stringMatching(/native\/StdbModule\.wasm$/) })
    expect(await calls(bin)).toEqual(['publish Game.csproj -c Debug -f net10.0 -v quiet (aot: 1)'])
  })

  test('that is another version than the module needs', async () => {
    const built = buildWith(csharp, { dotnet: dotnet('', '9.0.100') })
    await expect(built).rejects.toThrow(
      /^The module needs the SDK of \.NET 8, and `dotnet` is 9\.0\.100 there\. .*global\.json/
    )
  })

  test('that finds mistakes', async () => {
    const { result } = await buildWith(csharp, {
      dotnet: dotnet('echo "$PWD/Lib.cs(12,5): error CS0103: The name \'x\' does not exist [$PWD/Game.csproj]"; exit 1')
    })
    expect(result).toMatchObject({
      kind: 'failed',
      reason: '`dotnet publish` failed (exit code 1).',
      complaints: [
        {
          code: 'CS0103',
          message: "The name 'x' does not exist",
          place: { file: 'server/Lib.cs', line: 12, column: 5 }
        }
      ]
    })
  })

  test('that makes nothing: the module of an earlier build is not taken', async () => {
    const old = { 'server/bin/Release/net8.0/wasi-wasm/AppBundle/StdbModule.wasm': 'old' }
    const { result } = await buildWith({ ...csharp, ...old }, { dotnet: dotnet('true') })
    expect(result).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/made no module: there is none of bin\/Release/)
    })
  })
})

/** A stand-in for the CLI that makes nothing of the sources: for what it says, and for where its files are. */
describe('the CLI', () => {
  const cli = async (script: string) => {
    const bin = await folder({
      spacetime: sh(
        `case "$1" in --version) echo "spacetimedb tool version 2.8.3; spacetimedb-lib version 2.8.3;";; *) ${script};; esac`
      )
    })
    return join(bin, 'spacetime')
  }

  test('says what is wrong without its stack', async () => {
    const spacetime = await cli(
      'printf "Error: `emcc` not found in PATH.\\n\\nStack backtrace:\\n   0: main\\n" >&2; exit 1'.replaceAll(
        '`',
        '\\`'
      )
    )
    const { result } = await buildWith(cpp, {}, { builder: 'auto', cli: spacetime })
    expect(result).toMatchObject({
      kind: 'failed',
      builder: 'cli',
      reason: '`spacetime build` failed (exit code 1). `emcc` not found in PATH.'
    })
  })

  test('is given the options, and its newest module is taken, but none of an earlier build', async () => {
    const spacetime = await cli(
      'echo "$@"; mkdir -p $3/build/sub; echo a > $3/build/sub/game.wasm; sleep 0.1; echo b > $3/build/sub/game.opt.wasm'
    )
    const { result, workspace } = await buildWith(
      {
        ...cpp,
        'server/build/committed.wasm': 'old',
        'server/build/sub/game.wasm': 'old',
        'server/build/sub/gone.wasm': 'old',
        'server/build/sub/CMakeFiles/gone.dir/link.txt': ''
      },
      {},
      { builder: 'cli', cli: spacetime, options: options({ debug: true }) }
    )
    expect(result).toMatchObject({
      kind: 'built',
      file: join(workspace, 'server/build/sub/game.opt.wasm'),
      tools: { cli: expect.stringContaining('2.8.3') }
    })
    expect(result.said).toContain(`build --module-path ${join(workspace, 'server')} --debug`)
    expect(await readFile(join(workspace, 'server/build/committed.wasm'), 'utf8')).toBe('old')
    await expect(readFile(join(workspace, 'server/build/sub/gone.wasm'))).rejects.toThrow('ENOENT')
  })

  test('that makes nothing: the module of an earlier build is not taken', async () => {
    const { result } = await buildWith(
      { ...cpp, 'server/build/old.wasm': 'old' },
      {},
      { builder: 'cli', cli: await cli('true') }
    )
    expect(result).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('but none was found where it puts them')
    })
  })

  test('bundles TypeScript with packages that are installed first', async () => {
    const npm = sh('mkdir -p node_modules/spacetimedb && echo "{}" > node_modules/spacetimedb/package.json')
    const spacetime = await cli(
      'test -e $3/dist/bundle.js && exit 7; test -e $3/node_modules/spacetimedb || exit 8; mkdir -p $3/dist && echo new > $3/dist/bundle.js'
    )
    const files = { ...typescript, 'server/package-lock.json': '{}', 'server/dist/bundle.js': 'old' }
    const { result, workspace } = await buildWith(files, { npm }, { builder: 'auto', cli: spacetime })
    expect(result).toMatchObject({ kind: 'built', builder: 'cli', file: join(workspace, 'server/dist/bundle.js') })
    expect(await readFile(join(workspace, 'server/dist/bundle.js'), 'utf8')).toBe('new\n')
  })

  test('gets no tokens, and no files of the runner', async () => {
    const secrets = {
      INPUT_TOKEN: 'a',
      STATE_token: 'b',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'c',
      GITHUB_OUTPUT: '/d',
      RUST_BACKTRACE: '1',
      KEPT: 'e'
    }
    const { result } = await buildWith(cpp, {}, { builder: 'cli', cli: await cli('env; exit 1'), environment: secrets })
    const names = result.said.split('\n').map((line) => line.split('=')[0])
    expect(names).toContain('KEPT')
    expect(names.filter((name) => Object.keys(secrets).includes(`${name}`))).toEqual(['KEPT'])
  })
})
