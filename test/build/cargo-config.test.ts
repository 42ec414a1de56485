import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { cfgHolds, rustFlags } from '../../src/build/cargo-config.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type Files, scratch } from './files.ts'

const { folder } = scratch()
const cfg = ['panic="abort"', 'target_arch="wasm32"', 'target_os="unknown"', 'debug_assertions']

async function flags(files: Files, environment: Record<string, string> = {}): Promise<string[]> {
  const root = await folder(files)
  return rustFlags({
    folder: join(root, 'repository/server'),
    cargoHome: join(root, 'home'),
    environment,
    target: 'wasm32-unknown-unknown',
    cfg
  })
}

/** https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags, and #hierarchical-structure */
describe('the flags that cargo gives rustc', () => {
  const build = { 'repository/.cargo/config.toml': '[build]\nrustflags = ["-Cbuild"]' }
  const target = {
    'repository/server/.cargo/config.toml': '[target.wasm32-unknown-unknown]\nrustflags = "-Ctarget  -Cb"'
  }

  test.each<[title: string, files: Files, environment: Record<string, string>, expected: string[]]>([
    ['none', {}, {}, []],
    ['of the build', build, {}, ['-Cbuild']],
    ['of the build, joined by a variable', build, { CARGO_BUILD_RUSTFLAGS: '-Cv' }, ['-Cbuild', '-Cv']],
    ['of the target before those of the build', { ...build, ...target }, {}, ['-Ctarget', '-Cb']],
    [
      'of the target, joined by a variable',
      target,
      { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: '-Cv' },
      ['-Ctarget', '-Cb', '-Cv']
    ],
    ['of RUSTFLAGS before all files', { ...build, ...target }, { RUSTFLAGS: ' -Ca  -Cb' }, ['-Ca', '-Cb']],
    [
      'of CARGO_ENCODED_RUSTFLAGS before RUSTFLAGS',
      build,
      { RUSTFLAGS: '-Ca', CARGO_ENCODED_RUSTFLAGS: '--cfg\u001fname="with space"' },
      ['--cfg', 'name="with space"']
    ],
    [
      'of all files, the nearest last',
      {
        'home/config.toml': '[build]\nrustflags = ["-Chome"]',
        ...build,
        'repository/server/.cargo/config.toml': '[build]\nrustflags = ["-Cserver"]'
      },
      {},
      ['-Chome', '-Cbuild', '-Cserver']
    ],
    [
      'of the older name of a file, if there are both',
      { ...build, 'repository/.cargo/config': '[build]\nrustflags = ["-Cold"]' },
      {},
      ['-Cold']
    ],
    [
      'of conditions that hold',
      {
        'repository/.cargo/config.toml':
          '[target.\'cfg(target_arch = "wasm32")\']\nrustflags = ["-Cwasm"]\n[target.\'cfg(windows)\']\nrustflags = ["-Cwindows"]\n' +
          '[target.x86_64-unknown-linux-gnu]\nrustflags = ["-Clinux"]\n[build]\nrustflags = ["-Cbuild"]'
      },
      {},
      ['-Cwasm']
    ],
    [
      'of included files',
      {
        'repository/.cargo/config.toml':
          'include = ["more.toml", { path = "none.toml", optional = true }]\n[build]\nrustflags = ["-Cown"]',
        'repository/.cargo/more.toml': '[build]\nrustflags = ["-Cmore"]'
      },
      {},
      ['-Cmore', '-Cown']
    ]
  ])('%s', async (_, files, environment, expected) => {
    expect(await flags(files, environment)).toEqual(expected)
  })

  test('a broken file is named', async () => {
    const broken = flags({ 'repository/.cargo/config.toml': '[build' })
    await expect(broken).rejects.toThrow(/^cargo's configuration .*config\.toml can't be read: /)
    await expect(broken).rejects.toBeInstanceOf(ConfigurationError)
  })
})

test.each<[expression: string, expected: boolean]>([
  ['cfg(debug_assertions)', true],
  ['cfg(unix)', false],
  ['cfg( target_arch = "wasm32" )', true],
  ['cfg(all())', true],
  ['cfg(any())', false],
  ['cfg(not(unix))', true],
  ['cfg(all(target_arch="wasm32", not(any(unix, windows)), target_os = "unknown"))', true],
  ['cfg(any(unix, all(target_arch="wasm32", feature="a,(b")))', false],
  ['cfg(true)', true],
  ['wasm32-unknown-unknown', false]
])('%s: %s', (expression, expected) => {
  expect(cfgHolds(expression, cfg)).toBe(expected)
})
