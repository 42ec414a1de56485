import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { repositoryCache } from '../../actions/archive-caches.ts'
import type { Cache } from '../../src/github/cache.ts'
import { temporaryFolders } from './folders.ts'

const makeFolder = temporaryFolders()

/** Has whatever is asked for. */
const full: Cache = {
  restore: async ([path = ''], key) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, key)
    return { kind: 'hit', key, exact: true }
  },
  save: async () => ({ kind: 'saved' })
}

test('what was kept is brought to where it is wanted', async () => {
  const file = join(makeFolder(), 'archive.zip')
  expect(await repositoryCache(makeFolder(), full).restore('key', 'name', file)).toBe(true)
  expect(readFileSync(file, 'utf8')).toBe('key')
})

test('a folder that is gone meanwhile is no error, neither of restoring nor of saving', async () => {
  const file = join(makeFolder(), 'gone', 'archive.zip')
  const cache = repositoryCache(makeFolder(), full)
  expect(await cache.restore('key', 'name', file)).toBe(false)
  await cache.save('key', 'name', file)
  expect(existsSync(file)).toBe(false)
})
