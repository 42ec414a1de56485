import { expect, test } from '@jest/globals'
import { describeModule } from '../../src/module/describe.ts'
import { copiedValues } from '../../src/rehearsal/copied-values.ts'
import { wasm } from '../server/world.ts'

const schema = await describeModule(wasm('rich'))

function hide(values: readonly unknown[], text: string): string {
  const copied = copiedValues(schema)
  for (const value of values) copied.add(value)
  return copied.hide(text)
}

test.each<[string, unknown, string, string]>([
  ['a text', 'Hans Castorp', 'value: "Hans Castorp"', 'value: "***"'],
  ['a text as it is written in quotes', 'a "b" c\n', 'value: "a \\"b\\" c\\n"', 'value: "***"'],
  ['an identity, with 0x and without', [`0x${'ab'.repeat(32)}`], `${'ab'.repeat(32)} 0x${'ab'.repeat(32)}`, '*** ***'],
  ['a large integer', 2n ** 70n, `value: ${2n ** 70n}`, 'value: ***'],
  ['a large negative one', -5_000_000, 'value: -5000000', 'value: ***'],
  ['bytes', 'deadbeef', '0xdeadbeef', '0x***'],
  ['a small integer stays', 17, '17 rows', '17 rows'],
  ['a short text stays', 'abc', 'abc', 'abc'],
  ['a name of the schema stays', 'nickname', 'column nickname', 'column nickname']
])('%s', (_, value, text, shown) => {
  expect(hide([value], text)).toBe(shown)
})

test('of values of which one holds the other, nothing is left', () => {
  expect(hide(['Castorp', 'Hans Castorp'], 'it was Hans Castorp')).toBe('it was ***')
})
