import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../src/errors.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import { tokenWith } from './tokens.ts'

const now = Date.parse('2026-06-01T12:00:00Z')
const clock = { now: () => now }
const seconds = now / 1000

describe('a token', () => {
  test('tells offline who it speaks for', async () => {
    const token = tokenWith({ iss: 'localhost', sub: '4112c20c-9886-438c-8182-5dbd928fdb36', iat: 1, exp: null })
    const credential = tokenCredential(` ${token}\n`, clock)
    expect(credential).toMatchObject({
      kind: 'token',
      identity: 'c200ee5c7c00125ba63d03a4a8acc7a525795ad95787769613aad4902b5a97f9',
      issuer: 'localhost',
      subject: '4112c20c-9886-438c-8182-5dbd928fdb36'
    })
    expect(await credential.token()).toBe(token)
  })

  test('is good until it expires, and a minute more, as the server has it', () => {
    const expiring = (exp: number) => () => tokenCredential(tokenWith({ iss: 'i', sub: 's', exp }), clock)
    expect(expiring(seconds + 1)).not.toThrow()
    expect(expiring(seconds - 59)).not.toThrow()
    expect(expiring(seconds - 61)).toThrow('expired (2026-06-01T11:58:59.000Z')
    expect(expiring(-1e20)).toThrow('expired (long ago')
  })

  test.each([
    ['nothing', '', 'is empty'],
    ['blanks', ' \n', 'is empty'],
    ['a header', `Bearer ${tokenWith({ iss: 'i', sub: 's' })}`, 'Give the token alone'],
    ['a classic GitHub token', `ghp_${'a'.repeat(36)}`, '`auth: oidc`'],
    ['a fine-grained GitHub token', `github_pat_${'a'.repeat(60)}`, 'GitHub token'],
    ["a job's GitHub token", `ghs_${'a'.repeat(36)}`, 'GitHub token'],
    ['any other text', 'hunter2', 'not a JSON Web Token'],
    ['two parts', tokenWith({ iss: 'i', sub: 's' }).replace(/\.[^.]*$/, ''), 'not a JSON Web Token'],
    ['no signature', tokenWith({ iss: 'i', sub: 's' }).replace(/[^.]*$/, ''), 'not a JSON Web Token'],
    ['four parts', `${tokenWith({ iss: 'i', sub: 's' })}.x`, 'not a JSON Web Token'],
    ['parts that are no JSON', 'aaa.bbb.ccc', 'not a JSON Web Token'],
    ['a line break inside', tokenWith({ iss: 'i', sub: 's' }).replace('.', '.\n'), 'not a JSON Web Token'],
    ['no issuer', tokenWith({ sub: 's' }), 'has no `iss`'],
    ['no subject', tokenWith({ iss: 'i' }), 'has no `sub`'],
    ['an empty subject', tokenWith({ iss: 'i', sub: '' }), 'has no `sub`'],
    ['a long issuer', tokenWith({ iss: 'i'.repeat(129), sub: 's' }), '`iss` of 129 bytes'],
    ['a long subject, in bytes', tokenWith({ iss: 'i', sub: 'ü'.repeat(65) }), '`sub` of 130 bytes']
  ])('%s is refused: it never is shown', (_, input, message) => {
    const failure = failureOf(() => tokenCredential(input, clock))
    expect(failure).toBeInstanceOf(ConfigurationError)
    expect(String(failure)).toContain(message)
    for (const part of input.split(/[\s.]+/).filter((text) => text.length >= 8)) {
      expect(String(failure)).not.toContain(part)
    }
  })

  test('takes claims of 128 bytes', () => {
    const subject = 'ü'.repeat(64)
    expect(tokenCredential(tokenWith({ iss: 'i'.repeat(128), sub: subject }), clock)).toMatchObject({ subject })
  })

  test('has the claims that were put in, or is refused as the user can fix it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (iss, sub) => {
        const token = tokenWith({ iss, sub })
        const result = failureOf(() =>
          expect(tokenCredential(token, clock)).toMatchObject({ issuer: iss, subject: sub })
        )
        expect(result === undefined || result instanceof ConfigurationError).toBe(true)
        if (iss !== '' && sub !== '' && iss.length + sub.length < 60) expect(result).toBeUndefined()
      })
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(failureOf(() => tokenCredential(text, clock))).toBeInstanceOf(ConfigurationError)
      })
    )
  })
})

function failureOf(action: () => unknown): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}
