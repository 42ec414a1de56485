import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { stringify } from 'yaml'
import * as z from 'zod'
import { checkYaml, readYamlBytes, yamlError } from '../src/checked-yaml.ts'
import { ConfigurationError } from '../src/errors.ts'

const anything = z.unknown()
const bytes = (text: string) => new TextEncoder().encode(text)
const check = (text: string, schema: z.ZodType = anything) => checkYaml(bytes(text), schema)

/** The problems as `line:column message`. */
function problems(contents: string | Uint8Array, schema: z.ZodType = anything): string[] {
  const checked = checkYaml(typeof contents === 'string' ? bytes(contents) : contents, schema)
  if (checked.kind === 'valid') throw new Error('it is valid')
  return checked.problems.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

describe('what a file says', () => {
  test.each<[string, unknown]>([
    ['{a: 9007199254740991, b: -9007199254740991}', { a: 9007199254740991, b: -9007199254740991 }],
    ['[18446744073709551615, -170141183460469231731687303715884105728]', [18446744073709551615n, -(2n ** 127n)]],
    ['[9007199254740992, 9007199254740993]', [9007199254740992n, 9007199254740993n]],
    ['[0x10, 0o17, 1e3, -1.5, 007]', [16, 15, 1000, -1.5, 7]],
    ['[yes, no, on, 1_000, 2026-01-01, true, ~]', ['yes', 'no', 'on', '1_000', '2026-01-01', true, null]],
    ['%YAML 1.1\n---\n[yes, 010]', ['yes', 10]],
    ['a: &x [1, 2]\nb: *x', { a: [1, 2], b: [1, 2] }],
    ['a: &x 1\nb: {c: *x, d: &x 2}\ne: *x', { a: 1, b: { c: 1, d: 2 }, e: 2 }],
    ['\ufeffa: 1', { a: 1 }],
    ['a: 1\r\nb: |\r\n  two\r\n  lines\r\n', { a: 1, b: 'two\nlines\n' }]
  ])('%j', (text, value) => {
    expect(check(text)).toMatchObject({ kind: 'valid', value })
  })

  test('keys of objects are no way to their prototype', () => {
    const checked = check('{"__proto__": {x: 1}, constructor: 2}')
    if (checked.kind !== 'valid') throw new Error('invalid')
    expect(Object.keys(checked.value as object)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(checked.value)).toBe(Object.prototype)
  })

  test.each([
    [['b', 1, 'c'], { line: 3, column: 15 }],
    [['b', 0], { line: 3, column: 5 }],
    [['b', 0, 'not', 'there'], { line: 3, column: 5 }],
    [[], { line: 1, column: 1 }],
    [['d'], { line: 5, column: 3 }],
    [['e', 'c'], { line: 3, column: 15 }]
  ])('the place of %j is known', (path, place) => {
    const checked = check('a: 1\nb:\n  [ 5, &x {c: 6} ]\n\nd:\ne: *x')
    expect(checked.kind === 'valid' && checked.placeOf(path)).toEqual(place)
  })
})

const bomb = ['a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]']
for (let level = 0; level < 8; level++) {
  const [name, inner] = [level + 1, level].map((index) => String.fromCharCode(97 + index))
  bomb.push(`${name}: &${name} [${Array(10).fill(`*${inner}`).join(', ')}]`)
}

describe('what is wrong with a file, and where', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', '1:1 The file is empty.'],
    ['comments alone', '# nothing\n\n', '1:1 The file is empty.'],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x61, 0]), '1:1 The file is not UTF-8 text. Save it with that encoding.'],
    ['broken UTF-8', new Uint8Array([0xc3, 0x28]), '1:1 The file is not UTF-8 text. Save it with that encoding.'],
    ['a huge file', 'a'.repeat(262145), '1:1 The file has 262145 bytes; at most 262144 are allowed.'],
    ['a second document', 'a: 1\n---\nb: 2\n', '2:1 A second document begins here; one is allowed in a file.'],
    ['a key that is there twice', 'a:\n  b: 1\n  b: 2', '3:3 The key `b` is there twice.'],
    ['a key that is no text', 'a:\n  1: 2', '2:3 A key has to be a text: put it in quotes.'],
    ['a key that is a list', '? [a]\n: b', '1:3 A key has to be a text: put it in quotes.'],
    ['a key that is an alias', 'a: &x b\n*x : c', '2:1 A key has to be a text: put it in quotes.'],
    ['no number of JSON', 'a: [1, .nan]', '1:8 `.nan` is no number that JSON has: it has to be finite.'],
    ['an infinite number', 'a: 1e999', '1:4 `1e999` is no number that JSON has: it has to be finite.'],
    ['an alias of nothing', 'a: *x\nb: &x 1', '1:4 No anchor `&x` comes before this alias.'],
    ['an alias of itself', 'a: &x [*x]', '1:7 Values are nested more than 64 deep here.'],
    [
      'a bomb of aliases',
      bomb.join('\n'),
      '1:32 The file has more than 100000 values, those behind an alias counted each time.'
    ],
    ['deep flow lists', '['.repeat(200_000), '1:65 Values are nested more than 64 deep here.'],
    ['deep lists', '- '.repeat(100_000), '1:128 Values are nested more than 64 deep here.'],
    ['deep keys', '? '.repeat(100_000), '1:128 Values are nested more than 64 deep here.'],
    ['tabs', 'a:\n\tb: 1', '2:1 This is not YAML that can be read: Tabs are not allowed as indentation.'],
    ['an unknown tag', 'a: !secret b', '1:4 This is not YAML that can be read: Unresolved tag: !secret.'],
    [
      'an unknown version',
      '%YAML 3.0\n---\na: 1',
      '1:7 This is not YAML that can be read: Unsupported YAML version 3.0.'
    ]
  ])('%s', (_, contents, problem) => {
    expect(problems(contents)).toEqual([problem])
  })

  // Comparing each key with each takes some minutes.
  test('a map of very many keys is read within the time of a test', () => {
    const text = Array.from({ length: 36_000 }, (_, index) => `k${index.toString(36)}:`).join('\n')
    expect(check(text).kind).toBe('valid')
    expect(problems(text, z.strictObject({})).length).toBe(36_000)
  })
})

