import type { AlgebraicType } from '../module/algebraic-type.ts'
import type { Schema } from '../module/schema.ts'
import { parseWithBigIntegers } from './sql-answer.ts'

/** A row by its columns' names. Values have the form of SQL answers (docs/server-behaviour.md, "Rows"). */
export type Row = Readonly<Record<string, unknown>>

/** The columns of each table and view, in order. */
export type Columns = ReadonlyMap<string, readonly string[]>

/** The columns of the tables and views that a schema declares. */
export function columnsIn({ tables, views, typespace }: Schema): Columns {
  const ofTables = tables.map(({ name, columns }) => [name, columns.map((column) => column.name)] as const)
  const ofViews = views.map(({ name, returnType }) => [name, fieldsOf(returnType, typespace)] as const)
  return new Map([...ofTables, ...ofViews])
}

/** The fields of the rows that a view returns: as a list, or as an option. */
function fieldsOf(type: AlgebraicType, typespace: readonly AlgebraicType[]): readonly string[] {
  if (type.kind === 'array') return fieldsOf(type.element, typespace)
  if (type.kind === 'product') return type.elements.map(({ name }, index) => name ?? `column_${index + 1}`)
  const inner = type.kind === 'ref' ? typespace[type.ref] : type.kind === 'sum' ? type.variants[0]?.type : undefined
  return inner === undefined ? [] : fieldsOf(inner, typespace)
}

/**
 * A row in JSON as it comes over a WebSocket: in a snapshot an object by columns, in an update a list in their order.
 * Where a list's columns are not known, they are called `column_1` and so on, as in SQL answers. Throws when it is
 * neither, or has another number of values than columns.
 */
export function readRow(json: string, columns: readonly string[] | undefined): Row {
  const row = parseWithBigIntegers(json)
  if (typeof row !== 'object' || row === null) throw new Error('a row is neither a list nor an object')
  if (!Array.isArray(row)) return byName(Object.entries(row))
  if (columns !== undefined && columns.length !== row.length) {
    throw new Error(`a row has ${row.length} values for ${columns.length} columns`)
  }
  return byName(row.map((value, index) => [columns?.[index] ?? `column_${index + 1}`, value]))
}

function byName(entries: readonly (readonly [string, unknown])[]): Row {
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutNames(value)]))
}

/** A value as SQL answers write it: an object's fields are in the order of their declaration, so it becomes a list. */
function withoutNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNames)
  if (typeof value === 'object' && value !== null) return Object.values(value).map(withoutNames)
  return value
}
