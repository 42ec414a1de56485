import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import * as z from 'zod'
import { ConfigurationError } from '../../src/errors.ts'
import { parseSteps, readSteps } from '../../src/steps/steps-file.ts'

const root = resolve(import.meta.dirname, '../..')
const steps = (text: string) => parseSteps(new TextEncoder().encode(text), 'steps.yml')

function complaints(text: string): string[] {
  try {
    steps(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as Error).message.split('\n').map((line) => line.replace(/^- /, ''))
  }
  throw new Error('it is valid')
}

describe('a file of steps', () => {
  test('says what to do, with its defaults', () => {
    const text = `
steps:
  - call: switch_over
  - name: Forget
    sql: |
      DELETE FROM audit
      WHERE id < 100
    timeout: 1.5s
  - wait-for: { sql: "SELECT COUNT(*) AS n FROM jobs", at-most: 3 }
  - repeat:
      call: copy
      args: [500, 18446744073709551615]
      until: { sql: select a from b, equals: { sql: SELECT c FROM d } }
    timeout: 1h
    pause: 100ms
    max-calls: 7
`
    expect(steps(text)).toEqual([
      {
        kind: 'call',
        name: 'Call switch_over',
        place: { line: 3, column: 5 },
        timeout: 60_000,
        reducer: 'switch_over',
        args: []
      },
      {
        kind: 'sql',
        name: 'Forget',
        place: { line: 4, column: 5 },
        timeout: 1500,
        statement: 'DELETE FROM audit\nWHERE id < 100\n'
      },
      {
        kind: 'wait',
        name: 'Wait for SELECT COUNT(*) AS n FROM jobs',
        place: { line: 9, column: 5 },
        timeout: 300_000,
        every: 2000,
        until: { select: 'SELECT COUNT(*) AS n FROM jobs', operator: 'at-most', expected: 3 }
      },
      {
        kind: 'repeat',
        name: 'Repeat copy',
        place: { line: 10, column: 5 },
        timeout: 3_600_000,
        call: { reducer: 'copy', args: [500, 18446744073709551615n] },
        until: { select: 'select a from b', operator: 'equals', expected: { select: 'SELECT c FROM d' } },
        pause: 100,
        maxCalls: 7
      }
    ])
  })

  test.each([
    ['5', 5],
    ['18446744073709551616', 2n ** 64n],
    ['-0.5', -0.5],
    ['"5"', '5'],
    ['true', true],
    ['""', '']
  ])('compares with %s as what it is', (written, expected) => {
    const [step] = steps(`steps: [{ wait-for: { sql: SELECT a FROM b, equals: ${written} } }]`)
    expect(step).toMatchObject({ until: { operator: 'equals', expected } })
  })

  test('is read from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'steps-'))
    const path = join(folder, 'steps.yml')
    await writeFile(path, 'steps: [{ call: a }]')
    expect(await readSteps(path)).toMatchObject([{ reducer: 'a' }])
    await rm(folder, { recursive: true })
    await expect(readSteps(path)).rejects.toThrow(`There is no file of steps ${path}.`)
  })
})

const time = 'a time with its unit, such as `500ms`, `30s` or `2m`, from'
const select =
  'What to ask the database: one `SELECT`. Only the first column of the first row counts. `COUNT(*)` needs a name: `SELECT COUNT(*) AS n FROM jobs`.'

