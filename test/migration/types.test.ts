import { describe, expect, test } from '@jest/globals'
import { layoutsOf } from '../../src/migration/type-layout.ts'
import { relateTypes } from '../../src/migration/type-structure.ts'
import { serverTypeText, typeText } from '../../src/migration/type-text.ts'
import { judgeUpgrades } from '../../src/migration/type-upgrade.ts'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'

const u8: AlgebraicType = { kind: 'u8' }
const u32: AlgebraicType = { kind: 'u32' }
const u64: AlgebraicType = { kind: 'u64' }
const text: AlgebraicType = { kind: 'string' }
const unit = product({})

function product(fields: Readonly<Record<string, AlgebraicType>>): AlgebraicType {
  return { kind: 'product', elements: Object.entries(fields).map(([name, type]) => ({ name, type })) }
}

function sum(variants: Readonly<Record<string, AlgebraicType>>): AlgebraicType {
  return { kind: 'sum', variants: Object.entries(variants).map(([name, type]) => ({ name, type })) }
}

function array(element: AlgebraicType): AlgebraicType {
  return { kind: 'array', element }
}

function ref(ref: number): AlgebraicType {
  return { kind: 'ref', ref }
}

const option = (type: AlgebraicType) => sum({ some: type, none: unit })

describe('relating types', () => {
  /** A list: nothing, or a value and the rest. */
  const chain = (value: AlgebraicType) => sum({ end: unit, more: product({ value, rest: ref(0) }) })

  test.each<readonly [string, AlgebraicType, AlgebraicType, boolean, boolean]>([
    ['equal ones', product({ a: u8 }), product({ a: u8 }), true, true],
    ['other primitives', u8, u32, false, false],
    ['another field name', product({ a: u8 }), product({ b: u8 }), false, false],
    ['one field more', product({ a: u8 }), product({ a: u8, b: u8 }), false, false],
    ['one variant more', sum({ a: unit }), sum({ a: unit, b: u8 }), false, true],
    ['one variant less', sum({ a: unit, b: u8 }), sum({ a: unit }), false, false],
    ['a variant before the others', sum({ a: unit }), sum({ b: unit, a: unit }), false, false],
    [
      'one variant more, deep within',
      array(product({ x: sum({ a: u8 }) })),
      array(product({ x: sum({ a: u8, b: unit }) })),
      false,
      true
    ]
  ])('%s', (_name, one, other, isSame, accepts) => {
    expect(relateTypes('same', [], [])(one, other)).toBe(isSame)
    expect(relateTypes('accepts', [], [])(one, other)).toBe(accepts)
  })

  test('recursive types are compared to their ends', () => {
    expect(relateTypes('same', [chain(u8)], [chain(u8)])(ref(0), ref(0))).toBe(true)
    expect(relateTypes('same', [chain(u8)], [chain(u32)])(ref(0), ref(0))).toBe(false)
  })

  test('a comparison that failed does not spoil the next one', () => {
    // 0 and 1 refer to each other; only 1 differs.
    const first = [product({ other: ref(1) }), product({ back: ref(0), value: u8 })]
    const second = [product({ other: ref(1) }), product({ back: ref(0), value: u32 })]
    const same = relateTypes('same', first, second)
    expect([same(ref(1), ref(1)), same(ref(0), ref(0)), same(ref(1), ref(1))]).toEqual([false, false, false])
  })

  test('types that would be too large when written out are compared all the same', () => {
    const doubling = Array.from({ length: 200 }, (_, at) => product({ a: ref(at + 1), b: ref(at + 1) }))
    const deep = (end: AlgebraicType) => [...doubling, end]
    expect(relateTypes('same', deep(u8), deep(u8))(ref(0), ref(0))).toBe(true)
    expect(relateTypes('same', deep(u8), deep(u32))(ref(0), ref(0))).toBe(false)
    expect(judgeUpgrades(deep(u8), deep(u32))(ref(0), ref(0)).obstacles.length).toBeLessThan(1000)
    expect(typeText(ref(0), deep(u8), new Map()).length).toBeLessThan(100_000)
    expect(serverTypeText(ref(0), deep(u8)).length).toBeLessThan(1_000_000)
  })

  test('a reference to nothing is an error', () => {
    expect(() => relateTypes('same', [], [])(ref(0), ref(0))).toThrow('does not have')
  })
})

describe('layouts', () => {
  test.each<readonly [string, AlgebraicType, number, number, boolean]>([
    ['u64', u64, 8, 8, true],
    ['a string', text, 4, 2, false],
    ['a list', array(u64), 4, 2, false],
    ['nothing', unit, 0, 1, true],
    ['a tag alone', sum({ a: unit, b: unit }), 1, 1, true],
    ['fields with a gap', product({ a: u8, b: u32 }), 8, 4, true],
    ['fields with a gap at the end', product({ a: u32, b: u8 }), 8, 4, true],
    ['an option', option(u32), 8, 4, true],
    ['an option of a string', option(text), 6, 2, false],
    ['room for the largest variant', sum({ a: u8, b: product({ x: u64, y: u8 }) }), 24, 8, true]
  ])('%s', (_name, type, size, align, fixed) => {
    expect(layoutsOf([])(type)).toEqual({ size, align, fixed })
  })
})

describe('upgrades of columns', () => {
  const reasons = (before: AlgebraicType, after: AlgebraicType) =>
    judgeUpgrades([], [])(before, after).obstacles.map(({ reason, within }) => `${reason}${within ? ' within' : ''}`)

  test.each<readonly [string, AlgebraicType, AlgebraicType, readonly string[]]>([
    ['a variant without data at the end', sum({ a: unit }), sum({ a: unit, b: unit }), []],
    ['a variant that finds room', sum({ a: u32 }), sum({ a: u32, b: u8 }), []],
    ['a variant that needs more room', sum({ a: u8 }), sum({ a: u8, b: u32 }), ['size', 'alignment']],
    ['a variant in a list', array(sum({ a: unit })), array(sum({ a: unit, b: unit })), []],
    [
      'a variant less, in a field',
      product({ x: sum({ a: unit, b: unit }) }),
      product({ x: sum({ a: unit }) }),
      ['fewer-variants within']
    ],
    ['another name', sum({ a: unit }), sum({ b: unit }), ['renamed-variant']],
    ['another kind', u32, array(u32), ['type']],
    ['a field more', product({ a: u8 }), product({ a: u8, b: u8 }), ['field-count']]
  ])('%s', (_name, before, after, expected) => {
    expect(reasons(before, after)).toEqual(expected)
  })
})

describe('types in words', () => {
  const names = new Map([[0, 'Rarity']])
  const typespace = [sum({ common: unit, rare: u8 })]

  test.each<readonly [AlgebraicType, string, string]>([
    [u32, 'u32', 'U32'],
    [text, 'String', 'String'],
    [option(text), 'Option<String>', '(some: String | none: ())'],
    [array(u8), 'Vec<u8>', 'Array<U8>'],
    [ref(0), 'Rarity(common | rare u8)', '(common: () | rare: U8)'],
    [product({ __identity__: { kind: 'u256' } }), 'Identity', '(__identity__: U256)'],
    [product({ x: u8, y: ref(0) }), '{x: u8, y: Rarity(common | rare u8)}', '(x: U8, y: (common: () | rare: U8))'],
    [sum({ ok: unit, err: text }), 'Result<(), String>', '(ok: () | err: String)'],
    [sum({}), '(no variants)', '(|)']
  ])('%j', (type, readable, server) => {
    expect(typeText(type, typespace, names)).toBe(readable)
    expect(serverTypeText(type, typespace)).toBe(server)
  })
})
