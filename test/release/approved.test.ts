import { describe, expect, test } from '@jest/globals'
import type { Plan } from '../../src/migration/plan-file.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import { objectionsTo, objectionsToCreating } from '../../src/release/approved.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'

const hash = (digit: string) => digit.repeat(64) as ModuleHash
const identity = hash('c') as string as Identity
const hour = 3_600_000
const createdAt = '2026-01-01T00:00:00.000Z'

const plan: Plan = {
  tool: 'stdb-actions 1.2.3',
  createdAt,
  target: { server: 'https://stdb.example.org', database: 'game', databaseIdentity: identity },
  exists: true,
  previousHash: hash('1'),
  moduleHash: hash('2'),
  verdict: 'none',
  conditions: [],
  changes: [],
  serverPlan: { kind: 'automatic', text: '', breaksClients: false, token: '0x1', majorVersionUpgrade: false },
  wayBack: { reversible: 'yes', conditions: [], blockers: [] }
}

const here = {
  server: 'https://stdb.example.org',
  database: 'game',
  identity,
  module: hash('2'),
  live: hash('1'),
  now: Date.parse(createdAt) + hour
}

const approved = (changed: Partial<Plan> = {}) => ({
  plan: { ...plan, ...changed },
  path: 'plan.json',
  maxAge: 2 * hour
})

describe('an approved plan', () => {
  test('is carried out when all is as planned', () => {
    expect(objectionsTo(approved(), here)).toEqual([])
    expect(objectionsTo(approved(), { ...here, database: identity, server: 'http://10.0.0.1:3000' })).toEqual([])
  })

  test.each([
    ['another module', { module: hash('3') }, /The plan is for module 2+, and the module given is 3+/],
    ['another live module', { live: hash('3') }, /Somebody else published.*live was 1+, and is 3+/],
    ['a live module that nobody can read', { live: undefined }, /is one that nobody can read/],
    ['another database', { identity: hash('d') as string as Identity }, /is for "game".*and this is "game" on/],
    ['a time before it was made', { now: Date.parse(createdAt) - hour }, /which is still to come/],
    ['a later time', { now: Date.parse(createdAt) + 3 * hour }, /The plan is 3 h old, and may be 2 h/]
  ])('is refused for %s', (_, changed, message) => {
    const objections = objectionsTo(approved(), { ...here, ...changed })
    expect(objections).toEqual([expect.stringMatching(message)])
  })

  test('is refused with all that differs', () => {
    expect(objectionsTo(approved(), { ...here, module: hash('3'), live: hash('4'), now: Infinity })).toHaveLength(3)
  })

  const { target: _, ...compared } = plan
  const { serverPlan: __, ...unasked } = plan
  test.each<[string, Plan, RegExp]>([
    ['two modules', { ...compared, base: 'a.wasm' }, /compares two modules \(a\.wasm\)/],
    ['a database that was not there', { ...plan, exists: false }, /there is no database "game", and there is one/],
    ["no server's plan", unasked, /without the server's own plan/],
    [
      'a manual migration',
      { ...plan, serverPlan: { kind: 'manual', reason: 'no', majorVersionUpgrade: false } },
      /nothing to apply/
    ]
  ])('of %s is refused', (_, given, message) => {
    expect(objectionsTo({ plan: given, path: 'plan.json', maxAge: hour }, here)).toEqual([
      expect.stringMatching(message)
    ])
  })
})

describe('an approved plan for a first release', () => {
  const first = { exists: false, target: { server: here.server, database: here.database } }

  test('is carried out when there is none yet', () => {
    expect(objectionsToCreating(approved(first), here)).toEqual([])
  })

  test.each([
    ['another name', { database: 'other' }, /this is "other" on/],
    ['another server', { server: 'http://127.0.0.1:3000' }, /on http:\/\/127\.0\.0\.1:3000/],
    ['another module', { module: hash('3') }, /the module given is 3+/],
    ['a later time', { now: Infinity }, /old/]
  ])('is refused for %s', (_, changed, message) => {
    expect(objectionsToCreating(approved(first), { ...here, ...changed })).toEqual([expect.stringMatching(message)])
  })

  test('is none when the plan is for a database that is there', () => {
    expect(objectionsToCreating(approved(), here)).toEqual([expect.stringMatching(/there is no "game"/)])
  })
})
