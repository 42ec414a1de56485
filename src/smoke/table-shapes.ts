import type { AlgebraicType } from '../module/algebraic-type.ts'
import type { Schema } from '../module/schema.ts'
import { resolve } from '../module/typespace.ts'
import type { Row as NamedRow } from '../spacetimedb/client-connection.ts'
import type { Shape } from './comparison.ts'
import { isOption } from './shown-value.ts'

/** The tables and views of a module that queries name. */
export function declaredTables(queries: readonly string[], { tables, views }: Schema): readonly string[] {
  const words = new Set(queries.flatMap((query) => query.match(/\w+/g) ?? []))
  return [...tables, ...views].map(({ name }) => name).filter((name) => words.has(name))
}

/** What rows of a table or view are made of. Of one that the module does not declare the first row tells the columns. */
export function shapeOf(table: string, rows: readonly NamedRow[], schema: Schema): Shape {
  const { typespace } = schema
  const columns = schema.tables.find(({ name }) => name === table)?.columns
  const view = schema.views.find(({ name }) => name === table)
  const declared = columns ?? (view && fieldsOf(view.returnType, schema))
  return { table, typespace, columns: declared ?? columnsSeen(rows) }
}

function columnsSeen([row = {}]: readonly NamedRow[]): Shape['columns'] {
  return Object.keys(row).map((name) => ({ name, type: undefined }))
}

/** Of the rows that a view returns: as a list, or as an option. */
function fieldsOf(type: AlgebraicType, schema: Schema): Shape['columns'] {
  const structure = resolve(type, schema.typespace)
  if (structure.kind === 'array') return fieldsOf(structure.element, schema)
  const [some] = structure.kind === 'sum' && isOption(structure.variants) ? structure.variants : []
  if (some !== undefined) return fieldsOf(some.type, schema)
  if (structure.kind !== 'product') return []
  return structure.elements.map(({ name, type }, at) => ({ name: name ?? `column_${at + 1}`, type }))
}
