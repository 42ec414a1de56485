import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { node24, nodes } from './node24.ts'

describe('node24', () => {
  const path = node24()
  const title = path === undefined ? nodes()[1]?.title : 'is a Node 24 or newer'

  const whereThereIsOne = path === undefined ? test.skip : test
  whereThereIsOne(title ?? '', () => {
    const version = execFileSync(path ?? '', ['--version'], { encoding: 'utf8' })
    expect(Number.parseInt(version.slice(1), 10)).toBeGreaterThanOrEqual(24)
  })

  test('lies where npm does not put it on the PATH of scripts', () => {
    // `npm update` and `npm dedupe` move it up: then move its entries in package-lock.json back into test/runner/node24.
    expect(existsSync(resolve(import.meta.dirname, '../../node_modules/.bin/node'))).toBe(false)
  })
})
