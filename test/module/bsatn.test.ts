import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { decode, encode, type Value, valueCodec } from '../../src/module/bsatn.ts'
import { typed, typespaces } from './arbitrary-types.ts'

const unit: AlgebraicType = { kind: 'product', elements: [] }
const optionOf = (type: AlgebraicType): AlgebraicType => ({
  kind: 'sum',
  variants: [
    { name: 'some', type },
    { name: 'none', type: unit }
  ]
})

describe('values in BSATN', () => {
  test.each<[title: string, type: AlgebraicType, value: Value, hex: string]>([
    ['a bool', { kind: 'bool' }, true, '01'],
    ['a u16, little-endian', { kind: 'u16' }, 0x1234, '3412'],
    ['a negative i32', { kind: 'i32' }, -2, 'feffffff'],
    ['a u64 beyond doubles', { kind: 'u64' }, 2n ** 64n - 1n, 'ffffffffffffffff'],
    ['a negative i128', { kind: 'i128' }, -1n, 'ff'.repeat(16)],
    ['a u256', { kind: 'u256' }, 2n ** 248n, `${'00'.repeat(31)}01`],
    ['an f32', { kind: 'f32' }, 1.5, '0000c03f'],
    ['an f64', { kind: 'f64' }, -0, '0000000000000080'],
    ['a string, by its bytes', { kind: 'string' }, 'naïve', '060000006e61c3af7665'],
    ['bytes', { kind: 'array', element: { kind: 'u8' } }, Uint8Array.of(1, 255), '0200000001ff'],
    ['a list', { kind: 'array', element: { kind: 'u16' } }, [1, 2], '0200000001000200'],
    ['something', optionOf({ kind: 'u8' }), { tag: 0, value: 7 }, '0007'],
    ['nothing', optionOf({ kind: 'u8' }), { tag: 1, value: [] }, '01'],
    [
      'a product',
      { kind: 'product', elements: [{ type: { kind: 'u8' } }, { type: { kind: 'bool' } }] },
      [9, false],
      '0900'
    ]
  ])('%s', (_, type, value, hex) => {
    const codec = valueCodec(type, [])
    expect(Buffer.from(encode(codec, value)).toString('hex')).toBe(hex)
    expect(decode(codec, Buffer.from(hex, 'hex'))).toEqual(value)
  })

  test('any value of any type is read as it was written', () => {
    fc.assert(
      fc.property(typed(), ({ type, typespace, value }) => {
        const codec = valueCodec(type, typespace)
        expect(decode(codec, encode(codec, value))).toEqual(value)
      })
    )
  })

  test('what was read stays when the input is used again', () => {
    const input = Buffer.from('0200000001ff', 'hex')
    const value = decode(valueCodec({ kind: 'array', element: { kind: 'u8' } }, []), input)
    input.fill(0)
    expect(value).toEqual(Uint8Array.of(1, 255))
  })

  test('a type that refers to itself', () => {
    const tree: AlgebraicType = { kind: 'array', element: { kind: 'ref', ref: 0 } }
    const codec = valueCodec({ kind: 'ref', ref: 0 }, [tree])
    const value = [[], [[], []]]
    expect(decode(codec, encode(codec, value))).toEqual(value)
  })

  test('bytes that end too early, or too late, are an error', () => {
    fc.assert(
      fc.property(typed(), fc.nat(), ({ type, typespace, value }, cut) => {
        const codec = valueCodec(type, typespace)
        const bytes = encode(codec, value)
        expect(() => decode(codec, Uint8Array.of(...bytes, 0))).toThrow(/bytes too many/)
        if (bytes.length > 0) {
          expect(() => decode(codec, bytes.subarray(0, cut % bytes.length))).toThrow(/at byte \d+|too early/)
        }
      })
    )
  })

  test('any bytes are a value or an error that says where', () => {
    fc.assert(
      fc.property(typespaces(), fc.uint8Array({ maxLength: 200 }), (typespace, bytes) => {
        for (const type of typespace) {
          try {
            decode(valueCodec(type, typespace), bytes)
          } catch (error) {
            expect((error as Error).message).toMatch(/at byte \d+/)
          }
        }
      })
    )
  })
})

