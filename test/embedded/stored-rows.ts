import type { Value } from '../../src/module/bsatn.ts'
import type { Schema } from '../../src/module/schema.ts'
import { Datastore, type StoredData } from './datastore.ts'
import type { Rows } from './plan.ts'
import type { Table } from './table.ts'

/** What a migration asks of the rows that a database holds. */
export function storedRows(schema: Schema, data: StoredData): Rows {
  const store = new Datastore(schema, data, new Map())
  const tableOf = (name: string) => store.tables.find(({ declaration }) => declaration.name === name)
  return {
    rowCount: (name) => tableOf(name)?.rows.size ?? 0,
    repeatedValue: (name, columns) => {
      const table = tableOf(name)
      return table === undefined ? undefined : repeated(table, columns)
    },
    hasValueBetween: (name, column, from, to) => {
      const table = tableOf(name)
      const position = table?.position(column) ?? -1
      return [...(table?.rows.values() ?? [])].some(({ values }) => {
        const value = BigInt(values[position] as number | bigint)
        return value >= from && (to === undefined || value <= to)
      })
    }
  }
}

function repeated(table: Table, columns: readonly string[]): string | undefined {
  const seen = new Set<string>()
  const positions = columns.map((column) => table.position(column))
  for (const row of table.rows.values()) {
    const key = positions.map((position) => row.columns[position]).join('')
    if (seen.has(key)) return writtenValues(positions.map((position) => row.values[position] as Value))
    seen.add(key)
  }
  return undefined
}

/** Values of a unique index as the server writes them when they are there already. */
export function writtenValues(values: readonly Value[]): string {
  const texts = values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)))
  return texts.length === 1 ? (texts[0] as string) : `(${texts.join(', ')})`
}
