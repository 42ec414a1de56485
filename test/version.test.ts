import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { version } from '../src/version.ts'

test('the version is that of package.json', () => {
  const { version: declared } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(version).toBe(declared)
})
