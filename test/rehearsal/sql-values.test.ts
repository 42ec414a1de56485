import { describe, expect, test } from '@jest/globals'
import fc, { type Arbitrary } from 'fast-check'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { Value } from '../../src/module/bsatn.ts'
import type { Schema } from '../../src/module/schema.ts'
import { madeUpLiteral } from '../../src/rehearsal/made-up-values.ts'
import { literalOf, type WritableKind, writableKind } from '../../src/rehearsal/sql-values.ts'
import { parseWithBigIntegers } from '../../src/spacetimedb/sql-answer.ts'
import { Datastore } from '../embedded/datastore.ts'
import { stringify, valueJson } from '../embedded/sats-json.ts'
import { runSql } from '../embedded/sql-run.ts'

const wrapper = (name: string, type: AlgebraicType): AlgebraicType => ({ kind: 'product', elements: [{ name, type }] })

const integers = (bits: bigint, isSigned: boolean) =>
  isSigned
    ? fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n })
    : fc.bigInt({ min: 0n, max: 2n ** bits - 1n })

const whole = (
  kind: 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'i128' | 'u128' | 'i256' | 'u256'
) => {
  const bits = BigInt(kind.slice(1))
  const values = integers(bits, kind.startsWith('i'))
  return [{ kind }, values.map((value): Value => (bits <= 32n ? Number(value) : value))] as const
}

const finite = { noNaN: true, noDefaultInfinity: true }

/** What INSERT writes: a type, and values as the embedded server keeps them. */
const writable: Readonly<Record<WritableKind, readonly [AlgebraicType, Arbitrary<Value>]>> = {
  bool: [{ kind: 'bool' }, fc.boolean()],
  string: [{ kind: 'string' }, fc.string({ unit: 'binary' })],
  i8: whole('i8'),
  u8: whole('u8'),
  i16: whole('i16'),
  u16: whole('u16'),
  i32: whole('i32'),
  u32: whole('u32'),
  i64: whole('i64'),
  u64: whole('u64'),
  i128: whole('i128'),
  u128: whole('u128'),
  i256: whole('i256'),
  u256: whole('u256'),
  f32: [{ kind: 'f32' }, fc.float(finite)],
  f64: [{ kind: 'f64' }, fc.double(finite)],
  bytes: [{ kind: 'array', element: { kind: 'u8' } }, fc.uint8Array({ maxLength: 40 })],
  identity: [wrapper('__identity__', { kind: 'u256' }), integers(256n, false).map((value): Value => [value])],
  connection: [wrapper('__connection_id__', { kind: 'u128' }), integers(128n, false).map((value): Value => [value])],
  uuid: [wrapper('__uuid__', { kind: 'u128' }), integers(128n, false).map((value): Value => [value])]
}

const kinds = Object.keys(writable) as WritableKind[]

/** A table with one column of each type. */
const row = kinds.map((kind) => ({ name: `the "${kind}"`, type: writable[kind][0] }))

function emptyStore(): Datastore {
  const table = {
    name: 'all of them',
    columns: row,
    rowType: 0,
    uniqueConstraints: [],
    indexes: [],
    sequences: [],
    access: 'public',
    isEvent: false
  } as const
  const schema: Schema = {
    typespace: [{ kind: 'product', elements: row }],
    types: [],
    tables: [table],
    reducers: [],
    procedures: [],
    views: [],
    httpRoutes: [],
    lifecycle: [],
    rowLevelSecurity: [],
    unknownParts: []
  }
  return new Datastore(schema, { tables: new Map(), sequences: new Map() }, new Map())
}

const owner = { identity: 'c2'.padEnd(64, '0'), isOwner: true }

/** A value as it comes out of an answer to SQL. */
function answered(value: Value, type: AlgebraicType): unknown {
  return parseWithBigIntegers(stringify(valueJson(value, type, [])))
}

function insert(store: Datastore, literals: readonly (string | undefined)[]): readonly Value[] {
  const columns = row.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ')
  runSql(`INSERT INTO "all of them" (${columns}) VALUES (${literals.join(', ')})`, store, [], owner)
  const [found = []] = runSql('SELECT * FROM "all of them"', store, [], owner).rows
  return found
}

