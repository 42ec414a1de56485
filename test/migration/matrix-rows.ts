import type { Condition } from '../../src/migration/verdict.ts'
import type { Schema } from '../../src/module/schema.ts'
import type { Rows } from '../embedded/plan.ts'

/** The columns to which the matrix modules' `fill` gives each row another value. All others repeat theirs. */
const distinct = new Set([
  'player.id',
  'player.name',
  'item.id',
  'vault.owner',
  'stall.stock',
  'trophy.id',
  'restock.scheduled_id'
])

const repeated: Readonly<Record<string, string>> = { 'item.label': '"lamp"', 'stall.id': '1' }

/** The rows that a matrix module's tables have after some calls of its `fill`, which respects what is unique. */
export function filledRows(schema: Schema, calls: number): Rows {
  const unique = new Set(
    schema.tables.flatMap((table) => table.uniqueConstraints.map(({ columns }) => `${table.name}.${columns.join()}`))
  )
  return {
    rowCount: (table) => (schema.tables.some(({ name, isEvent }) => name === table && !isEvent) ? calls : 0),
    repeatedValue: (table, columns) => {
      const repeats =
        calls > 1 &&
        columns.every((column) => {
          const key = `${table}.${column}`
          return !distinct.has(key) && !unique.has(key)
        })
      return repeats ? columns.map((column) => repeated[`${table}.${column}`]).join() : undefined
    },
    hasValueBetween: (_table, _column, from) => calls > 0 && from <= 1n
  }
}

/** Whether what a change needs of the data is there. */
export function holds(condition: Condition, rows: Rows): boolean {
  switch (condition.kind) {
    case 'table-empty':
      return rows.rowCount(condition.table) === 0
    case 'at-most-one-row':
      return rows.rowCount(condition.table) <= 1
    case 'values-distinct':
      return rows.repeatedValue(condition.table, condition.columns) === undefined
    case 'sequence-range-free': {
      const to = condition.to === undefined ? undefined : BigInt(condition.to)
      return !rows.hasValueBetween(condition.table, condition.column, BigInt(condition.from), to)
    }
  }
}
