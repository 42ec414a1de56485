import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import type { Schema } from '../../src/module/schema.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { matrixCases, matrixSchema } from '../fixtures.ts'
import { filledRows } from '../migration/matrix-rows.ts'
import { applyProblems, type EmbeddedPlan, serverPlan } from './plan.ts'

const schemas = new Map<string, Schema>()

function schemaOf(module: string): Schema {
  const schema = schemas.get(module) ?? schemaFromJson(matrixSchema(module, 10))
  schemas.set(module, schema)
  return schema
}

const named = matrixCases().map((item) => [`${item.id} ${item.direction}, ${item.rows} rows`, item] as const)

describe('the embedded plan', () => {
  test.each(named)('%s: kind, breaking of clients and reasons are the real ones', (_name, item) => {
    const plan = serverPlan(schemaOf(item.from), schemaOf(item.to), 'NoColor')
    expect(essence(plan)).toEqual(essence(item.plan.body as EmbeddedPlan))
  })

  test.each(named)('%s: what happens when it is carried out is real', (_name, item) => {
    const plan = serverPlan(schemaOf(item.from), schemaOf(item.to), 'NoColor')
    const problems =
      'AutoMigrate' in plan ? applyProblems(...pairOf(item), filledRows(schemaOf(item.from), item.rows)) : []
    const applies = 'AutoMigrate' in plan && problems.length === 0
    expect(applies).toBe(item.applies)
    if (item.outcome === 'fails-at-apply') {
      expect(`Failed to create or update the database: ${problems[0]}`).toBe(item.publishWithToken?.body)
    }
  })

  // What neither schema version holds, the text can't tell: an index's own name, a column's accessor.
  const unseen = new Set(['index-named', 'column-accessor'])
  const automatic = named.filter(([, item]) => 'AutoMigrate' in (item.plan.body as object) && !unseen.has(item.id))
  test.each(automatic)('%s: the text says the same', (_name, item) => {
    const plan = serverPlan(schemaOf(item.from), schemaOf(item.to), 'NoColor')
    expect(lines(plan)).toEqual(lines(item.plan.body as EmbeddedPlan))
  })

  test('colours are only added', () => {
    const [before, after] = [schemaOf('base'), schemaOf('table-add')]
    const coloured = text(serverPlan(before, after, 'AnsiColor'))
    expect(coloured).toContain('\u001b[0m\u001b[1m\u001b[34mDatabase Migration Plan\u001b[0m')
    expect(stripVTControlCharacters(coloured)).toBe(text(serverPlan(before, after, 'NoColor')))
  })
})

function pairOf(item: { readonly from: string; readonly to: string }): readonly [Schema, Schema] {
  return [schemaOf(item.from), schemaOf(item.to)]
}

/** The server's lists have no certain order. */
function essence(plan: EmbeddedPlan): unknown {
  if ('AutoMigrate' in plan) return { breaksClients: plan.AutoMigrate.break_clients }
  return { reasons: plan.ManualMigrate.reason.split('\n').sort() }
}

function text(plan: EmbeddedPlan): string {
  return 'AutoMigrate' in plan ? plan.AutoMigrate.migrate_plan : plan.ManualMigrate.reason
}

/**
 * The lines that name steps and their parts, without defaults, which the server prints over several lines, and
 * without new types of columns, which it leaves out for types with names.
 */
function lines(plan: EmbeddedPlan): readonly string[] {
  return text(plan)
    .split('\n')
    .filter((line) => /^ *[▸•+!]/u.test(line) || line.endsWith(':'))
    .map((line) => line.replace(/ \(default: .*/, ''))
    .sort()
}