describe('values as literals', () => {
  test('a row that is read and written is the same row', () => {
    const values = fc.tuple(...kinds.map((kind) => writable[kind][1]))
    fc.assert(
      fc.property(values, (given) => {
        const literals = kinds.map((kind, at) => literalOf(kind, answered(given[at] as Value, writable[kind][0])))
        const found = insert(emptyStore(), literals)
        const again = kinds.map((kind, at) => literalOf(kind, answered(found[at] as Value, writable[kind][0])))
        expect(again).toEqual(literals)
        expect(found.map(withoutNegativeZero)).toEqual(given.map(withoutNegativeZero))
      }),
      { numRuns: 300 }
    )
  })

  test('different values have different literals', () => {
    for (const kind of kinds) {
      const [type, values] = writable[kind]
      const pairs = fc.tuple(values, values)
      fc.assert(
        fc.property(pairs, ([one, other]) => {
          const same = stringify(valueJson(one, type, [])) === stringify(valueJson(other, type, []))
          const isZero = one === 0 && other === 0
          expect(literalOf(kind, answered(one, type)) === literalOf(kind, answered(other, type))).toBe(same || isZero)
        }),
        { numRuns: 50 }
      )
    }
  })

  test.each([
    ['f64', null],
    ['f32', 'NaN'],
    ['u8', 256],
    ['i8', -129],
    ['u64', -1],
    ['u32', 1.5],
    ['u256', '12'],
    ['identity', '0x1'],
    ['string', 1],
    ['bool', 'true'],
    ['bytes', 'abc'],
    ['bytes', [1, 2]]
  ] as const)('%s: %j is no value of it', (kind, value) => {
    expect(literalOf(kind, value)).toBeUndefined()
  })

  test.each([
    ['i256', '-0x5', '-5'],
    ['i256', `0x${'f'.repeat(64)}`, '-1'],
    ['i256', '0x7', '7'],
    ['u256', `0x${'f'.repeat(64)}`, `${2n ** 256n - 1n}`],
    ['f64', 1.5e300, `${BigInt(1.5e300)}`],
    ['f64', -0, '0'],
    ['f32', 0.1, '0.10000000149011612'],
    ['f64', 5e-324, '5e-324'],
    ['string', "it's", "'it''s'"],
    ['bytes', '', "X''"],
    ['uuid', [255n], `0x${'ff'.padStart(32, '0')}`]
  ] as const)('%s: %j is %s', (kind, value, literal) => {
    expect(literalOf(kind, value)).toBe(literal)
  })
})

test.each(kinds)('%s: made-up values differ from row to row, and can be written', (kind) => {
  const made = Array.from({ length: kind === 'bool' ? 2 : 250 }, (_, at) => madeUpLiteral(kind, at + 1))
  expect(new Set(made).size).toBe(made.length)
  const literals = kinds.map((each) => (each === kind ? made.at(-1) : madeUpLiteral(each, 1)))
  expect(insert(emptyStore(), literals)).toHaveLength(kinds.length)
})

test.each<[string, AlgebraicType]>([
  [
    'an option',
    {
      kind: 'sum',
      variants: [
        { name: 'some', type: { kind: 'u8' } },
        { name: 'none', type: { kind: 'product', elements: [] } }
      ]
    }
  ],
  ['a time', wrapper('__timestamp_micros_since_unix_epoch__', { kind: 'i64' })],
  ['a duration', wrapper('__time_duration_micros__', { kind: 'i64' })],
  [
    'a struct',
    {
      kind: 'product',
      elements: [
        { name: 'x', type: { kind: 'u8' } },
        { name: 'y', type: { kind: 'u8' } }
      ]
    }
  ],
  ['a struct of one field', wrapper('x', { kind: 'u8' })],
  ['a list', { kind: 'array', element: { kind: 'u16' } }],
  ['nothing', { kind: 'product', elements: [] }]
])('%s can not be written', (_, type) => {
  expect(writableKind(type, [])).toBeUndefined()
})

test('each type that can be written is known by its structure, through references too', () => {
  for (const kind of kinds) expect(writableKind({ kind: 'ref', ref: 0 }, [writable[kind][0]])).toBe(kind)
})

function withoutNegativeZero(value: Value): Value {
  return Object.is(value, -0) ? 0 : value
}
