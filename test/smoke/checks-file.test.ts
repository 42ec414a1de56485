import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import * as z from 'zod'
import { ConfigurationError } from '../../src/errors.ts'
import { type Check, checkKinds } from '../../src/smoke/check.ts'
import { parseChecks, readChecks } from '../../src/smoke/checks-file.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'checks-'))
afterAll(() => rmSync(folder, { recursive: true }))

const checks = (text: string) => parseChecks(new TextEncoder().encode(text), 'smoke.yml')
const only = (text: string): Check => checks(text).checks[0] as Check
const inline = (text: string) => ({ input: 'more-checks', text })

function complaints(text: string): string[] {
  try {
    checks(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as Error).message.split('\n').map((line) => line.replace(/^- /, ''))
  }
  throw new Error('it is valid')
}

describe('a file of checks', () => {
  test('says what to check, with its defaults', () => {
    const text = `
deadline: 90s
checks:
  - served-hash: true
  - name: Add
    reducer: add
    args: [0, 18446744073709551615]
    needs: The module is served
  - log: { below: error }
    needs: [Add, The module is served]
`
    const { checks: list, deadline } = checks(text)
    expect(deadline).toBe(90_000)
    expect(list).toMatchObject([
      {
        kind: 'served-hash',
        name: 'The module is served',
        origin: { kind: 'file', path: 'smoke.yml', line: 4, column: 5 },
        needs: [],
        writes: false,
        wanted: { timeout: 10_000, retries: 0, optional: false, as: 'owner' }
      },
      {
        kind: 'reducer',
        name: 'Add',
        origin: { line: 5, column: 5 },
        needs: ['The module is served'],
        wanted: { args: [0, 18446744073709551615n], expect: 'ok', as: 'owner' }
      },
      { kind: 'log', name: 'Log', needs: ['Add', 'The module is served'] }
    ])
  })

  test.each<[string, string]>([
    ['{ ping: true }', 'The server answers'],
    ['{ reducer: add }', 'Call add'],
    ['{ procedure: version }', 'Call version'],
    ['{ sql: "SELECT *\\n FROM a" }', 'Ask SELECT * FROM a'],
    ['{ sql: DELETE FROM a }', 'Run DELETE FROM a'],
    ['{ subscription: [SELECT * FROM a, SELECT * FROM b] }', 'Subscribe to SELECT * FROM a, SELECT * FROM b'],
    ['{ http-route: /health, method: HEAD }', 'HEAD /health'],
    ['{ metrics: { p99: 1s } }', 'Metrics'],
    ['{ metrics: { reducer: add, p99: 1s } }', 'Metrics of add'],
    ['{ connections: 5 }', '5 connections'],
    ['{ load: add }', 'Load add']
  ])('%s is called "%s"', (written, name) => {
    expect(only(`checks: [${written}]`).name).toBe(name)
  })

  test('names that were made are numbered where one is taken', () => {
    const text =
      'checks: [{ ping: true }, { ping: true }, { ping: true, name: The server answers (2) }, { ping: true }]'
    expect(checks(text).checks.map(({ name }) => name)).toEqual([
      'The server answers',
      'The server answers (3)',
      'The server answers (2)',
      'The server answers (4)'
    ])
  })

  test.each<[string, boolean]>([
    ['{ reducer: add }', false],
    ['{ reducer: add, writes: true }', true],
    ['{ sql: select 1 }', false],
    ['{ sql: DELETE FROM a }', true],
    ['{ subscription: SELECT * FROM a }', false],
    ['{ subscription: SELECT * FROM a, call: { reducer: add, row: { id: 1 } } }', true],
    ['{ load: add }', true],
    ['{ load: ping, writes: false }', false]
  ])('%s writes: %s', (written, writes) => {
    expect(only(`checks: [${written}]`).writes).toBe(writes)
  })
})

