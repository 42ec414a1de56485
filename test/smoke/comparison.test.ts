import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { compareRows, isLike, type RowSet, type RowsExpected, type Shape } from '../../src/smoke/comparison.ts'
import type { RowExpectation } from '../../src/smoke/comparison-schema.ts'
import { expectationText } from '../../src/smoke/expectation.ts'

const option = (type: AlgebraicType): AlgebraicType => ({
  kind: 'sum',
  variants: [
    { name: 'some', type },
    { name: 'none', type: { kind: 'product', elements: [] } }
  ]
})
const wrapped = (name: string, kind: 'i64' | 'u128' | 'u256'): AlgebraicType => ({
  kind: 'product',
  elements: [{ name, type: { kind } }]
})
const identity = wrapped('__identity__', 'u256')
const timestamp = wrapped('__timestamp_micros_since_unix_epoch__', 'i64')
const unit: AlgebraicType = { kind: 'product', elements: [] }
const role: AlgebraicType = {
  kind: 'sum',
  variants: [
    { name: 'fighter', type: unit },
    { name: 'caster', type: { kind: 'u8' } }
  ]
}
const spot: AlgebraicType = {
  kind: 'product',
  elements: [
    { name: 'x', type: { kind: 'f32' } },
    { name: 'y', type: { kind: 'f64' } }
  ]
}

function table(columns: Readonly<Record<string, AlgebraicType>>, ...rows: readonly unknown[]): RowSet {
  const shape: Shape = {
    columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
    typespace: []
  }
  return { shapes: [shape], rows: rows.map((values) => ({ shape, values })) }
}

const id = `0x${'c2'.repeat(32)}`

describe('a value means what `spacetime sql` shows, and what it plainly is', () => {
  test.each<[string, AlgebraicType, json: unknown, meant: readonly (string | number | bigint | boolean | null)[]]>([
    ['an integer', { kind: 'i32' }, 5, [5, 5n]],
    ['a large integer', { kind: 'u64' }, 2n ** 64n - 1n, [2n ** 64n - 1n]],
    ['an unsigned 256-bit integer', { kind: 'u256' }, '0xff', [255, 255n]],
    ['a negative 256-bit integer', { kind: 'i256' }, `0x${'f'.repeat(64)}`, [-1]],
    ['a float', { kind: 'f32' }, 0.33333334, [0.33333334]],
    ['a text', { kind: 'string' }, 'a "b"', ['a "b"']],
    ['a boolean', { kind: 'bool' }, true, [true]],
    ['an identity, as a list', identity, [id], [id, id.slice(2)]],
    ['an identity, as a map', identity, { __identity__: id }, [id]],
    ['an identity whose zeros were dropped', identity, ['0x1f'], [`0x${'1f'.padStart(64, '0')}`]],
    ['a connection id', wrapped('__connection_id__', 'u128'), [255], [`0x${'ff'.padStart(32, '0')}`]],
    ['a uuid', wrapped('__uuid__', 'u128'), [1n], ['00000000-0000-0000-0000-000000000001']],
    [
      'a timestamp',
      timestamp,
      [1795457176748879],
      [1795457176748879, '2026-11-23T18:06:16.748879+00:00', '2026-11-23T18:06:16.748879Z']
    ],
    ['a timestamp of whole milliseconds', timestamp, [1500], ['1970-01-01T00:00:00.001500+00:00']],
    ['a timestamp of whole milliseconds', timestamp, [1000], ['1970-01-01T00:00:00.001+00:00']],
    ['a timestamp before 1970', timestamp, [-1_000_000], ['1969-12-31T23:59:59+00:00', -1_000_000]],
    ['a duration', wrapped('__time_duration_micros__', 'i64'), [-1_500_000], ['-1.500000', -1_500_000]],
    ['an option with a value', option({ kind: 'u64' }), [0, 7], [7, '(some = 7)']],
    ['an option without', option({ kind: 'u64' }), [1, []], [null, '(none = ())']],
    ['an option of an identity', option(identity), [0, { __identity__: id }], [id, `(some = ${id})`]],
    ['an option without, in an option', option(option({ kind: 'u64' })), [0, [1, []]], ['(some = (none = ()))']],
    ['a variant without data', role, [0, []], ['fighter', '(fighter = ())']],
    ['a variant without data, as a map', role, [0, {}], ['fighter']],
    ['a variant with data', role, [1, 3], ['(caster = 3)']],
    ['a struct, as a list', spot, [0.5, -0], ['(x = 0.5, y = -0)']],
    ['a struct, as a map', spot, { y: 2, x: 0.5 }, ['(x = 0.5, y = 2)']],
    ['bytes', { kind: 'array', element: { kind: 'u8' } }, '00ff', ['0x00ff', '00ff']],
    ['a list', { kind: 'array', element: { kind: 'string' } }, ['a', ''], ['["a", ""]']]
  ])('%s', (_, type, json, meant) => {
    for (const value of meant) {
      expect(compareRows({ some: { x: value } }, table({ x: type }, [json]))).toEqual({ kind: 'holds' })
      expect(compareRows({ none: { x: value } }, table({ x: type }, [json]))).toMatchObject({ kind: 'differs' })
      expect(compareRows({ some: { x: value } }, table({ x: type }, { x: json }))).toEqual({ kind: 'holds' })
    }
  })

  test('an option without a value is not null twice over', () => {
    const rows = table({ x: option(option({ kind: 'u64' })) }, [[0, [1, []]]])
    expect(compareRows({ some: { x: null } }, rows)).toMatchObject({ kind: 'differs' })
  })

  test('a value of a type that is not known is compared as JSON has it', () => {
    const shape: Shape = { columns: [{ name: 'x', type: undefined }], typespace: [] }
    const rows: RowSet = { shapes: [shape], rows: [{ shape, values: [[1, { a: 2n ** 70n }]] }] }
    expect(compareRows({ value: '[1, {"a": 1180591620717411303424}]' }, rows)).toEqual({ kind: 'holds' })
  })

  test('a type by reference', () => {
    const shape: Shape = { columns: [{ name: 'x', type: { kind: 'ref', ref: 0 } }], typespace: [role] }
    expect(isLike({ x: 'fighter' }, { shape, values: [[0, []]] })).toBe(true)
  })
})

