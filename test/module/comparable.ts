import type { Schema } from '../../src/module/schema.ts'

/**
 * A schema with its lists in one order, and without what answers of a version do not hold: 9 has no accessors of tables,
 * event flags, view keys, HTTP routes, visibility and reducers' return types; 10 no names of indexes.
 */
export function comparable(schema: Schema, version: 9 | 10): unknown {
  const knownTo9 = <Value>(value: Value) => (version === 9 ? undefined : value)
  return {
    ...schema,
    types: inOrder(schema.types),
    tables: inOrder(
      schema.tables.map((table) => ({
        ...table,
        accessor: knownTo9(table.accessor),
        isEvent: knownTo9(table.isEvent),
        uniqueConstraints: inOrder(table.uniqueConstraints),
        sequences: inOrder(table.sequences),
        indexes: inOrder(table.indexes.map((index) => ({ ...index, name: version === 9 ? index.name : undefined })))
      }))
    ),
    reducers: inOrder(
      schema.reducers.map((reducer) => ({
        ...reducer,
        visibility: knownTo9(reducer.visibility),
        okType: knownTo9(reducer.okType),
        errorType: knownTo9(reducer.errorType)
      }))
    ),
    procedures: inOrder(schema.procedures.map((each) => ({ ...each, visibility: knownTo9(each.visibility) }))),
    views: inOrder(schema.views.map((view) => ({ ...view, primaryKey: knownTo9(view.primaryKey) }))),
    httpRoutes: knownTo9(inOrder(schema.httpRoutes)),
    lifecycle: inOrder(schema.lifecycle),
    rowLevelSecurity: inOrder(schema.rowLevelSecurity)
  }
}

function inOrder<Item>(items: readonly Item[]): Item[] {
  return [...items].sort((one, other) => (text(one) < text(other) ? -1 : 1))
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part))
}
