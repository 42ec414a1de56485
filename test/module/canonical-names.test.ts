import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import {
  canonicalName,
  canonicalType,
  canonicalTypeName,
  canonicalVariantName
} from '../../src/module/canonical-names.ts'
import { fixturePath } from '../fixtures.ts'
import { types } from './arbitrary-types.ts'

const conversions: readonly [name: string, snake: string, camel: string, pascal: string][] = JSON.parse(
  readFileSync(fixturePath('canonical-names.json'), 'utf8')
)

describe('canonical names', () => {
  test.each(conversions)('%s, as the crate of the server converts it', (name, snake, camel, pascal) => {
    expect(canonicalName(name, 'snake-case')).toBe(snake)
    expect(canonicalVariantName(name, 'snake-case')).toBe(camel)
    expect(canonicalTypeName(name, 'snake-case')).toBe(pascal)
  })

  test('a canonical name is its own', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/), (name) => {
        const canonical = canonicalName(name, 'snake-case')
        expect(canonicalName(canonical, 'snake-case')).toBe(canonical)
      })
    )
  })

  test('without a policy names stay', () => {
    for (const [name] of conversions) {
      expect([
        canonicalName(name, 'none'),
        canonicalVariantName(name, 'none'),
        canonicalTypeName(name, 'none')
      ]).toEqual([name, name, name])
    }
    fc.assert(fc.property(types(0), (type) => expect(canonicalType(type, 'none')).toEqual(type)))
  })
})

describe('names within types', () => {
  const product = (name: string, type: AlgebraicType): AlgebraicType => ({
    kind: 'product',
    elements: [{ name, type }]
  })
  const unit: AlgebraicType = { kind: 'product', elements: [] }

  test('of elements, variants, and what lists hold', () => {
    const mood: AlgebraicType = {
      kind: 'sum',
      variants: [
        { name: 'VeryHappy', type: unit },
        { name: 'Other', type: product('someURL', { kind: 'string' }) }
      ]
    }
    expect(canonicalType({ kind: 'array', element: product('hp2', mood) }, 'snake-case')).toEqual({
      kind: 'array',
      element: product('hp_2', {
        kind: 'sum',
        variants: [
          { name: 'veryHappy', type: unit },
          { name: 'other', type: product('some_url', { kind: 'string' }) }
        ]
      })
    })
  })

  test.each<[title: string, type: AlgebraicType]>([
    ['an identity', product('__identity__', { kind: 'u256' })],
    ['a connection', product('__connection_id__', { kind: 'u128' })],
    ['a timestamp', product('__timestamp_micros_since_unix_epoch__', { kind: 'i64' })],
    ['a duration', product('__time_duration_micros__', { kind: 'i64' })],
    ['a uuid', product('__uuid__', { kind: 'u128' })],
    [
      'a schedule',
      {
        kind: 'sum',
        variants: [
          { name: 'Interval', type: product('__time_duration_micros__', { kind: 'i64' }) },
          { name: 'Time', type: product('__timestamp_micros_since_unix_epoch__', { kind: 'i64' }) }
        ]
      }
    ]
  ])('of %s stay, since clients know it by them', (_, type) => {
    expect(canonicalType(type, 'snake-case')).toEqual(type)
  })

  test('that only look like those of a known type do not stay', () => {
    expect(canonicalType(product('__identity__', { kind: 'u8' }), 'snake-case')).toEqual(
      product('identity', { kind: 'u8' })
    )
  })
})
