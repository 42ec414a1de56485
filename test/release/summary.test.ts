import { describe, expect, test } from '@jest/globals'
import { adviceOn, type Outcome } from '../../src/release/advice.ts'
import type { Ending } from '../../src/release/deployment.ts'
import { headlineOf, renderRecovery } from '../../src/release/summary.ts'
import { moduleOf } from './model-server.ts'

const next = moduleOf('next').hash
const previous = moduleOf('old').hash
const where = { server: 'https://stdb.example.org', database: 'game', moduleHash: next }
const toNew = { kind: 'new' } as const
const empty = { reversible: 'conditional', conditions: [{ kind: 'table-empty', table: 'audit' }] } as const

type Case = { name: string; outcome: Ending & Partial<Outcome>; says: RegExp[]; never?: RegExp[] }

const goBack = /Go back: deploy the previous module.*`allow-breaking-clients: true` and `on-failure: keep`/

const cases: Case[] = [
  {
    name: 'an unhealthy release that can be taken back',
    outcome: {
      result: 'unhealthy',
      live: toNew,
      previousHash: previous,
      wayBack: { reversible: 'yes', conditions: [] }
    },
    says: [/spacetime logs/, goBack]
  },
  {
    name: 'an unhealthy module that was live before',
    outcome: { result: 'unhealthy', live: toNew, previousHash: next },
    says: [/no previous module to go back to from here/],
    never: [/Go back:/]
  },
  {
    name: 'a rollback that a table with rows stood against',
    outcome: { result: 'rollback-failed', live: toNew, previousHash: previous, wayBack: empty },
    says: [/only while table audit is empty/, /DELETE FROM audit/, goBack]
  },
  {
    name: 'a rollback of what has no way back',
    outcome: {
      result: 'rollback-failed',
      live: toNew,
      previousHash: previous,
      wayBack: { ...empty, reversible: 'no' }
    },
    says: [/Go forward/],
    never: [/Go back:/]
  },
  {
    name: 'a rollback that met somebody else’s module',
    outcome: { result: 'rollback-failed', live: { kind: 'other' }, previousHash: previous },
    says: [/Look at what was published/],
    never: [/Go back:/]
  },
  {
    name: 'a release that was taken back as unhealthy',
    outcome: { result: 'rolled-back', live: { kind: 'previous' } },
    says: [/Mend the module/]
  },
  {
    name: 'a release that was taken back as the job was cut off',
    outcome: { result: 'rolled-back', live: { kind: 'previous' }, isCutOff: true },
    says: [/Run the job again/],
    never: [/Mend the module/]
  },
  {
    name: 'a first publish that failed and claimed the name',
    outcome: { result: 'failed', live: { kind: 'none' }, isClaimed: true },
    says: [/again \*\*now\*\*, with `create: true`/],
    never: [/Nothing has to be undone/]
  },
  {
    name: 'a server that could not be asked',
    outcome: { result: 'unknown', live: { kind: 'unknown' }, previousHash: previous },
    says: [
      /curl -s https:\/\/stdb\.example\.org\/v1\/database\/game\/sql.*`0x[0-9a-f]+` there; the previous one's is `0x/
    ]
  }
]

describe('what to do now', () => {
  test.each(cases)('after $name', ({ outcome, says, never = [] }) => {
    const advice = adviceOn({ ...where, ...outcome }).join('\n')
    for (const part of says) expect(advice).toMatch(part)
    for (const part of never) expect(advice).not.toMatch(part)
  })

  test.each(['created', 'updated', 'unchanged', 'planned'] as const)('nothing after %s', (result) => {
    expect(adviceOn({ ...where, result, live: toNew })).toEqual([])
  })
})

describe('the headline', () => {
  test.each<[Ending, string]>([
    [{ result: 'failed', live: { kind: 'previous' } }, 'Failed: this deploy changed nothing in game'],
    [{ result: 'failed', live: { kind: 'other' } }, "Failed: game runs somebody else's module"],
    [
      { result: 'failed', live: { kind: 'none' }, isClaimed: true },
      'Failed: game was not created, but its name is claimed'
    ],
    [{ result: 'unhealthy', live: toNew }, 'Unhealthy: game runs the new module all the same'],
    [{ result: 'unhealthy', live: toNew, isCutOff: true }, 'Not checked: game runs the new module all the same'],
    [{ result: 'rollback-failed', live: toNew }, 'The rollback failed: game runs the new, unhealthy module'],
    [{ result: 'rollback-failed', live: { kind: 'none' } }, 'The rollback failed: game is gone']
  ])('%j', (ending, headline) => {
    expect(headlineOf(ending, 'game')).toBe(headline)
  })
})

test('a post step tells where the database is and what to do, with all that the deploy knew', () => {
  const left = {
    ...where,
    phase: 'changing',
    next: { hash: next, path: 'next.wasm' },
    previous: { hash: previous, path: 'old.wasm' },
    onFailure: 'rollback',
    wayBack: { reversible: 'conditional', conditions: [{ kind: 'table-empty', table: 'audit' }] }
  } as const
  const ending: Ending = { result: 'rollback-failed', live: toNew, reason: 'Table `audit` has rows.\n<b>x</b>' }
  const markdown = renderRecovery(
    { ...left, wayBack: { ...left.wayBack, conditions: [...left.wayBack.conditions] } },
    ending
  )
  expect(markdown).toContain('## ❌ After the deploy: The rollback failed: `game` runs')
  expect(markdown).toContain('> Table \\`audit\\` has rows.')
  expect(markdown).not.toContain('<b>')
  expect(markdown).toContain('DELETE FROM audit')
})
