import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../src/errors.ts'
import { serverAddress } from '../../src/spacetimedb/server-url.ts'

const withToken = { withToken: true, allowInsecure: false }

describe('the input `server`', () => {
  test.each([
    ['maincloud', 'https://maincloud.spacetimedb.com'],
    [' Local ', 'http://127.0.0.1:3000'],
    ['https://example.com', 'https://example.com'],
    ['https://example.com/', 'https://example.com'],
    ['https://Example.COM:443/base//', 'https://example.com/base'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://127.8.0.1:3000/', 'http://127.8.0.1:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['HTTPS://example.com:8443', 'https://example.com:8443']
  ])('%s means %s', (input, url) => {
    expect(serverAddress(input, withToken)).toEqual({ url, warnings: [] })
  })

  test.each([
    ['', 'is empty'],
    ['  ', 'is empty'],
    ['example.com', 'Did you mean https://example.com?'],
    ['example.com:3000/x', 'Did you mean https://example.com:3000/x?'],
    ['localhost:3000', 'Did you mean http://localhost:3000?'],
    ['127.0.0.1:3000', 'Did you mean http://127.0.0.1:3000?'],
    ['testnet', 'or maincloud or local'],
    ['constructor', 'no scheme'],
    ['https://', 'is not a URL'],
    ['https://exa mple.com', 'is not a URL'],
    ['not a url', 'is not a URL'],
    ['ftp://example.com', 'is not http or https'],
    ['wss://example.com', 'is not http or https'],
    ['file:///etc/passwd', 'is not'],
    ['https://example.com?x=1', 'Give only the address: https://example.com'],
    ['https://example.com/#x', 'Give only the address: https://example.com']
  ])('"%s" is refused: %s', (input, message) => {
    expect(() => serverAddress(input, withToken)).toThrow(ConfigurationError)
    expect(() => serverAddress(input, withToken)).toThrow(message)
  })

  test('never shows a password or a query, wherever it stands', () => {
    const secret = fc.stringMatching(/^S3cr3t[A-Za-z0-9 ^%[\]-]{0,12}$/)
    const places: ((text: string) => string)[] = [
      (text) => `https://user:${text}@example.com`,
      (text) => `https://${text}@example.com/path`,
      (text) => `ftp://user:${text}@example.com`,
      (text) => `https://user:${text}@exa mple.com`,
      (text) => `user:${text}@example.com`,
      (text) => `https://example.com/?token=${text}`,
      (text) => `example.com?token=${text}`,
      (text) => `https://example.com/#${text}`
    ]
    fc.assert(
      fc.property(secret, fc.constantFrom(...places), (text, place) => {
        expect(messageFor(place(text))).not.toMatch(/S3cr3t/i)
      })
    )
  })
})

describe('http to another machine', () => {
  const url = 'http://stdb.example:3000'

  test('is warned of without a token, refused with one, warned of where it is allowed', () => {
    const warnings = [expect.stringContaining('without encryption')]
    expect(serverAddress(url, { withToken: false, allowInsecure: false })).toEqual({ url, warnings })
    expect(() => serverAddress(url, withToken)).toThrow('`allow-insecure: true`')
    expect(serverAddress(url, { withToken: true, allowInsecure: true })).toEqual({ url, warnings })
  })

  test.each(['http://127.0.0.1.example.com', 'http://localhost.example.com', 'http://0.0.0.0', 'http://10.0.0.1'])(
    '%s is not loopback',
    (other) => {
      expect(() => serverAddress(other, withToken)).toThrow('unencrypted')
    }
  )
})

function messageFor(input: string): string {
  try {
    serverAddress(input, withToken)
  } catch (error) {
    return String(error)
  }
  throw new Error('it was accepted')
}