const schema = z.strictObject({
  name: z.string().min(2).describe('A name.'),
  size: z.int().max(9).describe('A digit.').prefault(1),
  even: z
    .number()
    .refine((value) => value % 2 === 0, 'an odd number')
    .exactOptional(),
  parts: z
    .array(
      z
        .union([
          z.strictObject({
            cut: z.string().describe('What to cut.'),
            deep: z.boolean().describe('Yes or no.').exactOptional()
          }),
          z.strictObject({ sew: z.string().describe('What to sew.') })
        ])
        .describe('`cut` or `sew`.')
    )
    .describe('The parts.')
    .exactOptional()
})

describe('what a schema finds wrong', () => {
  test.each<[string, string[]]>([
    ['name: ab', []],
    ['size: 1', ['1:1 `name` is missing. A name.']],
    ['name: a', ['1:7 `name` is the text `a`, which does not fit. A name.']],
    ['name: 5', ['1:7 `name` is the number `5`, which does not fit. A name.']],
    ['name: true', ['1:7 `name` is `true`, which does not fit. A name.']],
    ['name:', ['1:6 `name` is empty, which does not fit. A name.']],
    ['name: [a]', ['1:7 `name` is a list, which does not fit. A name.']],
    ['name: {a: b}', ['1:7 `name` is a map, which does not fit. A name.']],
    ['name: ab\nsize: 12', ['2:7 `size` is the number `12`, which does not fit. A digit.']],
    ['name: ab\neven: 3', ['2:7 `even`: an odd number']],
    [
      'name: ab\nsice: 1\nnonsense: 2',
      [
        '2:1 `sice` is no key that is known here. Allowed: `name`, `size`, `even`, `parts`. Did you mean `size`?',
        '3:1 `nonsense` is no key that is known here. Allowed: `name`, `size`, `even`, `parts`.'
      ]
    ],
    [
      'name: ab\nparts:\n  - cut: 1\n  - sew: a\n    deep: true\n  - 7',
      [
        '3:10 `cut` is the number `1`, which does not fit. What to cut.',
        '5:5 `deep` is no key that is known here. Allowed: `sew`.',
        '6:5 Item 3 of `parts` is the number `7`, which does not fit. `cut` or `sew`.'
      ]
    ],
    [
      'name: ab\nparts:\n  - {cut: a, sew: b}\n  - {}\n  - {cutt: b}',
      [
        '3:14 Item 1 of `parts` has `cut`, `sew`, of which it can have only one.',
        '4:5 Item 2 of `parts` needs one of the keys `cut`, `sew`.',
        '5:5 Item 3 of `parts` needs one of the keys `cut`, `sew`.',
        '5:6 `cutt` is no key that is known here. Allowed: `cut`, `deep`, `sew`. Did you mean `cut`?'
      ]
    ]
  ])('%j', (text, expected) => {
    if (expected.length === 0) expect(check(text, schema).kind).toBe('valid')
    else expect(problems(text, schema)).toEqual(expected)
  })

  test('is one error, with the file before each place', () => {
    const one = { line: 2, column: 3, message: 'It is wrong.' }
    expect(yamlError('a/b.yml', [one])).toBeInstanceOf(ConfigurationError)
    expect(yamlError('a/b.yml', [one]).message).toBe('a/b.yml:2:3: It is wrong.')
    expect(yamlError('b.yml', [one, one]).message).toBe(
      '2 things are wrong in b.yml:\n- b.yml:2:3: It is wrong.\n- b.yml:2:3: It is wrong.'
    )
    const lines = yamlError('b.yml', Array(500).fill(one)).message.split('\n')
    expect(lines).toHaveLength(22)
    expect(lines.at(-1)).toBe('and 480 more.')
  })
})

