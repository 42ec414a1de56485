import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { describeModule } from '../../src/module/describe.ts'
import { inOneLine } from '../../src/one-line.ts'
import { copiedValues } from '../../src/rehearsal/copied-values.ts'
import type { WritableKind } from '../../src/rehearsal/sql-values.ts'
import { shownValue } from '../../src/smoke/shown-value.ts'
import { wasm } from '../server/world.ts'

const schema = await describeModule(wasm('rich'))

function hide(values: readonly unknown[], text: string, kind: WritableKind = 'string'): string {
  const copied = copiedValues(schema)
  for (const value of values) copied.add(value, kind)
  return copied.hide(text)
}

const long = `${'Hans Castorp went up the mountain. '.repeat(30)}`
const uuid = 0x123e4567e89b12d3a456426614174000n
const connection = 0xdeadbeef00112233445566778899aabbn
const wide = (2n ** 200n).toString(16)

test.each<[string, WritableKind, unknown, string, string]>([
  ['a text', 'string', 'Hans Castorp', 'value: "Hans Castorp"', 'value: "***"'],
  ['a text in quotes', 'string', 'a "b" c\n', 'value: "a \\"b\\" c\\n"', 'value: "***"'],
  ['a text in JSON that is quoted', 'string', 'a "b"', JSON.stringify('{"x":"a \\"b\\""}'), '"{\\"x\\":\\"***\\"}"'],
  ['a text in SQL', 'string', "O'Neill", "VALUES ('O''Neill')", "VALUES ('***')"],
  ['a text with a bell, as Rust writes it', 'string', 'ding\u0007dong', 'Err("ding\\u{7}dong")', 'Err("***")'],
  ['a text of several lines', 'string', 'Hans\nCastorp\n', 'it was Hans Castorp.', 'it was ***.'],
  ['the same, as it is', 'string', 'Hans\nCastorp', 'it was Hans\n  Castorp.', 'it was ***.'],
  ['a text that is cut', 'string', long, `error: ${inOneLine(long, 100)}`, 'error: ***…'],
  ['a text that is cut in half a character', 'string', 'Hans 🐈', '"Hans \\ud83d…"', '"***…"'],
  ['another that begins alike', 'string', long, 'Hans Castle', 'Hans Castle'],
  ['an identity', 'identity', [`0x${'ab'.repeat(32)}`], `${'ab'.repeat(32)} 0x${'ab'.repeat(32)}`, '*** ***'],
  ['a connection id', 'connection', [connection], `0x${connection.toString(16)} ${connection}`, '*** ***'],
  ['a UUID', 'uuid', [uuid], '123e4567-e89b-12d3-a456-426614174000', '***'],
  ['a UUID in capitals', 'uuid', [uuid], '123E4567-E89B-12D3-A456-426614174000', '***'],
  ['a UUID as its number', 'uuid', [uuid], `[${uuid}]`, '[***]'],
  ['an integer of 256 bits', 'u256', `0x${wide}`, `${2n ** 200n} 0x${wide}`, '*** ***'],
  ['a negative one', 'i256', `0x${(2n ** 256n - 5_000_000n).toString(16)}`, 'value = -5000000', 'value = ***'],
  ['a large integer', 'u128', 2n ** 70n, `value: ${2n ** 70n}`, 'value: ***'],
  ['a large negative one', 'i32', -5_000_000, 'value: -5000000', 'value: ***'],
  ['a large float, as Rust writes it', 'f64', 1e21, 'value: 1000000000000000000000 1e+21', 'value: *** ***'],
  ['bytes', 'bytes', 'deadbeef', '0xdeadbeef', '0x***'],
  ['bytes as a list', 'bytes', 'deadbeef', '[222, 173, 190, 239]', '[***]'],
  ['a small integer stays', 'u32', 17, '17 rows', '17 rows'],
  ['a short text stays', 'string', 'abc', 'abc', 'abc'],
  ['a name of the schema stays', 'string', 'nickname', 'column nickname', 'column nickname']
])('%s', (_, kind, value, text, shown) => {
  expect(hide([value], text, kind)).toBe(shown)
})

test('of values of which one holds or meets the other, nothing is left', () => {
  expect(hide(['Castorp', 'Hans Castorp'], 'it was Hans Castorp')).toBe('it was ***')
  expect(hide(['Hans Cast', 'Castorp'], 'it was Hans Castorp!')).toBe('it was ***!')
})

test('wherever a text is cut, four of its characters are not left', () => {
  const texts = fc.string({ unit: 'binary', minLength: 8, maxLength: 400 })
  fc.assert(
    fc.property(texts, fc.integer({ min: 10, max: 300 }), fc.boolean(), (text, length, isQuoted) => {
      const line = inOneLine(text, length)
      const said = `found ${isQuoted ? JSON.stringify(line) : line}`
      const stays = line.replace(/…$/, '').length < 4
      fc.pre(!stays && !/…./s.test(line))
      expect(hide([text], said)).toMatch(isQuoted ? /^found "\*\*\*…?"$/ : /^found \*\*\*…?$/)
    }),
    { numRuns: 300 }
  )
})

const wrapper = (name: string, kind: 'u128' | 'u256'): AlgebraicType => ({
  kind: 'product',
  elements: [{ name, type: { kind } }]
})

test.each<[WritableKind, AlgebraicType, unknown]>([
  ['uuid', wrapper('__uuid__', 'u128'), [uuid]],
  ['connection', wrapper('__connection_id__', 'u128'), [connection]],
  ['identity', wrapper('__identity__', 'u256'), [`0x${'0a'.repeat(32)}`]],
  ['u256', { kind: 'u256' }, `0x${wide}`],
  ['bytes', { kind: 'array', element: { kind: 'u8' } }, 'c0ffee00'],
  ['u64', { kind: 'u64' }, 2n ** 60n]
])('%s: what a check shows of it is hidden', (kind, type, value) => {
  const { text, means } = shownValue(value, type, [])
  expect(hide([value], text, kind)).toMatch(/^"?(0x)?\*\*\*"?$/)
  for (const meant of means) expect(hide([value], `${meant}`, kind)).toMatch(/^(0x)?\*\*\*$/)
})
