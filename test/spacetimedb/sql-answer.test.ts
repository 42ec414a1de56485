import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isSelect, parseWithBigIntegers } from '../../src/spacetimedb/sql-answer.ts'

describe('numbers in JSON', () => {
  test('integers come exactly, as numbers where a double holds them', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 255n), max: 2n ** 256n }), (integer) => {
        const parsed = parseWithBigIntegers(`[${integer}]`)
        expect(parsed).toEqual([Number.isSafeInteger(Number(integer)) ? Number(integer) : integer])
      })
    )
  })

  test('all else is as JSON.parse has it', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        fc.pre(!json.includes('__proto__'))
        const rounded = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)
        expect(JSON.stringify(parseWithBigIntegers(json), rounded)).toBe(JSON.stringify(JSON.parse(json)))
      })
    )
  })
})

describe('a statement', () => {
  test.each(['SELECT 1', ' select * from t', '\n\tSelect\n1'])('%j only reads', (statement) => {
    expect(isSelect(statement)).toBe(true)
  })

  test.each(['INSERT INTO t VALUES (1)', 'selected', 'DELETE FROM t', '', 'SET x = 1', '-- select\nDELETE FROM t'])(
    '%j may write',
    (statement) => {
      expect(isSelect(statement)).toBe(false)
    }
  )
})
