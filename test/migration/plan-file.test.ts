import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { diffSchemas } from '../../src/migration/diff.ts'
import { judge } from '../../src/migration/judgement.ts'
import { formatPlan, type Plan, parsePlan, planDigest, readPlan, writePlan } from '../../src/migration/plan-file.ts'
import { judgeWayBack } from '../../src/migration/way-back.ts'
import { largeSchema } from './large-schema.ts'

const before = largeSchema({ tables: 3, reducers: 3 })
const after = largeSchema({ tables: 4, reducers: 3, edition: 1 })
const changes = diffSchemas(before, after)
const { reversible, conditions, blockers } = judgeWayBack(before, after)

const plan: Plan = {
  tool: 'stdb-actions 1.2.3',
  createdAt: '2026-11-23T21:00:00.000Z',
  target: { server: 'https://maincloud.spacetimedb.com', database: 'counter', databaseIdentity: 'c2'.repeat(32) },
  exists: true,
  previousHash: 'ab'.repeat(32),
  moduleHash: 'cd'.repeat(32),
  ...judge(changes),
  changes,
  serverPlan: { kind: 'automatic', text: 'a plan', breaksClients: true, token: '0x1', majorVersionUpgrade: false },
  wayBack: { reversible, conditions, blockers },
  metadata: { commit: 'e1'.repeat(20), repository: 'org/repo', run: '17' }
}

describe('a plan file', () => {
  test('is read as it was written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plan-'))
    try {
      await writePlan(join(folder, 'plan.json'), plan)
      expect(await readPlan(join(folder, 'plan.json'))).toEqual(plan)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('has a digest that does not depend on the order of keys', () => {
    const reordered = Object.fromEntries(Object.entries(plan).reverse()) as Plan
    expect(planDigest(reordered)).toBe(planDigest(plan))
    expect(planDigest(plan)).toMatch(/^[0-9a-f]{64}$/)
  })

  test.each<readonly [string, Partial<Plan>]>([
    ['verdict', { verdict: 'none' }],
    [
      'token',
      {
        serverPlan: { kind: 'automatic', text: 'a plan', breaksClients: true, token: '0x2', majorVersionUpgrade: false }
      }
    ],
    ['module', { moduleHash: 'ce'.repeat(32) }],
    ['list of changes', { changes: changes.slice(1) }],
    ['time', { createdAt: '2027-11-23T21:00:00.000Z' }]
  ])('whose %s was changed is refused, and has another digest', (_name, tampering) => {
    const tampered = { ...JSON.parse(formatPlan(plan)), ...tampering }
    expect(() => parsePlan(JSON.stringify(tampered))).toThrow('its digest is another')
    expect(planDigest({ ...plan, ...tampering })).not.toBe(planDigest(plan))
  })

  test('with something that this version does not know is refused', () => {
    const extended = { ...JSON.parse(formatPlan(plan)), approvedBy: 'someone' }
    expect(() => parsePlan(JSON.stringify(extended))).toThrow(ConfigurationError)
  })

  test.each([
    ['nothing', '', 'not JSON'],
    ['something else', '{"a":1}', 'not a plan'],
    ['another format', JSON.stringify({ ...JSON.parse(formatPlan(plan)), format: 2 }), 'format 2'],
    ['a plan without its verdict', JSON.stringify({ ...JSON.parse(formatPlan(plan)), verdict: undefined }), 'verdict']
  ])('that holds %s is refused', (_name, text, message) => {
    expect(() => parsePlan(text, 'some/plan.json')).toThrow(ConfigurationError)
    expect(() => parsePlan(text, 'some/plan.json')).toThrow(message)
    expect(() => parsePlan(text, 'some/plan.json')).toThrow('some/plan.json')
  })

  test('that is not there is refused', async () => {
    await expect(readPlan('/nowhere/plan.json')).rejects.toThrow(ConfigurationError)
  })
})