describe('a mistake is told with its place and what is allowed', () => {
  test.each<[string, string[]]>([
    ['', ['steps.yml:1:1: The file is empty.']],
    [
      '- call: a',
      ['steps.yml:1:1: The file is a list, which does not fit. A file of steps is a map with the key `steps`.']
    ],
    [
      'step: []',
      [
        '2 things are wrong in steps.yml:',
        'steps.yml:1:1: `steps` is missing. The steps, in the order in which they run: a list of at least one.',
        'steps.yml:1:1: `step` is no key that is known here. Allowed: `steps`. Did you mean `steps`?'
      ]
    ],
    [
      'steps: []',
      [
        'steps.yml:1:8: `steps` is an empty list, which does not fit. The steps, in the order in which they run: a list of at least one.'
      ]
    ],
    [
      'steps:\n  - delete everything',
      [
        'steps.yml:2:5: Item 1 of `steps` is the text `delete everything`, which does not fit. A step is a map with exactly one of `call`, `sql`, `wait-for`, `repeat`.'
      ]
    ],
    [
      'steps:\n  - name: a',
      ['steps.yml:2:5: Item 1 of `steps` needs one of the keys `call`, `sql`, `wait-for`, `repeat`.']
    ],
    [
      'steps:\n  - call: a\n    sql: b',
      ['steps.yml:3:5: Item 1 of `steps` has `call`, `sql`, of which it can have only one.']
    ],
    [
      'steps:\n  - call: a\n    tiemout: 5s',
      [
        'steps.yml:3:5: `tiemout` is no key that is known here. Allowed: `name`, `call`, `args`, `timeout`. Did you mean `timeout`?'
      ]
    ],
    [
      'steps:\n  - call: a\n    every: 5s',
      ['steps.yml:3:5: `every` is no key that is known here. Allowed: `name`, `call`, `args`, `timeout`.']
    ],
    [
      'steps:\n  - call: a\n    timeout: 30',
      [
        `steps.yml:3:14: \`timeout\` is the number \`30\`, which does not fit. How long the step may take, all waiting included: ${time} \`1ms\` to \`6h\`. Without it \`1m\`.`
      ]
    ],
    [
      'steps:\n  - wait-for: { sql: SELECT 1, equals: 1 }\n    every: 7h',
      [
        `steps.yml:3:12: \`every\` is the text \`7h\`, which does not fit. How long to pause between two questions: ${time} \`10ms\` to \`6h\`. Without it \`2s\`.`
      ]
    ],
    [
      'steps:\n  - call: a\n    args: 5',
      [
        'steps.yml:3:11: `args` is the number `5`, which does not fit. The arguments, as a list in the order of the parameters. Integers of any size stay exact.'
      ]
    ],
    [
      'steps:\n  - wait-for: { sql: DELETE FROM a, equals: 0 }',
      [`steps.yml:2:22: \`sql\` is the text \`DELETE FROM a\`, which does not fit. ${select}`]
    ],
    [
      'steps:\n  - repeat: { call: a, until: { sql: SELECT 1, equal: 3 } }',
      [
        '2 things are wrong in steps.yml:',
        'steps.yml:2:31: `until` needs one of the keys `equals`, `at-least`, `at-most`.',
        'steps.yml:2:48: `equal` is no key that is known here. Allowed: `sql`, `equals`, `at-least`, `at-most`. Did you mean `equals`?'
      ]
    ],
    [
      'steps:\n  - wait-for: { sql: SELECT 1, at-least: many }',
      [
        'steps.yml:2:42: `at-least` is the text `many`, which does not fit. Holds when the value is this number or more. Instead of a number, another `SELECT`: `{ sql: "SELECT …" }`.'
      ]
    ],
    [
      'steps:\n  - repeat: { call: a }\n    max-calls: 0',
      [
        '2 things are wrong in steps.yml:',
        'steps.yml:2:13: `until` is missing in `repeat`. Asked before each call; when it holds, the step is done. A condition on the data: `sql` with one `SELECT`, and one of `equals`, `at-least`, `at-most`.',
        'steps.yml:3:16: `max-calls` is the number `0`, which does not fit. How many calls there may be: a whole number from 1 to 1000000. Without it 10000.'
      ]
    ],
    [
      'steps:\n  - call: a\n    name: "two\\nlines"',
      [
        'steps.yml:3:11: `name` is the text `two lines`, which does not fit. What the log calls the step: one line of text, of at most 100 characters.'
      ]
    ],
    ['steps:\n  - call: a\n    call: b', ['steps.yml:3:5: The key `call` is there twice.']]
  ])('%j', (text, expected) => {
    expect(complaints(text)).toEqual(expected)
  })

  test('arbitrary text never causes anything but a ConfigurationError', () => {
    const keys = fc.constantFrom(
      'steps',
      'call',
      'sql',
      'wait-for',
      'repeat',
      'until',
      'equals',
      'at-least',
      'args',
      'name',
      'timeout',
      'nonsense'
    )
    const { value: values } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, 1, 2n ** 70n, true, '1s', 'SELECT 1', ''),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4 })
      )
    }))
    const texts = fc.oneof(
      fc.string(),
      values.map((value) => stringify({ steps: value })),
      values.map((value) => stringify({ steps: [value] }))
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          steps(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
          expect((error as Error).message).toMatch(
            /^(steps\.yml:\d+:\d+: |\d+ things are wrong in steps\.yml:\n- steps\.yml:\d+:\d+: )/
          )
        }
      }),
      { numRuns: 300 }
    )
  })
})