describe('comparisons', () => {
  test.each<[RowExpectation[string], number | bigint, boolean]>([
    [{ 'at-least': 5 }, 5, true],
    [{ 'at-least': 5 }, 4, false],
    [{ 'at-most': 5 }, 5, true],
    [{ 'at-most': 5 }, 6, false],
    [{ above: 5 }, 5, false],
    [{ below: 5 }, 5, false],
    [{ above: 4, below: 6 }, 5, true],
    [{ above: 4, below: 6 }, 6, false],
    [{ not: 5 }, 5, false],
    [{ not: 5n }, 5, false],
    [{ not: 5 }, 6, true],
    [{ equals: 5 }, 5n, true],
    [2 ** 53, 2n ** 53n + 1n, false],
    [{ 'at-most': 2 ** 53 }, 2n ** 53n + 1n, false],
    [{ above: 2 ** 53 }, 2n ** 53n + 1n, true]
  ])('%p of %p: %p', (expectation, value, holds) => {
    const { kind } = compareRows({ value: expectation }, table({ x: { kind: 'u64' } }, [value]))
    expect(kind).toBe(holds ? 'holds' : 'differs')
  })

  test('integers are compared exactly at any size', () => {
    const integer = fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n })
    const near = integer.chain((a) => fc.tuple(fc.constant(a), fc.oneof(integer, fc.constant(a), fc.constant(a + 1n))))
    const asJson = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
    fc.assert(
      fc.property(near, ([a, b]) => {
        const rows = table({ x: { kind: 'i256' } }, [asJson(a)])
        const holds = (expectation: RowExpectation[string]) =>
          compareRows({ value: expectation }, rows).kind === 'holds'
        const wanted = asJson(b)
        expect(holds(wanted)).toBe(a === b)
        expect(holds({ not: wanted })).toBe(a !== b)
        expect(holds({ 'at-least': wanted })).toBe(a >= b)
        expect(holds({ 'at-most': wanted })).toBe(a <= b)
        expect(holds({ above: wanted })).toBe(a > b)
        expect(holds({ below: wanted })).toBe(a < b)
      })
    )
  })

  test('a null is neither more nor less, and matches nothing', () => {
    const rows = table({ x: option({ kind: 'u64' }) }, [[1, []]])
    for (const expectation of [{ 'at-least': 0 }, { 'at-most': 0 }, { matches: 'some' }]) {
      expect(compareRows({ value: expectation }, rows)).toMatchObject({
        kind: 'differs',
        actual: 'value = (none = ())'
      })
    }
  })

  test.each([
    ['^0xc2', identity, [id]],
    ['^fighter$', role, [0, []]],
    ['^\\(caster = \\d+\\)$', role, [1, 3]],
    ['^2026-', timestamp, [1795457176748879]],
    ['ï', { kind: 'string' } as const, 'naïve']
  ])('matches /%s/', (pattern, type, json) => {
    expect(compareRows({ value: { matches: pattern } }, table({ x: type }, [json]))).toEqual({ kind: 'holds' })
    expect(compareRows({ value: { matches: 'nothing like it' } }, table({ x: type }, [json])).kind).toBe('differs')
  })
})

