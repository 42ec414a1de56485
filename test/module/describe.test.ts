import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { describeModule, describeRawModule } from '../../src/module/describe.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import type { ModuleKind } from '../../src/module/module.ts'
import { encodeRawModuleDef } from '../../src/module/raw-module-def.ts'
import { fixtureModule } from '../fixtures.ts'
import { comparable } from './comparable.ts'
import { definitionOf } from './definition-of.ts'
import { tinyModule } from './tiny-module.ts'

const fixture = (name: string) => moduleFromBytes(fixtureModule(name))

describe('describing a module offline', () => {
  test.each(['counter.wasm', 'rich.wasm', 'odd-names.wasm'])('%s, in its own words', async (name) => {
    const { raw } = await describeRawModule(fixture(name))
    expect(Buffer.from(encodeRawModuleDef(raw)).equals(definitionOf(fixtureModule(name)))).toBe(true)
  })

  test('JavaScript that declares the same has the same schema', async () => {
    const [wasm, js] = await Promise.all([
      describeModule(fixture('counter.wasm')),
      describeModule(fixture('counter.js'))
    ])
    expect(comparable(js, 10)).toEqual(comparable(wasm, 10))
  })

  test('JavaScript that registers its hooks, as the 1.x bindings do', async () => {
    const definition = JSON.stringify([...definitionOf(fixtureModule('counter.wasm'))])
    const schema = await describeModule(
      javaScript(`import { register_hooks } from 'spacetime:sys@1.0'
        register_hooks({ __describe_module__: () => Uint8Array.from(${definition}) })`)
    )
    expect(schema.tables.map(({ name }) => name)).toEqual(['counter'])
  })
})

