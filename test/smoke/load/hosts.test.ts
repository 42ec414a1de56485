import { describe, expect, test } from '@jest/globals'
import { isAllowedLoadHost } from '../../../src/smoke/load/hosts.ts'

describe('isAllowedLoadHost', () => {
  test.each([
    'http://127.0.0.1:3000',
    'http://127.8.9.10',
    'http://127.1:80',
    'http://0x7f000001/',
    'http://2130706433',
    'http://localhost',
    'https://LocalHost.:3000',
    'http://[::1]:3000',
    'http://[0:0:0:0:0:0:0:1]',
    'http://[::ffff:127.0.0.1]'
  ])('%s is this machine', (url) => {
    expect(isAllowedLoadHost(url, [], false)).toBe(true)
  })

  test.each([
    'https://maincloud.spacetimedb.com',
    'http://0.0.0.0:3000',
    'http://10.0.0.1',
    'http://[::2]',
    'http://[::ffff:10.0.0.1]',
    'http://localhost.example.com',
    'http://notlocalhost',
    'http://my.localhost',
    'http://127.0.0.1.example.com',
    'http://example.com/127.0.0.1',
    'http://127.0.0.1@example.com',
    'http://localhost:80@example.com',
    'http://example.com?localhost',
    'http://example.com#@localhost',
    'ws://127.0.0.1',
    'localhost:3000',
    ''
  ])('%s is not', (url) => {
    expect(isAllowedLoadHost(url, [], false)).toBe(false)
  })

  test('a server that was started for the checks may be loaded wherever it is', () => {
    expect(isAllowedLoadHost('http://172.17.0.2:3000', [], true)).toBe(true)
  })

  test.each([
    ['staging.example.com', 'https://staging.example.com'],
    ['staging.example.com', 'https://staging.example.com:3000'],
    ['STAGING.example.COM.', 'https://staging.example.com'],
    [' staging.example.com ', 'https://staging.example.com'],
    ['staging.example.com:3000', 'https://staging.example.com:3000'],
    ['staging.example.com:443', 'https://staging.example.com'],
    ['staging.example.com:80', 'http://staging.example.com'],
    ['10.0.0.1', 'http://10.0.0.1:3000'],
    ['[fd00::1]', 'http://[fd00::1]:3000'],
    ['[fd00:0::1]:3000', 'http://[fd00::1]:3000'],
    ['bücher.example', 'https://xn--bcher-kva.example']
  ])('%s names %s', (entry, url) => {
    expect(isAllowedLoadHost(url, ['other.example', entry], false)).toBe(true)
  })

  test.each([
    ['example.com', 'https://staging.example.com'],
    ['staging.example.com', 'https://example.com'],
    ['*.example.com', 'https://staging.example.com'],
    ['*', 'https://staging.example.com'],
    ['.*', 'https://staging.example.com'],
    ['', 'https://staging.example.com'],
    ['.example.com', 'https://staging.example.com'],
    ['staging.example.co', 'https://staging.example.com'],
    ['staging.example.com', 'https://staging.example.com.evil.example'],
    ['staging.example.com', 'https://evil.example/staging.example.com'],
    ['staging.example.com', 'https://staging.example.com@evil.example'],
    ['staging.example.com:3000', 'https://staging.example.com'],
    ['staging.example.com:3000', 'https://staging.example.com:30001'],
    ['staging.example.com:80', 'https://staging.example.com'],
    ['https://staging.example.com', 'https://staging.example.com'],
    ['staging.example.com/', 'https://staging.example.com'],
    ['user@staging.example.com', 'https://staging.example.com'],
    ['fd00::1', 'http://[fd00::1]']
  ])('%s does not name %s', (entry, url) => {
    expect(isAllowedLoadHost(url, [entry], false)).toBe(false)
  })
})
