import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../src/errors.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'

describe('the input `database`', () => {
  test.each(['counter', 'my-game-2', '7', ' counter '])('%s is a name', (input) => {
    expect(databaseName(input)).toBe(input.trim())
  })

  test('an identity is read in every form', () => {
    const identity = 'c200ee5c7c00125ba63d03a4a8acc7a525795ad95787769613aad4902b5a97f9'
    expect(databaseName(identity)).toBe(identity)
    expect(databaseName(`0x${identity.toUpperCase()}`)).toBe(identity)
  })

  test.each([
    ['', 'is empty'],
    ['Bad_Name', 'Did you mean "bad-name"?'],
    ['-counter-', 'Did you mean "counter"?'],
    ['a--b', 'Did you mean "a-b"?'],
    ['org/repo', 'Did you mean "org-repo"?'],
    ['../../v1/ping', 'Did you mean "v1-ping"?'],
    ['名前', 'lower-case letters and digits']
  ])('"%s" is refused: %s', (input, message) => {
    expect(() => databaseName(input)).toThrow(ConfigurationError)
    expect(() => databaseName(input)).toThrow(message)
  })

  test('is a name, or its refusal suggests one that is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (input) => {
        try {
          expect(databaseName(input)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
          const suggestion = /Did you mean "(.*?)"\?/s.exec(String(error))?.[1]
          if (suggestion !== undefined) expect(databaseName(suggestion)).toBe(suggestion)
        }
      })
    )
  })
})
