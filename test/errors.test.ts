import { describe, expect, test } from '@jest/globals'
import { ConfigurationError, messageOf } from '../src/errors.ts'

describe('messageOf', () => {
  test('takes the message of an error', () => {
    expect(messageOf(new ConfigurationError('no'))).toBe('no')
  })
  test('makes a text of anything else', () => {
    expect(messageOf(7)).toBe('7')
  })
})
