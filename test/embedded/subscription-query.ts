import type { Value } from '../../src/module/bsatn.ts'
import type { Schema } from '../../src/module/schema.ts'
import { stringify, valueJson } from './sats-json.ts'
import { aliasOf, findRelation, relationOf, rowRules, Scope, type SqlCaller } from './sql-scope.ts'
import { NotSupportedHere, parseStatement, SqlError } from './sql-statement.ts'
import type { Table } from './table.ts'
import { type TransactionRows, tablesOf } from './transaction-rows.ts'

/** A query that somebody is subscribed to. */
export type SubscribedQuery = {
  readonly sql: string
  /** The schema that it was made for. */
  readonly schema: Schema
  readonly table: Table
  matches(row: readonly Value[]): boolean
}

/** What a query has, or what a transaction did to that; rows are JSON texts. */
export type QueryRows = { readonly deletes: readonly string[]; readonly inserts: readonly string[] }

/**
 * The queries that somebody may subscribe to; `SELECT * FROM *` stands for one of each table. Throws a SqlError with the
 * server's text, or NotSupportedHere.
 */
export function compileQueries(
  queries: readonly string[],
  schema: Schema,
  caller: SqlCaller
): readonly SubscribedQuery[] {
  return queries.flatMap((query) => {
    const sql = query.trim()
    if (!/^select \* from \*$/i.test(sql)) return [compileQuery(sql, schema, caller)]
    return [...tablesOf(schema).values()]
      .filter(({ declaration }) => !declaration.isEvent && (caller.isOwner || declaration.access === 'public'))
      .map(({ declaration }) => compileQuery(`SELECT * FROM ${declaration.name}`, schema, caller))
  })
}

/** Throws as `compileQueries` does. */
export function compileQuery(sql: string, schema: Schema, caller: SqlCaller): SubscribedQuery {
  try {
    return compileOnce(sql, schema, caller)
  } catch (error) {
    if (!(error instanceof SqlError) || error instanceof NotSupportedHere) throw error
    throw new SqlError(`${error.message}, executing: \`${sql}\``)
  }
}

/** A query that is asked once. Throws as `compileQueries` does. */
export function compileOnce(sql: string, schema: Schema, caller: SqlCaller): SubscribedQuery {
  const statement = parseStatement(sql)
  if (statement.kind !== 'select') throw new SqlError('Unsupported: Non-SELECT queries')
  if (statement.limit !== undefined) throw new SqlError(`Unsupported: ${sql}`)
  if (statement.table.startsWith('st_') || schema.views.some(({ name }) => name === statement.table))
    throw new NotSupportedHere(
      `the embedded server has no subscriptions to views and system tables: ${statement.table}`
    )
  const relation = findRelation(schema.tables.map(relationOf), statement.table, caller)
  const scope = new Scope(relation, schema.typespace, caller, aliasOf(statement))
  if (statement.projection.kind !== 'all')
    throw new SqlError('Column projections are not supported in subscriptions; Subscriptions must return a table type')
  const [isVisible, isWanted] = [rowRules(relation, schema, caller), scope.predicate(statement.where)]
  const table = tablesOf(schema).get(relation.name) as Table
  return { sql, schema, table, matches: (row) => isVisible(row) && isWanted(row) }
}

/** The rows that a query has, as objects. `stored`: the table's rows in BSATN. */
export function currentRows({ table, matches }: SubscribedQuery, stored: Iterable<Uint8Array>): readonly string[] {
  const { declaration, typespace } = table
  return Array.from(stored, (bytes) => table.decode(bytes).values)
    .filter(matches)
    .map((values) =>
      stringify(
        Object.fromEntries(
          declaration.columns.map(({ name, type }, i) => [
            name,
            valueJson(values[i] as Value, type, typespace, 'object')
          ])
        )
      )
    )
}

/** What a transaction did to the rows of a query, as lists; `undefined` when that is nothing. */
export function changedRows({ table, matches }: SubscribedQuery, rows: TransactionRows): QueryRows | undefined {
  const { deletes, inserts } = rows.of(table.declaration.name)
  const texts = (changed: typeof deletes) => changed.filter(({ values }) => matches(values)).map(({ text }) => text)
  const update = { deletes: texts(deletes), inserts: texts(inserts) }
  return update.deletes.length + update.inserts.length === 0 ? undefined : update
}
