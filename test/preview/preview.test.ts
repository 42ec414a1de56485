import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { prefixForm, previewNamed, previewOf } from '../../src/preview/preview.ts'

const prefixes = fc.stringMatching(/^[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}$/)
const numbers = fc.integer({ min: 1, max: 999_999_999 })

test('the name of a preview leads back to it, and to none of another prefix', () => {
  fc.assert(
    fc.property(prefixes, prefixes, numbers, (prefix, other, number) => {
      const preview = previewOf(prefix, number)
      expect(preview.database).toMatch(prefixForm)
      expect(previewNamed(prefix, preview.database)).toEqual(preview)
      expect(previewNamed(other, preview.database)?.prefix ?? prefix).toBe(prefix)
    })
  )
})

test('a name that is not exactly that of a preview is none', () => {
  fc.assert(
    fc.property(prefixes, fc.string({ maxLength: 30 }), (prefix, name) => {
      const found = previewNamed(prefix, name)
      if (found !== undefined) expect(name).toBe(`${prefix}-pr-${found.number}`)
    })
  )
})

test.each([
  'game',
  'game-pr-',
  'game-pr-0',
  'game-pr-07',
  'game-pr-7x',
  'game-pr-7-1',
  'game-pr-7-pr-8',
  'game-pr-1e3',
  'game-pr--7',
  'game-pr-7 ',
  'game-pr-7\n',
  'my-game-pr-7',
  'gamepr-7',
  'game-pr-9007199254740993',
  ''
])('%j is the name of no preview', (name) => {
  expect(previewNamed('game', name)).toBeUndefined()
})

test.each([
  ['', 1],
  ['Game', 1],
  ['game-', 1],
  ['a--b', 1],
  ['../x', 1],
  ['game', 0],
  ['game', -1],
  ['game', 1.5],
  ['game', Number.NaN]
])('there is no preview of %j and %d', (prefix, number) => {
  expect(() => previewOf(prefix, number)).toThrow()
})