describe('a file and an input', () => {
  const path = join(folder, 'smoke.yml')
  writeFileSync(path, 'deadline: 1m\nchecks:\n  - name: a\n    ping: true\n')

  test('are read together, and the input may be just a list', async () => {
    const read = await readChecks({ path, mustExist: true, inline: inline('- reducer: add\n  needs: a\n') })
    expect(read?.deadline).toBe(60_000)
    expect(read?.checks).toMatchObject([
      { name: 'a', origin: { kind: 'file', path, line: 3, column: 5 } },
      { name: 'Call add', origin: { kind: 'input', input: 'more-checks', line: 1, column: 3 } }
    ])
  })

  test('the longer deadline counts', async () => {
    const text = 'deadline: 2m\nchecks: [{ ping: true }]'
    expect((await readChecks({ path, mustExist: true, inline: inline(text) }))?.deadline).toBe(120_000)
    const alone = await readChecks({ path: undefined, mustExist: false, inline: inline('[{ ping: true }]') })
    expect(alone?.deadline).toBe(600_000)
  })

  test('a name that both have is told with both places', async () => {
    const reading = readChecks({ path, mustExist: true, inline: inline('- ping: true\n  name: a') })
    await expect(reading).rejects.toThrow(
      `input \`more-checks\`:2:9: The name \`a\` is taken by the check at ${path}:3:11. Each name may be there once.`
    )
  })

  test('are nothing when neither is there', async () => {
    const nowhere = join(folder, 'nowhere.yml')
    expect(await readChecks({ path: nowhere, mustExist: false, inline: inline(' \n') })).toBeUndefined()
    expect(await readChecks({ path: undefined, mustExist: false, inline: undefined })).toBeUndefined()
    await expect(readChecks({ path: nowhere, mustExist: true, inline: undefined })).rejects.toThrow(
      `There is no file of checks ${nowhere}.`
    )
    mkdirSync(join(folder, 'sub'))
    await expect(readChecks({ path: join(folder, 'sub'), mustExist: false, inline: undefined })).rejects.toThrow(
      'is no file'
    )
  })

  test.each([
    ['hello', ':1:1: The input is the text `hello`, which does not fit. It has to be a list of checks, or a map'],
    ['- 5', ':1:3: Item 1 of the input is the number `5`, which does not fit. A check is a map with exactly one of'],
    ['# nothing', ':1:1: The input is empty.'],
    ['[]', ':1:1: The input is an empty list, which does not fit. The checks: a list of at least one.']
  ])('%j is told as a mistake in an input', async (text, message) => {
    await expect(readChecks({ path: undefined, mustExist: false, inline: inline(text) })).rejects.toThrow(
      `input \`more-checks\`${message}`
    )
  })
})

const kinds = checkKinds.map((kind) => `\`${kind}\``).join(', ')

