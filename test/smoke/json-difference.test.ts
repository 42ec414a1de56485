import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { jsonDifference } from '../../src/smoke/json-difference.ts'

test.each<[expected: unknown, actual: unknown, texts: [string, string] | undefined]>([
  [12, 12, undefined],
  [12, 12n, undefined],
  [{ a: 1, b: [2] }, { b: [2], a: 1 }, undefined],
  [[], [], undefined],
  [2 ** 53, 2n ** 53n + 1n, ['9007199254740992', '9007199254740993']],
  [null, undefined, ['null', 'nothing']],
  ['12', 12, ['"12"', '12']],
  [[], {}, ['[]', '{}']],
  [{ players: [{ name: 'a' }] }, { players: [{ name: 'b' }] }, ['players[0].name = "a"', 'players[0].name = "b"']],
  [{ a: 1 }, { a: 1, more: true }, ['more = nothing', 'more = true']],
  [{}, JSON.parse('{"__proto__": {}}'), ['__proto__ = nothing', '__proto__ = {}']],
  [{ a: 1 }, {}, ['a = 1', 'a = nothing']],
  [[1, 2], [1], ['[1, 2]', '[1]']],
  [
    [0, 1],
    [0, 'x'.repeat(300)],
    ['[1] = 1', expect.stringMatching(/^\[1\] = "x{198}…$/) as unknown as string]
  ]
])('%j and %j', (expected, actual, texts) => {
  const difference = jsonDifference(expected, actual)
  if (texts === undefined) expect(difference).toBeUndefined()
  else expect(difference).toEqual({ expected: texts[0], actual: texts[1] })
})

test('a document is like itself, and like nothing else', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 1 }), (one, other) => {
      expect(jsonDifference(one, structuredClone(one))).toBeUndefined()
      const areSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
      expect(jsonDifference(one, other) === undefined).toBe(areSame)
    })
  )
})

function sorted(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sorted)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(
    Object.entries(json)
      .map(([key, value]) => [key, sorted(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  )
}