const reducers = fc.string({ minLength: 1 })
const texts = fc.string().map((text) => `SELECT ${text}`)
const args = fc.array(
  fc.oneof(fc.string(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 256n }), fc.maxSafeInteger(), fc.boolean())
)
const numbers = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 2n ** 53n }), fc.record({ sql: texts }))
const conditions = fc.oneof(
  fc.record({ sql: texts, equals: fc.oneof(numbers, fc.string(), fc.boolean()) }),
  fc.record({ sql: texts, 'at-least': numbers }),
  fc.record({ sql: texts, 'at-most': numbers })
)
const seconds = fc.integer({ min: 1, max: 3600 })
const written = fc.oneof(
  fc.record({ call: reducers, args, timeout: seconds }),
  fc.record({ sql: texts, timeout: seconds }),
  fc.record({ 'wait-for': conditions, timeout: seconds }),
  fc.record({ repeat: fc.record({ call: reducers, args, until: conditions }), timeout: seconds })
)

test('what is written in a valid file is what is read', () => {
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 5 }), (list) => {
      const text = stringify({ steps: list.map((each) => ({ ...each, timeout: `${each.timeout}s` })) })
      const expected = list.map((each) => ({ timeout: each.timeout * 1000, ...actionOf(each) }))
      expect(steps(text)).toMatchObject(expected)
    }),
    { numRuns: 100 }
  )
})

type Written = typeof written extends fc.Arbitrary<infer Value> ? Value : never
type WrittenCondition = typeof conditions extends fc.Arbitrary<infer Value> ? Value : never

function actionOf(each: Written): object {
  if ('call' in each) return { kind: 'call', reducer: each.call, args: each.args }
  if ('sql' in each) return { kind: 'sql', statement: each.sql }
  if ('wait-for' in each) return { kind: 'wait', until: conditionOf(each['wait-for']) }
  const { call, args: given, until } = each.repeat
  return { kind: 'repeat', call: { reducer: call, args: given }, until: conditionOf(until) }
}

function conditionOf({ sql, ...comparison }: WrittenCondition): unknown {
  const [[operator, value] = []] = Object.entries(comparison)
  const expected = typeof value === 'object' ? { select: (value as { sql: string }).sql } : value
  return { select: sql, operator, expected }
}

describe('what is shown to users', () => {
  const page = readFileSync(join(root, 'docs/steps.md'), 'utf8')
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text)
  const jsonSchema = JSON.parse(readFileSync(join(root, 'schemas/steps.schema.json'), 'utf8'))

  test.each(blocks)('is valid, for the parser and for editors: %j', (text) => {
    expect(steps(text).length).toBeGreaterThan(0)
    expect(z.fromJSONSchema(jsonSchema).safeParse(parse(text))).toMatchObject({ success: true })
  })

  test.each(['steps: [{ call: a, tiemout: 5s }]', 'steps: []', 'steps: [{ wait-for: { sql: DELETE, equals: 1 } }]'])(
    'editors are told that this is wrong: %s',
    (text) => {
      expect(z.fromJSONSchema(jsonSchema).safeParse(parse(text))).toMatchObject({ success: false })
    }
  )

  test('describes every key', () => {
    const undescribed: string[] = []
    const walk = (part: Record<string, unknown>) => {
      for (const [key, property] of Object.entries(
        (part.properties ?? {}) as Record<string, Record<string, unknown>>
      )) {
        if (property.description === undefined) undescribed.push(key)
        walk(property)
      }
      if (part.items) walk(part.items as Record<string, unknown>)
      for (const option of (part.anyOf ?? []) as Record<string, unknown>[]) walk(option)
    }
    walk(jsonSchema)
    expect(undescribed).toEqual([])
  })
})
