import { describe, expect, test } from '@jest/globals'
import { lastReleaseOf, otherUseOf, type WrittenRelease } from '../../src/preview/other-use.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'

const identity = 'c2'.padEnd(64, '1') as Identity
const another = 'c2'.padEnd(64, '2')
const server = 'https://stdb.example.org'
const suspect = { server, database: 'game-pr-7', identity }

type Written = Omit<WrittenRelease['record'], 'action'> & { action?: string; environment?: string; begun?: number }

function written({ environment = 'game-pr-7', begun = 1, action = 'preview', ...record }: Written): WrittenRelease {
  return { environment, begun, record: { action, server, database: 'game-pr-7', ...record } }
}

describe('what speaks against a preview', () => {
  test.each<[string, Written[]]>([
    ['nothing is written down', []],
    ['previews', [written({}), written({ databaseIdentity: identity })].map(({ record }) => record)],
    ['a preview of another environment', [{ environment: 'previews' }]],
    ['a publish by hand, taken over by a preview', [{}, { action: 'adopt' }]],
    ['a deploy of another database', [{ action: 'deploy', database: 'game', databaseIdentity: another }]],
    ['a deploy under that name on another server', [{ action: 'deploy', server: 'http://127.0.0.1:3000' }]],
    ['a promote of others', [{ action: 'promote', database: 'a', databases: ['a', 'b'] }]]
  ])('%s: nothing', (_name, releases) => {
    expect(otherUseOf(suspect, releases.map(written))).toBeUndefined()
  })

  test.each<[string, Written[]]>([
    ['a deploy under that name', [{ action: 'deploy' }]],
    ['a deploy under that name, and previews since', [{ action: 'deploy' }, { begun: 2 }, { begun: 3 }]],
    [
      'a deploy of the same identity by another name',
      [{ action: 'deploy', database: 'game', databaseIdentity: identity }]
    ],
    ['on another address of the server', [{ action: 'deploy', server: 'http://x', databaseIdentity: identity }]],
    ['by its identity in the place of a name', [{ action: 'rollback', server: 'http://x', database: identity }]],
    ['a promote of several', [{ action: 'promote', database: 'a', databases: ['a', 'game-pr-7'] }]],
    ['a migration', [{ action: 'migrate-schema', environment: 'production' }]],
    ['an action that this version does not know', [{ action: 'restore' }]],
    ['a publish by hand where no preview was', [{ action: 'adopt', environment: 'production' }, {}]]
  ])('%s: that', (_name, releases) => {
    expect(otherUseOf(suspect, releases.map(written))?.record.action).not.toMatch(/^preview$|^undefined$/)
  })
})

test('the newest is told, and when it was published to last', () => {
  const releases = [
    written({ action: 'deploy', begun: 5 }),
    written({ action: 'rollback', begun: 9 }),
    written({ begun: 12 }),
    written({ begun: 40, database: 'game-pr-8' })
  ]
  expect(otherUseOf(suspect, releases)?.record.action).toBe('rollback')
  expect(lastReleaseOf(suspect, releases)).toBe(12)
  expect(lastReleaseOf(suspect, [])).toBeUndefined()
})
