import { writeFile } from 'node:fs/promises'
import type { HttpRoute, LifecycleReducer, Schema, Table } from '../module/schema.ts'

/** The version of the format of `schema.json` (docs/build-module.md, "schema.json"). */
const format = 1

/**
 * The contents of `schema.json`: a module's schema as JSON, the same text for the same schema. Lists whose order means
 * nothing are sorted by name; integers that a double may not hold (of sequences) are decimal texts.
 */
export function formatSchema(schema: Schema): string {
  return `${JSON.stringify({ format, ...ordered(schema) }, withoutBigints, 2)}\n`
}

/** Writes `schema.json`. */
export async function writeSchema(path: string, schema: Schema): Promise<void> {
  await writeFile(path, formatSchema(schema))
}

function ordered(schema: Schema): Schema {
  return {
    tables: byName(schema.tables).map(orderedTable),
    reducers: byName(schema.reducers),
    procedures: byName(schema.procedures),
    views: byName(schema.views),
    httpRoutes: sortedBy(schema.httpRoutes, ({ path, method }: HttpRoute) => `${path} ${method}`),
    lifecycle: sortedBy(schema.lifecycle, ({ event }: LifecycleReducer) => event),
    rowLevelSecurity: sortedBy(schema.rowLevelSecurity, (sql) => sql),
    types: byName(schema.types),
    // Refs are places in it.
    typespace: schema.typespace,
    unknownParts: sortedBy(schema.unknownParts, (part) => part)
  }
}

function orderedTable(table: Table): Table {
  return {
    ...table,
    uniqueConstraints: byName(table.uniqueConstraints),
    indexes: byName(table.indexes),
    sequences: byName(table.sequences)
  }
}

function byName<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return sortedBy(items, ({ name }) => name)
}

/** By code units, which no machine's language changes. */
function sortedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...items].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : keyOf(one) > keyOf(other) ? 1 : 0))
}

function withoutBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
