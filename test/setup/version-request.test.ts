import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../src/errors.ts'
import { parseVersionRequest } from '../../src/setup/version-request.ts'

test.each([
  ['auto', { kind: 'auto' }],
  ['latest', { kind: 'latest' }],
  ['2.8.3', { kind: 'exact', version: '2.8.3' }],
  ['v2.8.3', { kind: 'exact', version: '2.8.3' }],
  [' 2.8.3 ', { kind: 'exact', version: '2.8.3' }],
  ['3.0.0-rc.1', { kind: 'exact', version: '3.0.0-rc.1' }],
  ['^2.8', { kind: 'range', range: '^2.8' }],
  ['2.x', { kind: 'range', range: '2.x' }],
  ['2', { kind: 'range', range: '2' }],
  ['~2.8.0', { kind: 'range', range: '~2.8.0' }],
  ['>=2.7 <2.9', { kind: 'range', range: '>=2.7 <2.9' }]
])('%j is understood', (given, expected) => {
  expect(parseVersionRequest(given)).toEqual(expected)
})

describe('what is no version', () => {
  test.each(['', 'newest', '2.8.3.1', 'two', 'master', '2,8'])('%j is refused with what is allowed', (given) => {
    expect(() => parseVersionRequest(given)).toThrow(/`version`.*allowed is `auto`, `latest`.*`2\.8\.3`.*`\^2\.8`/)
  })

  test('whatever it is, the error is one for the user', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (given) => {
        try {
          parseVersionRequest(given)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      })
    )
  })
})
