import { chmod, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { hashModule } from '../../src/module/hash.ts'
import { loadModule, maxModuleSize, moduleFromBytes } from '../../src/module/load.ts'
import { fixtureModule, fixturePath } from '../fixtures.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'load-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('loading a module', () => {
  test.each([
    ['counter.wasm', 'wasm'],
    ['counter.js', 'js']
  ] as const)('%s is %s', async (name, kind) => {
    const bytes = fixtureModule(name)
    expect(await loadModule(fixturePath(`modules/${name}`))).toEqual({ bytes, hash: hashModule(bytes), kind })
  })

  test('through a link', async () => {
    const link = join(folder, 'linked.wasm')
    await symlink(fixturePath('modules/counter.wasm'), link)
    expect((await loadModule(link)).hash).toBe(hashModule(fixtureModule('counter.wasm')))
  })

  test.each([
    ['a bundle in one line', "import{moduleHooks as e}from'spacetime:sys@2.0';export default 1"],
    ['an import of everything', 'import * as sys from "spacetime:sys@2.1"'],
    ['an import for its effect', "import 'spacetime:sys@1.0'"]
  ])('JavaScript is known by %s', (_, text) => {
    expect(moduleFromBytes(new TextEncoder().encode(text)).kind).toBe('js')
  })

  test('a kind that is known is believed', () => {
    expect(moduleFromBytes(Uint8Array.of(1, 2, 3), 'js')).toMatchObject({ kind: 'js', bytes: Uint8Array.of(1, 2, 3) })
  })
})

describe('what is no module gets a message that names it and says what to do', () => {
  const write = async (name: string, content: string | Uint8Array) => {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }

  test.each<[title: string, make: () => Promise<string>, message: RegExp]>([
    ['no path', async () => '', /path of the module is empty/],
    [
      'nothing',
      async () => join(folder, 'missing.wasm'),
      /missing\.wasm does not exist\. Is it built before this step/
    ],
    ['nothing below a file', async () => join(await write('plain', 'x'), 'm.wasm'), /m\.wasm does not exist/],
    ['a folder', async () => folder, /is a directory\. Give the compiled file in it/],
    ['a device', async () => '/dev/null', /\/dev\/null is not a file/],
    ['an empty file', () => write('empty.wasm', ''), /empty\.wasm is empty\. Was the build cut short/],
    ['a text', () => write('note.txt', 'not a module'), /note\.txt is neither .*: it begins with the bytes 6e6f7420\./],
    ['other bytes', () => write('elf', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)), /begins with the bytes 7f454c46/],
    ['other JavaScript', () => write('app.js', 'import fs from "node:fs"'), /neither WebAssembly nor JavaScript/]
  ])('%s', async (_, make, message) => {
    const loading = loadModule(await make())
    await expect(loading).rejects.toThrow(message)
    await expect(loading).rejects.toBeInstanceOf(ConfigurationError)
  })

  test('a file that is too large, before it is read', async () => {
    const path = await write('large.wasm', '')
    await truncate(path, maxModuleSize + 1)
    await expect(loadModule(path)).rejects.toThrow(/large\.wasm has 65 MiB; more than 64 MiB are not accepted/)
  })

  const isRoot = process.getuid?.() === 0
  ;(isRoot ? test.skip : test)('a file that may not be read', async () => {
    const path = await write('secret.wasm', 'x')
    await chmod(path, 0)
    await expect(loadModule(path)).rejects.toThrow(/secret\.wasm can't be read \(EACCES\)\. Check its permissions/)
  })

  test('a path that no system takes', async () => {
    await expect(loadModule(`${folder}/${'x'.repeat(5000)}`)).rejects.toThrow(/can't be read \(ENAMETOOLONG\)/)
  })

  test('bytes of no kind', () => {
    expect(() => moduleFromBytes(new Uint8Array())).toThrow(/is empty/)
    expect(() => moduleFromBytes(Uint8Array.of(1, 2))).toThrow(/begins with the bytes 0102/)
  })
})
