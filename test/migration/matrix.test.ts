import { describe, expect, test } from '@jest/globals'
import { diffSchemas, verdictOf } from '../../src/migration/diff.ts'
import { judge, type UsablePlan } from '../../src/migration/judgement.ts'
import { judgeWayBack } from '../../src/migration/way-back.ts'
import type { Schema } from '../../src/module/schema.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { type MatrixCase, matrixCases, matrixSchema } from '../fixtures.ts'
import { filledRows, holds } from './matrix-rows.ts'

const schemas = new Map<string, Schema>()

function schemaOf(module: string, version: 9 | 10): Schema {
  const key = `${module} ${version}`
  const schema = schemas.get(key) ?? schemaFromJson(matrixSchema(module, version))
  schemas.set(key, schema)
  return schema
}

const named = matrixCases().map((item) => [`${item.id} ${item.direction}, ${item.rows} rows`, item] as const)

describe('against what a real server did', () => {
  test.each(named)('%s: the verdict', (_name, item) => {
    const changes = diffSchemas(schemaOf(item.from, 10), schemaOf(item.to, 10))
    expect(item.expected).toContain(verdictOf(changes))
  })

  test.each(named.filter(([, item]) => item.conditional))('%s: names its condition', (_name, item) => {
    const { conditions } = judge(diffSchemas(schemaOf(item.from, 10), schemaOf(item.to, 10)))
    expect(conditions.length).toBeGreaterThan(0)
  })

  // A new unique constraint depends on the data, whatever rows there were: so a condition may be named, and held.
  test.each(named)('%s: fails when it is carried out just if a condition is not met', (_name, item) => {
    const changes = diffSchemas(schemaOf(item.from, 10), schemaOf(item.to, 10))
    const rows = filledRows(schemaOf(item.from, 10), item.rows)
    const isMet = judge(changes).conditions.every((condition) => holds(condition, rows))
    const isPossible = verdictOf(changes) !== 'manual'
    expect(isMet && isPossible).toBe(item.applies)
  })

  test.each(named)("%s: the server's plan is what our changes let expect", (_name, item) => {
    const changes = diffSchemas(schemaOf(item.from, 10), schemaOf(item.to, 10))
    expect(judge(changes, planOf(item)).disagreement).toBeUndefined()
  })

  test.each(named.filter(([, item]) => item.andBack !== undefined))('%s: the way back', (_name, item) => {
    const wayBack = judgeWayBack(schemaOf(item.from, 10), schemaOf(item.to, 10))
    const rows = filledRows(schemaOf(item.from, 10), item.rows)
    const isPossible = wayBack.reversible !== 'no' && wayBack.conditions.every((condition) => holds(condition, rows))
    expect(isPossible).toBe(item.andBack?.publishWithToken?.status === 200)
  })

  // Version 9 has no event tables, accessors of tables, keys of views, and HTTP routes.
  const inVersion9 = named.filter(([, item]) => {
    return !['event', 'http'].includes(item.group) && !['table-accessor', 'view-key'].includes(item.id)
  })
  test.each(inVersion9)('%s: the verdict from schemas of version 9', (_name, item) => {
    expect(item.expected).toContain(verdictOf(diffSchemas(schemaOf(item.from, 9), schemaOf(item.to, 9))))
  })
})

function planOf({ plan, verdict }: MatrixCase): UsablePlan {
  const text = JSON.stringify(plan.body)
  if (verdict === 'manual') return { kind: 'manual', reason: text, majorVersionUpgrade: false }
  const breaksClients = verdict === 'auto+breaking'
  return { kind: 'automatic', text, breaksClients, token: '0x0', majorVersionUpgrade: false }
}