const counter = { id: { kind: 'u32' }, value: { kind: 'i64' } } as const

describe('what a newcomer reads', () => {
  const rows = table(counter, [0, 3], [1, -1], [2, -2], [3, -3], [4, -4])
  const none = table(counter)

  test.each<[RowsExpected, RowSet, expected: string, actual: string]>([
    [
      { count: { above: 5 } },
      rows,
      'count above 5',
      '5 rows: (id = 0, value = 3), (id = 1, value = -1), (id = 2, value = -2) and 2 more'
    ],
    [{ count: 1 }, none, 'count = 1', 'no rows'],
    [{ value: { 'at-least': 1, below: 9 } }, none, 'value at least 1 and below 9', 'no rows'],
    [{ value: 1 }, rows, 'value = 1', 'value = 0'],
    [{ some: { value: 7 } }, none, 'at least one row (value = 7)', 'no rows'],
    [
      { some: { value: 7 } },
      table(counter, [0, 3]),
      'at least one row (value = 7)',
      'none of 1 row: (value = 3, id = 0)'
    ],
    [
      { each: { value: { 'at-least': -2 } } },
      rows,
      'each row (value at least -2)',
      '2 of 5 rows are not like this: (value = -3, id = 3), (value = -4, id = 4)'
    ],
    [{ each: { value: 1 } }, none, 'each row (value = 1)', 'no rows'],
    [
      { none: { id: { not: 0 }, value: { above: -2 } } },
      rows,
      'no row (id not 0, value above -2)',
      '1 of 5 rows is like this: (id = 1, value = -1)'
    ],
    [{ rows: [] }, table(counter, [0, 3]), 'no rows', '1 row, not expected: (id = 0, value = 3)'],
    [{ rows: [{ id: 7 }] }, none, '1 row, among them (id = 7)', 'no rows'],
    [
      { rows: [{ id: 7 }] },
      table(counter, [0, 3]),
      '1 row, among them (id = 7)',
      '1 row, not expected: (id = 0, value = 3)'
    ],
    [{ rows: [{ id: 0 }, { id: 7 }] }, table(counter, [0, 3]), '2 rows, among them (id = 7)', '1 row, not among them'],
    [{ rows: [{ id: 0 }] }, table(counter, [0, 3], [1, 1]), '1 row', '2 rows, not expected: (id = 1, value = 1)']
  ])('%j', (expected, given, wanted, actual) => {
    expect(compareRows(expected, given)).toEqual({ kind: 'differs', expected: wanted, actual })
  })

  test('long values are cut, and stay in one line', () => {
    const given = table({ note: { kind: 'string' } }, [`one\ntwo ${'x'.repeat(1000)}`])
    const comparison = compareRows({ rows: [] }, given)
    expect(comparison.kind === 'differs' && comparison.actual).toMatch(
      /^1 row, not expected: \(note = "one two x{80,160}…$/
    )
  })

  test('texts are told from numbers', () => {
    expect(expectationText('5')).toBe('= "5"')
    expect(expectationText({ matches: '^a' })).toBe('matches /^a/')
  })
})

describe('mistakes of the author are told, whatever the rows are', () => {
  const columns = { ...counter, name: { kind: 'string' }, role, at: timestamp, ok: { kind: 'bool' } } as const

  test.each<[RowsExpected, string]>([
    [
      { some: { vlaue: 1 } },
      'There is no column `vlaue`. There are: `id`, `value`, `name`, `role`, `at`, `ok`. Did you mean `value`?'
    ],
    [
      { each: { name: { 'at-least': 1 } } },
      'Column "name" holds texts, which `at-least: 1` does not fit. Compare it with a text in quotes, or by `equals`, `not`, `matches`.'
    ],
    [
      { rows: [{ id: 1 }, { id: '1' }] },
      'Column "id" holds numbers, never "1". Compare it with a number, or by `equals`'
    ],
    [{ none: { value: { matches: '1' } } }, 'Column "value" holds numbers, which `matches: "1"` does not fit.'],
    [{ none: { role: 0 } }, 'Column "role" holds texts, never 0.'],
    [{ none: { ok: 'true' } }, 'Column "ok" holds `true` or `false`, never "true".'],
    [{ none: { at: true } }, 'Column "at" holds numbers or texts, never true.'],
    [{ value: 'x' }, 'Column "id" holds numbers, never "x".']
  ])('%j', (expected, reason) => {
    for (const rows of [[], [[0, 1, 'a', [0, []], [0], true]]]) {
      const comparison = compareRows(expected, table(columns, ...rows))
      expect(comparison).toEqual({ kind: 'mistake', reason: expect.stringContaining(reason) })
    }
  })

  test('a statement that gives no columns has none to compare', () => {
    expect(compareRows({ some: { id: 1 } }, table({}))).toMatchObject({
      reason: expect.stringContaining('no rows at all')
    })
    expect(compareRows({ value: 1 }, table({}))).toMatchObject({ kind: 'mistake' })
  })

  test('of several tables one has to have the column', () => {
    const one = table(counter, [0, 5])
    const other = table({ name: { kind: 'string' } }, ['a'])
    const both = { shapes: [...one.shapes, ...other.shapes], rows: [...one.rows, ...other.rows] }
    expect(compareRows({ some: { name: 'a' }, none: { value: 1 }, count: 2 }, both)).toEqual({ kind: 'holds' })
    expect(compareRows({ each: { value: 5 } }, both)).toMatchObject({
      actual: '1 of 2 rows is not like this: (name = "a")'
    })
    expect(compareRows({ some: { nope: 1 } }, both)).toMatchObject({ kind: 'mistake' })
  })
})

test('each row of none is right where the check says how many there are', () => {
  const none = table(counter)
  expect(compareRows({ each: { value: 1 }, count: { 'at-most': 3 } }, none)).toEqual({ kind: 'holds' })
  expect(compareRows({ each: { value: 1 }, rows: [] }, none)).toEqual({ kind: 'holds' })
})

describe('all rows, in any order', () => {
  test('a row that two expectations fit goes to the one that has no other', () => {
    const rows = table(counter, [0, 5], [1, 5])
    expect(compareRows({ rows: [{ value: 5 }, { id: 0 }] }, rows)).toEqual({ kind: 'holds' })
    expect(compareRows({ rows: [{ id: 0 }, { id: 0 }] }, rows)).toMatchObject({ kind: 'differs' })
  })

  test('however many there are, the answer comes soon', () => {
    const expected = Array.from({ length: 200 }, (_, id) => ({ id: { 'at-least': Math.max(0, id - 2) }, value: 5 }))
    const fitting = Array.from({ length: 200 }, (_, id) => [199 - id, 5])
    const began = performance.now()
    expect(compareRows({ rows: expected }, table(counter, ...fitting))).toEqual({ kind: 'holds' })
    const more = Array.from({ length: 400 }, (_, id) => [id, 5])
    expect(compareRows({ rows: expected }, table(counter, ...more))).toMatchObject({ expected: '200 rows' })
    const most = Array.from({ length: 50_000 }, (_, id) => [id, 5])
    expect(compareRows({ rows: expected }, table(counter, ...most))).toEqual({
      kind: 'differs',
      expected: '200 rows',
      actual: '50000 rows: (id = 0, value = 5), (id = 1, value = 5), (id = 2, value = 5) and 49997 more'
    })
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  test('as trying all orders finds it', () => {
    const cell = fc.integer({ min: 0, max: 2 })
    const row = fc.tuple(cell, cell)
    const expectation = fc
      .record({ id: cell, value: cell }, { requiredKeys: [] })
      .filter((given) => 'id' in given || 'value' in given)
    fc.assert(
      fc.property(fc.array(row, { maxLength: 4 }), fc.array(expectation, { maxLength: 4 }), (values, expected) => {
        const given = table(counter, ...values)
        const fits = orders(values).some(
          (order) =>
            order.length === expected.length &&
            order.every(([id, value], at) => {
              const wanted = expected[at]
              return (wanted?.id ?? id) === id && (wanted?.value ?? value) === value
            })
        )
        expect(compareRows({ rows: expected }, given).kind).toBe(fits ? 'holds' : 'differs')
      })
    )
  })

  function orders<Item>(items: readonly Item[]): Item[][] {
    if (items.length === 0) return [[]]
    return items.flatMap((item, at) => orders(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
  }
})