describe('what hostile bytes can not do', () => {
  const bytesOf = (hex: string) => Buffer.from(hex, 'hex')
  const units: AlgebraicType = { kind: 'array', element: unit }

  test('make a list of four thousand million elements of nothing', () => {
    expect(() => decode(valueCodec(units, []), bytesOf('ffffffff'))).toThrow(/elements without content/)
  })

  test('make many long lists of nothing', () => {
    const lists = valueCodec({ kind: 'array', element: units }, [])
    const count = 100_000
    const bytes = Buffer.concat([bytesOf('a0860100'), Buffer.alloc(4 * count, bytesOf('ffff0000'))])
    expect(() => decode(lists, bytes)).toThrow(/elements without content/)
  })

  test('have memory reserved for what they only claim', () => {
    const before = process.memoryUsage().rss
    expect(() => decode(valueCodec({ kind: 'string' }, []), bytesOf('ffffffff00'))).toThrow(/end too early/)
    expect(() => decode(valueCodec({ kind: 'array', element: { kind: 'u64' } }, []), bytesOf('ffffffff00'))).toThrow(
      /end too early/
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20)
  })

  test('exhaust the stack', () => {
    const endless: AlgebraicType = { kind: 'product', elements: [{ type: { kind: 'ref', ref: 0 } }] }
    expect(() => decode(valueCodec({ kind: 'ref', ref: 0 }, [endless]), new Uint8Array())).toThrow(/levels deep/)
    const tree: AlgebraicType = { kind: 'array', element: { kind: 'ref', ref: 0 } }
    const deep = Buffer.alloc(400_000, bytesOf('01000000'))
    expect(() => decode(valueCodec({ kind: 'ref', ref: 0 }, [tree]), deep)).toThrow(/levels deep/)
  })
})

describe('what is refused', () => {
  test.each<[title: string, type: AlgebraicType, hex: string, message: RegExp]>([
    ['a bool that is neither', { kind: 'bool' }, '02', /a bool is 0 or 1, not 2, at byte 1 of 1/],
    ['a variant that does not exist', optionOf({ kind: 'u8' }), '02', /variant 2 of a sum that has 2/],
    ['text that is not UTF-8', { kind: 'string' }, '01000000ff', /not UTF-8, at byte 0 of 5/]
  ])('reading %s', (_, type, hex, message) => {
    expect(() => decode(valueCodec(type, []), Buffer.from(hex, 'hex'))).toThrow(message)
  })

  test.each<[title: string, type: AlgebraicType, value: Value, message: RegExp]>([
    ['a number that is too large', { kind: 'u8' }, 256, /256 is no u8/],
    ['a negative number without a sign', { kind: 'u32' }, -1, /-1 is no u32/],
    ['half a number', { kind: 'i16' }, 0.5, /0.5 is no i16/],
    ['a bigint that is too large', { kind: 'i64' }, 2n ** 63n, /is no i64/],
    ['a number for a bigint', { kind: 'u64' }, 1, /expected a bigint, got number/],
    ['a text for a number', { kind: 'u8' }, '1', /expected a number, got string/],
    [
      'too few elements',
      { kind: 'product', elements: [{ type: { kind: 'u8' } }] },
      [],
      /expected 1 elements, got a list of 0/
    ],
    ['a list for a sum', optionOf({ kind: 'u8' }), [], /expected a sum, got a list of 0/],
    ['a variant that does not exist', optionOf({ kind: 'u8' }), { tag: 2, value: 1 }, /variant 2/]
  ])('writing %s', (_, type, value, message) => {
    expect(() => encode(valueCodec(type, []), value)).toThrow(message)
  })

  test('a type that points to nothing', () => {
    expect(() => valueCodec({ kind: 'ref', ref: 3 }, [])).toThrow(/type 3 is missing: the typespace has 0/)
  })
})
