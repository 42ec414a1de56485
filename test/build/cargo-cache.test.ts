import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { crateFileTest, removeCrates } from '../../src/build/cargo-cache.ts'
import { sha256Of } from '../../src/build/manifest.ts'

const root = mkdtempSync(join(tmpdir(), 'cargo-cache-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const hash = '0123456789abcdef'

test.each([
  `my-game-${hash}`,
  `my_game-${hash}.d`,
  `libmy_game-${hash}.rlib`,
  `libmy_game-${hash}.rmeta`,
  'my_game.wasm',
  'my_game.d',
  `my_game-${hash}.my_game.a1b2c3-cgu.0.rcgu.o`
])('%s is of the crate my-game', (name) => expect(crateFileTest(['my-game'])(name)).toBe(true))

test.each([
  `my-game-core-${hash}`,
  `libmy_game_core-${hash}.rlib`,
  `my-${hash}`,
  `libserde-${hash}.rlib`,
  `lib-${hash}`
])('%s is of another', (name) => expect(crateFileTest(['my-game'])(name)).toBe(false))

test('what cargo names after a crate is of it, whatever the name', () => {
  const crate = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/)
  const hex = fc.stringMatching(/^[0-9a-f]{16}$/)
  fc.assert(
    fc.property(crate, hex, (name, digits) => {
      const library = name.replaceAll('-', '_')
      const isOfIt = crateFileTest([name])
      expect(isOfIt(`${name}-${digits}`)).toBe(true)
      expect(isOfIt(`lib${library}-${digits}.rlib`)).toBe(true)
      expect(isOfIt(`${library}.wasm`)).toBe(true)
    })
  )
})

test('crates of the project and any file that is the module are removed, and nothing else', async () => {
  const module = 'the module'
  const files = {
    [`deps/libserde-${hash}.rlib`]: 'serde',
    [`deps/libmy_game-${hash}.rlib`]: 'mine',
    'deps/my_game.wasm': module,
    [`deps/renamed-${hash}.wasm`]: module,
    [`deps/other-${hash}.wasm`]: 'The module',
    [`.fingerprint/my-game-${hash}/lib-my-game`]: 'x',
    [`.fingerprint/serde-${hash}/lib-serde`]: 'x'
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const folders = ['deps', '.fingerprint', 'build'].map((name) => join(root, name))
  await removeCrates({ folders }, ['my-game'], [{ size: module.length, sha256: sha256Of(module) }])
  expect(readdirSync(join(root, 'deps')).sort()).toEqual([`libserde-${hash}.rlib`, `other-${hash}.wasm`])
  expect(readdirSync(join(root, '.fingerprint'))).toEqual([`serde-${hash}`])
  expect(existsSync(join(root, 'build'))).toBe(false)
})
