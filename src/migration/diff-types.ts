import type { NamedType, Schema } from '../module/schema.ts'
import { type Change, makeChange } from './change.ts'
import { byName, type Comparison, match } from './comparison.ts'

/**
 * What changes about the types that have names. Names matter to code that is generated anew only; what a type's
 * change does to clients is told where the type is used.
 */
export function typeChanges(comparison: Comparison): Change[] {
  const { before, after } = comparison
  const { removed, added, kept } = match(before.schema.types, after.schema.types, byName)
  const isRowBefore = rowsOfOwnTables(before.schema, after.schema)
  const isRowAfter = rowsOfOwnTables(after.schema, before.schema)
  const isRow = { before: rows(before.schema), after: rows(after.schema) }
  const common = { verdict: 'compatible', atServer: 'ignored' } as const
  const subject = (type: NamedType) => ({ kind: 'type', name: type.name }) as const
  const text = (side: typeof before, type: NamedType) => side.text({ kind: 'ref', ref: type.ref })
  return [
    ...removed
      .filter((type) => !isRowBefore.has(type.ref))
      .map((type) =>
        makeChange({
          kind: 'type-removed',
          subject: subject(type),
          what: 'type is removed or renamed',
          before: text(before, type),
          ...common,
          note: 'Only code that is generated anew notices.'
        })
      ),
    ...added
      .filter((type) => !isRowAfter.has(type.ref))
      .map((type) =>
        makeChange({
          kind: 'type-added',
          subject: subject(type),
          what: 'type is added',
          after: text(after, type),
          ...common
        })
      ),
    ...kept
      .filter(([earlier, later]) => !(isRow.before.has(earlier.ref) && isRow.after.has(later.ref)))
      .filter(
        ([earlier, later]) => !comparison.same({ kind: 'ref', ref: earlier.ref }, { kind: 'ref', ref: later.ref })
      )
      .map(([earlier, later]) =>
        makeChange({
          kind: 'type-changed',
          subject: subject(earlier),
          what: 'type changes',
          before: text(before, earlier),
          after: text(after, later),
          ...common,
          note: 'What it does to clients is told where the type is used.'
        })
      )
  ]
}

/** The typespace entries that are rows of tables: their change is told as the tables' own. */
function rows(schema: Schema): ReadonlySet<number> {
  return new Set(schema.tables.map((table) => table.rowType))
}

/** The rows of tables that only this schema has. */
function rowsOfOwnTables(schema: Schema, other: Schema): ReadonlySet<number> {
  const names = new Set(other.tables.map((table) => table.name))
  return new Set(schema.tables.filter((table) => !names.has(table.name)).map((table) => table.rowType))
}
