import { describe, expect, test } from '@jest/globals'
import type { ModuleHash } from '../../../src/module/hash.ts'
import type { Promoted, Promotion } from '../../../src/release/promote/promotion.ts'
import { promotionHeadline, renderPromotion, renderRecoveredPromotion } from '../../../src/release/promote/summary.ts'
import type { Identity } from '../../../src/spacetimedb/identity.ts'

const [promoted, before] = ['a'.repeat(64) as ModuleHash, 'b'.repeat(64) as ModuleHash]

function updated(database: string, more: Partial<Promoted> = {}): Promoted {
  const known = { database, result: 'updated', live: { kind: 'new' }, before, verdict: 'compatible' } as const
  return { ...known, healthCheck: 'health_check', isChecked: true, milliseconds: 740, ...more }
}

const promotion: Promotion = {
  server: 'https://stdb.example.org',
  identity: 'c2'.padEnd(64, '0') as Identity,
  moduleHash: promoted,
  isDryRun: false,
  databases: [updated('game-eu'), updated('game-us')],
  plans: []
}

const failing: Promotion = {
  ...promotion,
  databases: [
    updated('game-eu', { checks: { passed: 3, failed: 0, skipped: 1 } }),
    updated('game-us', {
      result: 'rolled-back',
      live: { kind: 'previous' },
      reason: 'The health check failed: <b>no</b> @octocat'
    }),
    { database: 'game-asia', result: 'not-begun' }
  ],
  stop: { kind: 'failure', database: 'game-us' }
}

function rowOf(markdown: string, database: string): string {
  return markdown.split('\n').find((line) => line.startsWith(`| \`${database}\``)) ?? 'no such row'
}

describe('the summary of a promotion', () => {
  test('is one line and one table when all is well', () => {
    const markdown = renderPromotion(promotion)
    expect(markdown).toMatch(/^## ✅ 2 of 2 databases run the promoted module\n/)
    expect(rowOf(markdown, 'game-eu')).toMatch(
      /\| `b{12}` +\| `a{12}` +\| compatible +\| ✅ updated +\| `health_check` +\| +740 ms \|/
    )
    expect(markdown).not.toContain('What to do now')
  })

  test('says what failed, in which state that is, and what was not begun', () => {
    const markdown = renderPromotion(failing)
    expect(markdown).toMatch(/^## ❌ 1 of 3 databases run the promoted module \(1 rolled-back, 1 not begun\)\n/)
    expect(markdown).toMatch(
      /> game-us failed, and nothing was begun after that .* 1 database was not begun and is as before/
    )
    expect(rowOf(markdown, 'game-us')).toMatch(/\| `b{12}` +\| `b{12}` +\|.*↩️ rolled-back/)
    expect(rowOf(markdown, 'game-eu')).toContain('`health_check`, 3 passed, 0 failed, 1 skipped')
    expect(rowOf(markdown, 'game-asia')).toContain('not begun')
    expect(markdown).toContain('### ↩️ Rolled back: `game-us` runs the previous module again')
    expect(markdown).toContain('A rollback restores the module, not the data')
    expect(markdown).not.toContain('<b>')
    expect(markdown).not.toContain(' @octocat')
  })

  test('of a dry run says nothing of afterwards', () => {
    const planned = updated('game-eu', { result: 'planned', live: { kind: 'previous' } })
    const refused = updated('game-us', { result: 'refused', live: { kind: 'previous' }, reason: 'it breaks clients' })
    const markdown = renderPromotion({ ...promotion, isDryRun: true, databases: [planned, refused] })
    expect(markdown).toMatch(
      /^## ⛔ 1 of 2 databases can get the module: a dry run, nothing was changed \(1 refused\)\n/
    )
    expect(rowOf(markdown, 'game-eu')).toMatch(/\| `b{12}` +\| +\| compatible +\| ✅ planned +\| +\|/)
  })

  test('stays readable with very many', () => {
    const names = Array.from({ length: 2000 }, (_, index) => `game-${index}`)
    const failed = (name: string) =>
      updated(name, { result: 'failed', live: { kind: 'previous' }, reason: 'x'.repeat(2000) })
    const markdown = renderPromotion({ ...promotion, databases: names.map(failed) })
    expect(markdown).toContain('*And 1990 more: see the table and the log.*')
    expect(Buffer.byteLength(markdown)).toBeLessThan(1_000_000)
  })

  test('of a post step says what it had to finish', () => {
    const markdown = renderRecoveredPromotion({ ...failing, recovered: ['game-us'] })
    expect(markdown).toContain('`game-us` had to be finished or undone after the promotion was cut off.')
  })
})

test('a promotion to one database is told of in the singular', () => {
  expect(promotionHeadline({ ...promotion, databases: [updated('game-eu')] })).toBe(
    '1 of 1 database runs the promoted module'
  )
})
