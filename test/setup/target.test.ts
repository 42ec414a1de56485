import { expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { targetFor } from '../../src/setup/target.ts'

test.each([
  ['linux', 'x64', 'x86_64-unknown-linux-gnu', '.tar.gz', ''],
  ['linux', 'arm64', 'aarch64-unknown-linux-gnu', '.tar.gz', ''],
  ['darwin', 'x64', 'x86_64-apple-darwin', '.tar.gz', ''],
  ['darwin', 'arm64', 'aarch64-apple-darwin', '.tar.gz', ''],
  ['win32', 'x64', 'x86_64-pc-windows-msvc', '.zip', '.exe']
])('%s on %s', (platform, arch, triple, end, exe) => {
  expect(targetFor(platform, arch)).toEqual({ triple, asset: `spacetime-${triple}${end}`, exe })
})

test.each([
  ['win32', 'arm64'],
  ['linux', 'ia32'],
  ['freebsd', 'x64'],
  ['', '']
])('%s on %s is refused, and what there is named', (platform, arch) => {
  expect(() => targetFor(platform, arch)).toThrow(ConfigurationError)
  expect(() => targetFor(platform, arch)).toThrow(
    /x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu, x86_64-apple-darwin, aarch64-apple-darwin, x86_64-pc-windows-msvc/
  )
})
