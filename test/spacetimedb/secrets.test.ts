import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { keepSecrets } from '../../src/spacetimedb/secrets.ts'
import { tokenWith } from './tokens.ts'

describe('secrets', () => {
  test('are told once, and an empty one never', () => {
    const told: string[] = []
    const secrets = keepSecrets((secret) => told.push(secret))
    for (const secret of ['a-secret', '', 'b-secret', 'a-secret']) secrets.add(secret)
    expect(told).toEqual(['a-secret', 'b-secret'])
  })

  test('are cut out of any text, as is every token that was never told', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[!-~]{8,20}$/)), fc.string(), fc.string(), (given, before, after) => {
        const secrets = keepSecrets(() => {})
        for (const secret of given) secrets.add(secret)
        for (const secret of [...given, tokenWith({ iss: before, sub: after })]) {
          expect(secrets.redact(`${before} ${secret} ${after} ${secret}`)).not.toContain(secret)
        }
      })
    )
  })

  test('leave everything else as it is', () => {
    const text = 'no such table: `nope`. eyJ is no token, nor is a.b.c'
    expect(keepSecrets(() => {}).redact(text)).toBe(text)
  })
})