describe('any text', () => {
  const pieces = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '? ',
    '|',
    '"',
    "'",
    '#',
    '!',
    '%',
    '1',
    ',',
    '\t',
    '---\n',
    '<<'
  )

  test.each([
    ['at random', fc.string({ unit: 'binary' })],
    ['of pieces of YAML', fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''))]
  ])('%s is valid or has a problem at a place in it', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const checked = check(text, schema)
        if (checked.kind === 'valid') return
        const lines = text.split(/\r\n|[\r\n]/).length
        for (const { line, column, message } of checked.problems) {
          expect(line).toBeLessThanOrEqual(lines)
          expect(Math.min(line, column)).toBeGreaterThanOrEqual(1)
          expect(message).not.toBe('')
        }
      }),
      { numRuns: 500 }
    )
  })

  test('that bytes make throws nothing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (contents) => void checkYaml(contents, schema)))
  })

  test('that a value was written as is that value again', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.bigInt(2n ** 53n, 2n ** 128n),
      fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true })
    )
    const { value: values } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('value')), fc.dictionary(fc.string(), tie('value')))
    }))
    fc.assert(
      fc.property(values, (value) => {
        fc.pre(value !== null)
        expect(check(stringify({ value }))).toMatchObject({ kind: 'valid', value: { value } })
      })
    )
  })
})

describe('the bytes of a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'checked-yaml-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'a.yml')
  writeFileSync(path, 'a: 1\n')
  const huge = join(folder, 'huge.yml')
  writeFileSync(huge, '')
  truncateSync(huge, 5 * 1024 ** 3)

  test('are read', async () => {
    expect(Buffer.from(await readYamlBytes(path, 'file of steps')).toString()).toBe('a: 1\n')
  })

  test.each([
    [join(folder, 'b.yml'), 'There is no file of steps'],
    [folder, 'is no file'],
    [huge, 'has 5368709120 bytes; at most 262144 are allowed'],
    [join(path, 'c'), "can't be read"]
  ])('of %s are not', async (wrong, message) => {
    const failure = await readYamlBytes(wrong, 'file of steps').catch((error) => error)
    expect(failure).toBeInstanceOf(ConfigurationError)
    expect(failure.message).toContain(wrong)
    expect(failure.message).toContain(message)
  })
})
