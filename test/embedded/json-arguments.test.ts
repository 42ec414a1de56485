import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { decode, type Value, valueCodec } from '../../src/module/bsatn.ts'
import { type Callee, encodeArguments } from './json-arguments.ts'
import { stringify, valueJson } from './sats-json.ts'

const craft: Callee = {
  kind: 'reducer',
  name: 'craft',
  parameters: [
    { name: 'label', type: { kind: 'string' } },
    { name: 'price', type: { kind: 'u32' } }
  ]
}

const unit: AlgebraicType = { kind: 'product', elements: [] }

const walk: Callee = {
  kind: 'reducer',
  name: 'walk',
  parameters: [
    {
      name: 'direction',
      type: {
        kind: 'sum',
        variants: [
          { name: 'north', type: unit },
          { name: 'south', type: unit }
        ]
      }
    }
  ]
}

describe('arguments that do not fit are refused in the words of a real server', () => {
  test.each([
    [craft, '["a", 1, 2]', '.', 'trailing characters at line 1 column 10'],
    [craft, '["a"]', '.', 'invalid length 1, expected reducer args for craft with 2 elements at line 1 column 5'],
    [craft, '["a", -1]', '[1]', 'invalid value: integer `-1`, expected u32 at line 1 column 8'],
    [craft, '["a", 1.5]', '[1]', 'invalid type: floating point `1.5`, expected u32 at line 1 column 9'],
    [craft, '["a",\n "b"]', '[1]', 'invalid type: string "b", expected u32 at line 2 column 4'],
    [craft, '["a", 1,]', '.', 'trailing comma at line 1 column 9'],
    [craft, '{"label":"a"}', '.', 'missing reducer argument `price` at line 1 column 13'],
    [craft, '{"label":"a","price":1,"x":2}', '.', 'trailing comma at line 1 column 23'],
    [craft, '"x"', '.', 'invalid type: string "x", expected a craft tuple at line 1 column 3'],
    [craft, 'null', '.', 'invalid type: null, expected a craft tuple at line 1 column 4'],
    [walk, '[{"North":[]}]', '[0].North', 'unknown variant `North`, expected , `north``south` at line 1 column 9'],
    [walk, '[[7,[]]]', '[0][0]', 'unknown tag 0x7 for sum type <unknown> at line 1 column 3']
  ])('%j %s', (callee, json, path, problem) => {
    const name = callee.name
    expect(() => encodeArguments(json, callee, [])).toThrow(
      `invalid arguments for reducer ${name}: ${path}: invalid arguments for function ${name}: ${path}: ${path}: ${problem}`
    )
  })
})

test.each([
  [craft, '{"price":7,"label":"a"}', ['a', 7]],
  [walk, '[{"south":[]}]', [{ tag: 1, value: [] }]],
  [walk, '[[0,{}]]', [{ tag: 0, value: [] }]]
])('%j takes %s', (callee, json, expected) => {
  const type: AlgebraicType = { kind: 'product', elements: callee.parameters }
  expect(decode(valueCodec(type, []), encodeArguments(json, callee, []))).toEqual(expected)
})

describe('values in JSON', () => {
  const written = (value: Value, type: AlgebraicType) => stringify(valueJson(value, type, []))

  test.each<[AlgebraicType['kind'], Value, string]>([
    ['f32', Math.fround(1 / 3), '0.33333334'],
    ['f32', 1e12, '1000000000000.0'],
    ['f32', Math.fround(1e13), '1e13'],
    ['f64', -0, '-0.0'],
    ['f64', 1e16, '1e16'],
    ['f64', 1e15, '1000000000000000.0'],
    ['f64', 1.5e-7, '1.5e-7'],
    ['f64', 0.00001, '0.00001'],
    ['f64', Number.NaN, 'null'],
    ['i128', -(2n ** 127n), '-170141183460469231731687303715884105728'],
    ['u256', 255n, '"0xff"']
  ])('%s %s is %s', (kind, value, expected) => {
    expect(written(value, { kind } as AlgebraicType)).toBe(expected)
  })

  test('a float is written as the shortest text that is the same float', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(Number(written(value, { kind: 'f64' })), value)).toBe(true)
      })
    )
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(Math.fround(Number(written(value, { kind: 'f32' }))), value)).toBe(true)
      })
    )
  })
})