describe('a mistake is told with its place and what is allowed', () => {
  test.each<[string, string[]]>([
    ['', ['1:1: The file is empty.']],
    ['checks: []', ['1:9: `checks` is an empty list, which does not fit. The checks: a list of at least one.']],
    ['checks: [{}]', [`1:10: Item 1 of \`checks\` needs one of the keys ${kinds}.`]],
    [
      'checks:\n  - reducr: add\n    args: []',
      [
        `2:5: Item 1 of \`checks\` needs one of the keys ${kinds}.`,
        '2:5: `reducr` is no key that is known here. Did you mean `reducer`?'
      ]
    ],
    [
      'checks:\n  - reducer: add\n    arg: []',
      [
        '3:5: `arg` is no key that is known here. Allowed: `name`, `timeout`, `retries`, `optional`, `writes`, `needs`, `as`, `reducer`, `args`, `expect`, `max-duration`. Did you mean `args`?'
      ]
    ],
    [
      'checks:\n  - reducer: add\n    sql: SELECT 1',
      ['3:5: Item 1 of `checks` has `reducer`, `sql`, of which it can have only one.']
    ],
    [
      'checks:\n  - sql: SELECT 1\n    count: { atleast: 1 }',
      [
        '3:14: `atleast` is no key that is known here. Allowed: `equals`, `not`, `at-least`, `at-most`, `above`, `below`, `matches`. Did you mean `at-least`?'
      ]
    ],
    [
      'checks:\n  - sql: SELECT 1\n    rows: [{ a: { above: x } }, { b: [1] }]',
      [
        '3:26: `above` is the text `x`, which does not fit. Holds when the value is more than this number.',
        '3:38: `b` is a list, which does not fit. A number, text, boolean or null that the value has to be, or a map of comparisons such as `{ at-least: 1 }`.'
      ]
    ],
    [
      'checks:\n  - log: {}',
      [
        '2:10: `log` is an empty map, which does not fit. What the log since the publish has to be like: a map with at least one of `below`, `without`, `with`.'
      ]
    ],
    [
      'checks:\n  - reducer: add\n    expect: fail',
      [
        '3:13: `expect` is the text `fail`, which does not fit. How it has to end: `ok`, or `{ error: "text" }`. Without it `ok`.'
      ]
    ],
    [
      'checks:\n  - sql: SELECT 1\n    value: { matches: "[" }',
      [
        '3:23: `matches` is the text `[`, which does not fit. Holds when the text matches: a regular expression of JavaScript.'
      ]
    ],
    [
      'checks:\n  - http-route: /a\n    headers: { x-game: "naïve…" }\n    as: owner',
      [
        '3:24: `x-game` is the text `naïve…`, which does not fit. The value of a header: a text without line breaks, of characters up to U+00FF.',
        '4:5: `as` is no key that is known here. Allowed: `name`, `timeout`, `retries`, `optional`, `writes`, `needs`, `http-route`, `method`, `headers`, `body`, `status`, `contains`, `matches`, `json`.'
      ]
    ],
    [
      'checks:\n  - metrics: { p99: 1ms }',
      [
        '2:21: `p99` is the text `1ms`, which does not fit. The longest that 99 of 100 calls may take, as far as a server measures it: a time with its unit, such as `500ms`, `30s` or `2m`, from `5ms` to `10s`.'
      ]
    ],
    [
      'checks:\n  - sql: DELETE FROM a\n    writes: false\n    count: 1',
      [
        "3:13: `writes` can't be `false`: a statement that is no `SELECT` changes data. Leave the key out, or write `true`.",
        '4:5: `count` needs a `SELECT`: this statement gives no rows. Look at what it did in a check of its own that `needs` this one.'
      ]
    ],
    [
      'checks:\n  - subscription: SELECT * FROM a\n    call: { reducer: a, row: { id: 1 } }\n    writes: false',
      ["4:13: `writes` can't be `false`: the call of a subscription changes data. Leave the key out, or write `true`."]
    ],
    [
      'checks:\n  - name: a\n    ping: true\n  - name: a\n    ping: true',
      ['4:11: The name `a` is taken by the check at smoke.yml:2:11. Each name may be there once.']
    ],
    [
      'checks:\n  - { name: Joined, ping: true }\n  - { name: b, ping: true, needs: [Joined, Joinde, b] }',
      [
        '3:44: No other check has the name `Joinde`. There are: `Joined`. Did you mean `Joined`?',
        '3:52: The check `b` needs itself, so that it could never begin.'
      ]
    ],
    ['checks: [{ ping: true, name: a, needs: x }]', ['1:40: No other check has the name `x`. There are none.']],
    [
      'checks:\n  - { name: a, ping: true, needs: b }\n  - { name: b, ping: true, needs: [c] }\n  - { name: c, ping: true, needs: [b] }',
      ['3:36: These wait for each other, so that none could begin: `b` needs `c`, which needs `b`.']
    ],
    [
      'checks:\n  - { name: a, ping: true, needs: b }\n  - { name: b, load: x }',
      ["2:35: `a` can't need `b`: a check of the kind `load` begins when all others but `metrics` and `log` are over."]
    ],
    [
      'checks:\n  - { name: a, load: x, needs: b }\n  - { name: b, log: { below: error } }',
      ["2:32: `a` can't need `b`: a check of the kind `log` begins last of all."]
    ]
  ])('%j', (text, expected) => {
    const lines = expected.map((line) => `smoke.yml:${line}`)
    expect(complaints(text)).toEqual(
      lines.length === 1 ? lines : [`${lines.length} things are wrong in smoke.yml:`, ...lines]
    )
  })

  test('arbitrary text never causes anything but a ConfigurationError', () => {
    const keys = fc.constantFrom(
      'name',
      'needs',
      'writes',
      'sql',
      'rows',
      'value',
      'equals',
      'above',
      'log',
      'reducer',
      'call',
      'x'
    )
    const { value: values } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, 1, 2n ** 70n, true, false, '1s', 'SELECT 1', 'DELETE', ''),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4 })
      )
    }))
    const texts = fc.oneof(
      fc.string(),
      values.map((value) => stringify({ checks: value })),
      values.map((value) => stringify({ checks: [value] }))
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          checks(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
          expect((error as Error).message).toMatch(
            /^(smoke\.yml:\d+:\d+: |\d+ things are wrong in smoke\.yml:\n- smoke)/
          )
        }
      }),
      { numRuns: 200 }
    )
  })
})

describe('what is shown to users', () => {
  const page = readFileSync(join(root, 'docs/checks.md'), 'utf8')
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text)
  const jsonSchema = JSON.parse(readFileSync(join(root, 'schemas/checks.schema.json'), 'utf8'))

  test.each(blocks)('is valid, for the parser and for editors: %j', (text) => {
    expect(checks(text).checks.length).toBeGreaterThan(0)
    expect(z.fromJSONSchema(jsonSchema).safeParse(parse(text))).toMatchObject({ success: true })
  })

  test('has an example of every kind', () => {
    const shown = new Set(blocks.flatMap((text) => checks(text).checks.map(({ kind }) => kind)))
    expect([...shown].sort()).toEqual([...checkKinds].sort())
  })

  test('describes every key to editors', () => {
    const undescribed: string[] = []
    const walk = (part: Record<string, unknown>) => {
      const properties = (part.properties ?? {}) as Record<string, Record<string, unknown>>
      for (const [key, property] of Object.entries(properties)) {
        if (property.description === undefined) undescribed.push(key)
        walk(property)
      }
      if (part.items) walk(part.items as Record<string, unknown>)
      for (const option of (part.anyOf ?? []) as Record<string, unknown>[]) walk(option)
    }
    walk(jsonSchema)
    expect(undescribed).toEqual([])
  })

  test.each(['checks: [{ ping: true, tiemout: 5s }]', 'checks: []', 'checks: [{ log: { below: eror } }]'])(
    'editors are told that this is wrong: %s',
    (text) => {
      expect(z.fromJSONSchema(jsonSchema).safeParse(parse(text))).toMatchObject({ success: false })
    }
  )
})
