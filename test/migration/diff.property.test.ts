import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Change } from '../../src/migration/change.ts'
import { diffSchemas } from '../../src/migration/diff.ts'
import { judge } from '../../src/migration/judgement.ts'
import { formatPlan, type Plan, parsePlan } from '../../src/migration/plan-file.ts'
import { renderPlan } from '../../src/migration/render.ts'
import { judgeWayBack } from '../../src/migration/way-back.ts'
import type { Schema } from '../../src/module/schema.ts'
import { arbitrarySchema } from './arbitrary-schema.ts'

const settings = { numRuns: 150 }

describe('the difference', () => {
  test('of a schema with itself is empty', () => {
    fc.assert(
      fc.property(arbitrarySchema, (schema) => {
        expect(diffSchemas(schema, structuredClone(schema))).toEqual([])
      }),
      settings
    )
  })

  test('does not depend on the order of lists', () => {
    fc.assert(
      fc.property(arbitrarySchema, arbitrarySchema, (before, after) => {
        expect(diffSchemas(reversed(before), reversed(after))).toEqual(diffSchemas(before, after))
      }),
      settings
    )
  })

  test('forward and backward is about the same things', () => {
    fc.assert(
      fc.property(arbitrarySchema, arbitrarySchema, (before, after) => {
        expect(subjects(diffSchemas(after, before))).toEqual(subjects(diffSchemas(before, after)))
      }),
      settings
    )
  })

  test('has an id of its own for every change', () => {
    fc.assert(
      fc.property(arbitrarySchema, arbitrarySchema, (before, after) => {
        const ids = diffSchemas(before, after).map((change) => change.id)
        expect(new Set(ids).size).toBe(ids.length)
      }),
      settings
    )
  })

  test('renders, every change of it, within the limit', () => {
    fc.assert(
      fc.property(arbitrarySchema, arbitrarySchema, fc.integer({ min: 3000, max: 200_000 }), (before, after, limit) => {
        const changes = diffSchemas(before, after)
        const report = { ...judge(changes), changes, wayBack: judgeWayBack(before, after) }
        const text = renderPlan(report)
        for (const { id } of changes) expect(text).toContain(id)
        expect(text.replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '')).not.toMatch(/<b>|@x/)
        expect(renderPlan(report, { limit }).length).toBeLessThanOrEqual(limit)
      }),
      settings
    )
  })

  test('survives being written to a plan file', () => {
    fc.assert(
      fc.property(arbitrarySchema, arbitrarySchema, (before, after) => {
        const changes = diffSchemas(before, after)
        const { reversible, conditions, blockers } = judgeWayBack(before, after)
        const wayBack = { reversible, conditions, blockers }
        const plan: Plan = { ...origin, ...judge(changes), changes, wayBack }
        expect(parsePlan(formatPlan(plan))).toEqual(plan)
      }),
      settings
    )
  })
})

const origin = {
  tool: 'stdb-actions 0.0.0',
  createdAt: '2026-01-01T00:00:00.000Z',
  target: { server: 'http://127.0.0.1:3000', database: 'counter' },
  exists: true,
  moduleHash: 'ab'.repeat(32)
} as const

function subjects(changes: readonly Change[]): readonly string[] {
  return [...new Set(changes.map(({ subject }) => `${subject.kind} ${subject.name}`))].sort()
}

/** The same schema with all lists that have no order of their own reversed. */
function reversed(schema: Schema): Schema {
  return {
    ...schema,
    types: schema.types.toReversed(),
    tables: schema.tables.toReversed().map((table) => ({
      ...table,
      uniqueConstraints: table.uniqueConstraints.toReversed(),
      indexes: table.indexes.toReversed(),
      sequences: table.sequences.toReversed()
    })),
    reducers: schema.reducers.toReversed(),
    procedures: schema.procedures.toReversed(),
    views: schema.views.toReversed(),
    httpRoutes: schema.httpRoutes.toReversed(),
    lifecycle: schema.lifecycle.toReversed(),
    rowLevelSecurity: schema.rowLevelSecurity.toReversed()
  }
}
