import { describe, expect, test } from '@jest/globals'
import { ServerFailure, type SqlAnswer } from '../../src/spacetimedb/server.ts'
import { look } from '../../src/steps/condition.ts'
import type { Condition, Operator } from '../../src/steps/steps-file.ts'

const rowsOf = (rows: unknown[][]): SqlAnswer => ({
  kind: 'rows',
  columns: ['n'],
  types: [{ kind: 'u64' }],
  rows,
  stats: { inserted: 0, deleted: 0, updated: 0 }
})

function find(rows: unknown[][], operator: Operator, expected: Condition['expected'], others: unknown[][] = []) {
  const ask = async (select: string) => rowsOf(select === 'SELECT other' ? others : rows)
  return look(ask, { select: 'SELECT n', operator, expected })
}

const other = { select: 'SELECT other' }
const [large, larger] = [2n ** 64n, 2n ** 64n + 1n]

describe('a condition', () => {
  test.each<[unknown[][], Operator, Condition['expected'], string, string]>([
    [[[5]], 'equals', 5, 'met', '5'],
    [[[5, 6], [7]], 'equals', 5, 'met', '5'],
    [[[5]], 'equals', 6, 'unmet', '5, and not 6'],
    [[[large]], 'equals', large, 'met', '18446744073709551616'],
    [[[large]], 'equals', larger, 'unmet', '18446744073709551616, and not 18446744073709551617'],
    [[[2 ** 64]], 'equals', larger, 'unmet', '18446744073709552000, and not 18446744073709551617'],
    [[[large]], 'at-least', larger, 'unmet', '18446744073709551616, and not at least 18446744073709551617'],
    [[[larger]], 'at-least', large, 'met', '18446744073709551617'],
    [[[5]], 'at-least', 5, 'met', '5'],
    [[[4.9]], 'at-least', 5, 'unmet', '4.9, and not at least 5'],
    [[[5]], 'at-most', 5, 'met', '5'],
    [[[large]], 'at-most', 5, 'unmet', '18446744073709551616, and not at most 5'],
    [[['a']], 'equals', 'a', 'met', '"a"'],
    [[['a']], 'equals', 'b', 'unmet', '"a", and not "b"'],
    [[[true]], 'equals', true, 'met', 'true'],
    [[[false]], 'equals', true, 'unmet', 'false, and not true'],
    [[['0x1f']].map((row) => [row]), 'equals', '0x1f', 'met', '"0x1f"'],
    [[[[1795457176748879]]], 'at-least', 1, 'met', '1795457176748879'],
    [[], 'equals', 0, 'unmet', 'no row']
  ])('%j %s %s is %s', async (rows, operator, expected, kind, found) => {
    expect(await find(rows, operator, expected)).toEqual({ kind, found })
  })

  test('compares with what another question gives', async () => {
    expect(await find([[5]], 'equals', other, [[5]])).toEqual({ kind: 'met', found: '5' })
    expect(await find([[5]], 'at-least', other, [[6]])).toEqual({ kind: 'unmet', found: '5, and not at least 6' })
    expect(await find([[5]], 'equals', other)).toEqual({ kind: 'unmet', found: '5, and nothing to compare it with' })
  })

  test.each<[unknown, Operator, Condition['expected'], string]>([
    [5, 'equals', '5', '5 is a number and can\'t be compared with "5" by `equals`.'],
    ['5', 'at-least', 5, '"5" is a text and can\'t be compared with 5 by `at-least`.'],
    [true, 'equals', 1, "true is a boolean and can't be compared with 1 by `equals`."],
    [[0, 5], 'equals', 5, 'has to be a number, a text or a boolean'],
    [null, 'equals', 5, 'has to be a number, a text or a boolean']
  ])('that never can hold is told: %j %s %j', async (value, operator, expected, reason) => {
    expect(await find([[value]], operator, expected)).toEqual({
      kind: 'unusable',
      reason: expect.stringContaining(reason)
    })
  })

  test.each([
    ['unreachable', 'unanswered'],
    ['interrupted', 'unanswered'],
    ['timed-out', 'unanswered'],
    ['server-error', 'unanswered'],
    ['rate-limited', 'unanswered'],
    ['unauthorized', 'unanswered'],
    ['forbidden', 'unusable'],
    ['missing', 'unusable'],
    ['tls', 'unusable']
  ] as const)('a question that is %s is %s', async (failure, kind) => {
    const ask = () => Promise.reject(new ServerFailure(failure, 'It failed.'))
    expect(await look(ask, { select: 'SELECT n', operator: 'equals', expected: 1 })).toEqual({
      kind,
      reason: 'It failed.'
    })
  })
})
