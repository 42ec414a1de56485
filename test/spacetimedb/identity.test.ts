import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { identityOf, isIdentity, parseIdentity } from '../../src/spacetimedb/identity.ts'

describe('an identity', () => {
  test.each([
    [
      'localhost',
      '4112c20c-9886-438c-8182-5dbd928fdb36',
      'c200ee5c7c00125ba63d03a4a8acc7a525795ad95787769613aad4902b5a97f9'
    ],
    [
      'http://127.0.0.1:4010',
      'repo:org/repo:environment:production',
      'c20033ad2a9fd3556420762138477547d149f790addfdd2d6053b2b936b2a6dd'
    ]
  ])('of %s and %s is what the server makes of them', (issuer, subject, identity) => {
    expect(identityOf(issuer, subject)).toBe(identity)
  })

  test('has the form of one, whoever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (issuer, subject) => {
        const identity = identityOf(issuer, subject)
        expect(identity).toMatch(/^c200/)
        expect(isIdentity(identity)).toBe(true)
      })
    )
  })

  test('is read with and without 0x, in either case, never reversed', () => {
    const digits = fc.stringMatching(/^[0-9a-f]{64}$/)
    fc.assert(
      fc.property(digits, fc.boolean(), fc.boolean(), (identity, prefixed, upper) => {
        const text = upper ? identity.toUpperCase() : identity
        expect(parseIdentity(prefixed ? `0x${text}` : text)).toBe(identity)
      })
    )
  })

  test.each(['', 'counter', 'a'.repeat(63), 'a'.repeat(65), `0x${'g'.repeat(64)}`])('is not "%s"', (text) => {
    expect(isIdentity(text)).toBe(false)
    expect(() => parseIdentity(text)).toThrow('not an identity')
  })
})