describe('WebAssembly that can not be described', () => {
  test.each<[title: string, bytes: Uint8Array, message: RegExp]>([
    ['a foreign import', fixtureModule('hostile/env.wasm'), /not a SpacetimeDB module: .* `env\.bytes_sink_write`/],
    [
      'an unknown interface',
      fixtureModule('hostile/abi11.wasm'),
      /not known here: spacetime_11\.0, known is spacetime_10/
    ],
    ['no imports', Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0), /not a SpacetimeDB module: it imports nothing/],
    ['half a file', fixtureModule('counter.wasm').subarray(0, 5000), /not valid WebAssembly: .*@\+\d+/],
    ['a hunger for memory', fixtureModule('hostile/grow.wasm'), /memory access out of bounds \(it may take 256 MiB/],
    ['a panic', tinyModule({ panics: 'no\u001b[31m\ncolor' }), /failed while it described itself: no \[31m color\./],
    ['a set-up that fails', tinyModule({ setupFails: 'bad weather' }), /its set-up failed: bad weather\./],
    ['data access', tinyModule({ calls: 'datastore_clear' }), /calls `datastore_clear` while it describes itself/],
    ['nothing to say', tinyModule({}), /it says nothing of itself/]
  ])('for %s', async (_, bytes, message) => {
    const described = describeModule(moduleFromBytes(bytes))
    await expect(described).rejects.toThrow(message)
    await expect(described).rejects.toBeInstanceOf(ConfigurationError)
  })

  test('for endless work: it is ended', async () => {
    const started = performance.now()
    await expect(describeModule(fixture('hostile/loop.wasm'), { timeout: 300 })).rejects.toThrow(
      /took longer than 0\.3 s/
    )
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('JavaScript that can not be described', () => {
  const hooks = (body: string) => `import { moduleHooks, identity } from 'spacetime:sys@2.0'
    export default { [moduleHooks]: () => ({ __describe_module__() { ${body} } }) }`
  const outside = `const process = TextEncoder.constructor('return process')()`

  test.each<[title: string, text: string, message: RegExp]>([
    ['broken text', `import 'spacetime:sys@2.0'; let let`, /failed while it described itself: .*reserved word/],
    ['no default export', `import 'spacetime:sys@2.0'`, /not a SpacetimeDB module: its default export is no schema/],
    ['another default export', `import 'spacetime:sys@2.0'; export default {}`, /its default export is no schema/],
    ['no bytes', hooks('return 7'), /`__describe_module__` returns no bytes/],
    ['other bytes', hooks('return Uint8Array.of(2, 9, 9)'), /description of itself can't be read: .* at byte/],
    ['an error', hooks('throw new Error("boom")'), /failed while it described itself: boom\./],
    ['something thrown', hooks('throw { get message() { throw 1 } }'), /an error without a message/],
    ['data access', hooks('identity()'), /calls `identity` while it describes itself/],
    [
      'a foreign import',
      `import 'node:fs'; import 'spacetime:sys@2.0'`,
      /imports `node:fs`, which SpacetimeDB does not have/
    ],
    [
      'a newer interface',
      `import 'spacetime:sys@3.0'`,
      /imports `spacetime:sys@3\.0`, .* known are spacetime:sys@1 and @2/
    ],
    ['a newer function', `import { fly } from 'spacetime:sys@2.9'`, /does not provide an export named 'fly'/],
    [
      'a hunger for memory',
      hooks('for (const hog = []; ; ) hog.push(new Array(1e6).fill({}))'),
      /more than 256 MiB of memory/
    ],
    ['waiting for ever', `import 'spacetime:sys@2.0'; await new Promise(() => {})`, /ended the process \(code 13\)/],
    ['leaving', `import 'spacetime:sys@2.0'; ${outside}; process.exit(0)`, /ended the process \(code 0\)/]
  ])('for %s', async (_, text, message) => {
    const described = describeModule(javaScript(text))
    await expect(described).rejects.toThrow(message)
    await expect(described).rejects.toBeInstanceOf(ConfigurationError)
  })

  test.each([
    ['while it is loaded', `import 'spacetime:sys@2.0'; for (;;);`],
    ['while it describes', hooks('for (;;);')],
    [
      'while nothing is left but a timer',
      `import 'spacetime:sys@2.0'; ${outside}
      await new Promise((done) => TextEncoder.constructor('return setTimeout')()(done, 1e6))`
    ]
  ])('for endless work %s', async (_, text) => {
    await expect(describeModule(javaScript(text), { timeout: 300 })).rejects.toThrow(/took longer than 0\.3 s/)
  })

  test('and the definition is limited', async () => {
    const text = `import 'spacetime:sys@2.0'; ${outside}
      const fs = process.getBuiltinModule('node:fs')
      for (;;) fs.writeSync(1, new Uint8Array(1 << 20))`
    await expect(describeModule(javaScript(text))).rejects.toThrow(/definition is larger than 16 MiB/)
  })

  test('even out of its context it has no environment, no files and no processes', async () => {
    process.env.SECRET_FOR_THIS_TEST = 'hidden'
    const text = `import 'spacetime:sys@2.0'; ${outside}
      const from = (name) => process.getBuiltinModule(name)
      const attempts = {
        file: () => from('node:fs').readFileSync('/etc/hostname'),
        parent: () => from('node:fs').readFileSync('/proc/' + process.ppid + '/environ'),
        write: () => from('node:fs').writeFileSync('/tmp/written-by-a-module', 'x'),
        spawn: () => from('node:child_process').spawnSync('env'),
        worker: () => new (from('node:worker_threads').Worker)('', { eval: true })
      }
      const outcome = (attempt) => { try { attempt(); return 'allowed' } catch (error) { return error.code } }
      const outcomes = Object.entries(attempts).map(([name, attempt]) => name + ': ' + outcome(attempt))
      throw new Error(Object.keys(process.env) + '; ' + outcomes.join(', '))`
    const denied = ['file', 'parent', 'write', 'spawn', 'worker'].map((name) => `${name}: ERR_ACCESS_DENIED`).join(', ')
    await expect(describeModule(javaScript(text))).rejects.toThrow(`failed while it described itself: ; ${denied}. `)
  })
})

function javaScript(text: string) {
  const kind: ModuleKind = 'js'
  return moduleFromBytes(new TextEncoder().encode(text), kind)
}
