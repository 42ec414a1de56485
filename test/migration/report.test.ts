import { describe, expect, test } from '@jest/globals'
import { gate } from '../../src/migration/gate.ts'
import { judgeSchemas } from '../../src/migration/judge-schemas.ts'
import { makePlan } from '../../src/migration/make-plan.ts'
import { isWorthTelling, type MigrationReport, renderMigration } from '../../src/migration/report.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { matrixSchema } from '../fixtures.ts'

const hash = (digit: string) => digit.repeat(64) as ModuleHash
const about = {
  target: { server: 'https://stdb.example.org', database: 'game' },
  moduleHash: hash('2'),
  previousHash: hash('1'),
  origin: { commit: '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d' },
  now: Date.parse('2026-01-02T03:04:05Z')
}

function reportOf(from: string, to: string, allowed = false): MigrationReport {
  const [before, after] = [from, to].map((name) => schemaFromJson(matrixSchema(name, 10)))
  if (!before || !after) throw new Error('no schemas')
  const judgement = judgeSchemas({ before, after, canGoBack: true })
  const plan = makePlan({ ...about, exists: true, judgement })
  const decision = gate({ ...judgement, allowBreakingClients: allowed, allowIrreversible: allowed })
  return { plan, judgement, schemas: { before, after }, decision }
}

describe('a report of a plan', () => {
  test('says the verdict first, then about what, then whether it passes', () => {
    const lines = renderMigration(reportOf('base', 'reducer-rename')).split('\n')
    expect(lines[0]).toMatch(/^### ⚠️ Breaks clients that run now · can be rolled back$/)
    expect(lines[2]).toBe('What the module would do to `game` on `https://stdb.example.org`.')
    expect(lines[4]).toBe('**Refused**')
    expect(lines[6]).toMatch(/^> Clients that run now would break: reducer /)
  })

  test('says what is let through, and what the data says', () => {
    const report = reportOf('table-add', 'base', true)
    const [condition] = report.plan.conditions
    if (!condition) throw new Error('no condition')
    const text = renderMigration({ ...report, checked: [{ condition, state: 'unmet', detail: '3 rows are there' }] })
    expect(text).not.toContain('Refused')
    expect(text).toContain('- ⛔ table recipe is empty: 3 rows are there')
    expect(text).toContain('```mermaid')
  })

  test('ends with the facts', () => {
    const text = renderMigration(reportOf('base', 'table-add'))
    expect(text.trimEnd().split('\n').at(-1)).toMatch(
      /^<sub>from `1{12}` · to `2{12}` · commit `7fd1a60b01f9` · plan `[0-9a-f]{12}` · 2026-01-02 03:04 UTC<\/sub>$/
    )
  })

  test.each<[string, MigrationReport, string, boolean]>([
    [
      'a first release',
      { plan: makePlan({ ...about, exists: false }) },
      '### 🆕 A first release: there is no database `game` yet',
      true
    ],
    [
      'the same module',
      { plan: makePlan({ ...about, exists: true }) },
      '### ✅ `game` runs this module already',
      false
    ],
    [
      'nothing to compare with',
      { plan: makePlan({ moduleHash: hash('2'), exists: false, base: 'no run of `main`', origin: {}, now: 0 }) },
      '### ℹ️ Nothing to compare with: no run of \\`main\\`',
      true
    ]
  ])('of %s is short', (_, report, headline, isTold) => {
    expect(renderMigration(report).split('\n')[0]).toBe(headline)
    expect(isWorthTelling(report)).toBe(isTold)
  })

  test('is not worth telling when nothing changes', () => {
    expect(isWorthTelling(reportOf('base', 'body'))).toBe(false)
    expect(isWorthTelling(reportOf('base', 'reducer-add'))).toBe(true)
  })

  test.each([2_000, 10_000])('has at most %d characters', (limit) => {
    expect(renderMigration(reportOf('base', 'two-manual'), limit).length).toBeLessThanOrEqual(limit)
  })
})
