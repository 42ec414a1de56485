import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { results } from '../../../src/release/deployment.ts'
import { endingText, readEnding } from '../../../src/release/ledger/ending-text.ts'
import type { LedgerEnding } from '../../../src/release/ledger/ledger.ts'

const written: [ending: LedgerEnding, text: string][] = [
  [{ result: 'updated', isChecked: true }, 'updated, checked'],
  [{ result: 'created', isChecked: false, note: 'The first one.' }, 'created: The first one.'],
  [{ result: 'rolled-back', isChecked: true, note: 'a\n  b' }, 'rolled-back, checked: a b'],
  [{ result: 'failed', isChecked: false, without: [] }, 'failed, without none'],
  [{ result: 'unhealthy', isChecked: true, without: [9, 3, 8, 7, 3] }, 'unhealthy, checked, without 3 7-9'],
  [{ result: 'failed', isChecked: false, without: [0, 1], note: ' ' }, 'failed, without 0-1'],
  [{ result: 'failed', isChecked: false, note: 'x'.repeat(200) }, `failed: ${'x'.repeat(131)}…`]
]

test.each(written)('%j is written as %j', (ending, text) => {
  expect(endingText(ending)).toBe(text)
  expect(endingText(ending).length).toBeLessThanOrEqual(140)
})

test('where there is no room for the databases, it says that there are some', () => {
  const without = Array.from({ length: 60 }, (_, index) => index * 2)
  const text = endingText({ result: 'failed', isChecked: true, without, note: 'Much to say.' })
  expect(text).toBe('failed, checked, without some: Much to say.')
  expect(readEnding(text)).toEqual({ result: 'failed', isChecked: true, isWithoutSome: true })
})

const endings = fc.record(
  {
    result: fc.constantFrom(...results),
    isChecked: fc.boolean(),
    without: fc.uniqueArray(fc.nat({ max: 400 }), { maxLength: 60 }),
    note: fc.string({ unit: 'grapheme', maxLength: 300 })
  },
  { requiredKeys: ['result', 'isChecked'] }
)

test('what is written is read back, whatever the note', () => {
  fc.assert(
    fc.property(endings, (ending) => {
      const text = endingText(ending)
      const { result, isChecked, without } = ending
      expect(text.length).toBeLessThanOrEqual(140)
      const read = readEnding(text)
      expect(read).toMatchObject({ result, isChecked })
      if (read?.isWithoutSome) expect(without?.length).toBeGreaterThan(20)
      else expect(read?.without).toEqual(without?.toSorted((a, b) => a - b))
    })
  )
})

describe('another text', () => {
  const others = [
    '',
    'Deployed to production.',
    'Updated',
    'updated checked',
    'updated, checked, checked',
    'failed, without',
    'failed, without 1,2',
    'failed, without 1234567',
    'failed, without -1',
    'failed,without 1',
    'updated\n: yes'
  ]
  test.each(others)('%j says nothing', (text) => {
    expect(readEnding(text)).toBeUndefined()
  })

  test('never takes long or throws', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), (text) => {
        readEnding(text)
        readEnding(`failed, without ${text}`)
      })
    )
    expect(readEnding(`failed, without ${'0-99999 '.repeat(2000).trim()}`)).toBeUndefined()
  })

  test('a range that runs backwards is of none', () => {
    expect(readEnding('failed, without 9-3')).toMatchObject({ without: [] })
  })
})
