import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { encode, type Value, valueCodec } from '../../src/module/bsatn.ts'
import type { Datastore } from './datastore.ts'
import {
  aliasOf,
  findRelation,
  type Relation,
  relationOf,
  rowRules,
  Scope,
  type SqlCaller,
  type Test
} from './sql-scope.ts'
import { parseStatement, SqlError, type Statement } from './sql-statement.ts'
import { writtenValues } from './stored-rows.ts'
import { type Row, type Table, UniqueViolation } from './table.ts'

export type SqlRows = {
  readonly columns: readonly { readonly name: string; readonly type: AlgebraicType }[]
  readonly rows: readonly (readonly Value[])[]
  readonly inserted: number
  readonly deleted: number
  readonly updated: number
}

/**
 * Runs one statement. `others` are what can be read besides tables: system tables and views. Throws SqlError.
 */
export function runSql(sql: string, store: Datastore, others: readonly Relation[], caller: SqlCaller): SqlRows {
  const statement = parseStatement(sql)
  const relation = findRelation([...store.tables.map(asRelation), ...others], statement.table, caller)
  const scope = new Scope(relation, store.schema.typespace, caller, aliasOf(statement))
  if (statement.kind === 'select')
    return select(statement, scope, relation.rows(), rowRules(relation, store.schema, caller))
  if (!caller.isOwner) throw new SqlError(`Caller ${caller.identity} is not authorized to run SQL DML statements`)
  const table = store.tables.find(({ declaration }) => declaration.name === relation.name)
  if (relation.isView) throw new SqlError(`\`${relation.name}\` is a view; DML on views is not supported`)
  if (table === undefined) throw new SqlError('The embedded server does not write to system tables')
  return inTransaction(store, () => write(statement, store, table, scope))
}

function select(
  statement: Statement & { kind: 'select' },
  scope: Scope,
  all: Iterable<readonly Value[]>,
  isVisible: Test
): SqlRows {
  const { projection, where, limit } = statement
  const matches = scope.predicate(where)
  const positions =
    projection.kind === 'columns' ? projection.columns.map(({ column }) => scope.position(column)) : undefined
  const rows = [...all].filter((row) => isVisible(row) && matches(row)).slice(0, limit)
  if (projection.kind === 'count') {
    return { ...nothing, columns: [{ name: projection.as, type: { kind: 'u64' } }], rows: [[BigInt(rows.length)]] }
  }
  const { columns } = scope.relation
  if (projection.kind === 'all' || positions === undefined) return { ...nothing, columns, rows }
  return {
    ...nothing,
    columns: projection.columns.map(({ column, as }) => ({ ...scope.column(column), name: as })),
    rows: rows.map((row) => positions.map((position) => row[position] as Value))
  }
}

const nothing: SqlRows = { columns: [], rows: [], inserted: 0, deleted: 0, updated: 0 }

function write(
  statement: Statement & { kind: 'insert' | 'update' | 'delete' },
  store: Datastore,
  table: Table,
  scope: Scope
): SqlRows {
  if (statement.kind === 'insert') {
    const rows = statement.rows.map((literals) => scope.row(statement, literals))
    for (const row of rows) store.insert(table, encodeRow(row, table))
    return { ...nothing, inserted: rows.length }
  }
  const matches = scope.predicate(statement.where)
  if (statement.kind === 'delete') {
    const rows = [...table.rows.values()].filter((row) => matches(row.values))
    for (const row of rows) store.delete(table, row)
    return { ...nothing, deleted: rows.length }
  }
  const values = statement.set.map(({ column, value }) => ({
    position: scope.position({ name: column }),
    value: scope.written(value, scope.column({ name: column }).type)
  }))
  const rows = [...table.rows.values()].filter((row) => matches(row.values))
  for (const row of rows) store.delete(table, row)
  for (const row of rows) store.insert(table, encodeRow(updated(row, values), table))
  return { ...nothing, updated: rows.length }
}

function updated(row: Row, values: readonly { position: number; value: Value }[]): readonly Value[] {
  return row.values.map((old, position) => values.find((each) => each.position === position)?.value ?? old)
}

function inTransaction(store: Datastore, run: () => SqlRows): SqlRows {
  store.begin()
  try {
    const result = run()
    store.commit()
    return result
  } catch (error) {
    store.rollBack()
    if (error instanceof UniqueViolation) throw new SqlError(violationText(error))
    throw error
  }
}

function violationText({ index, row }: UniqueViolation): string {
  const { columns, name } = index.table.declaration
  const named = JSON.stringify(index.columns.map((position) => columns[position]?.name))
  const value = writtenValues(index.columns.map((position) => row.values[position] as Value))
  return `IndexError: Unique constraint violation '${index.name}' in table '${name}': column(s): '${named}' value: ${value}`
}

function asRelation(table: Table): Relation {
  return { ...relationOf(table.declaration), rows: () => Array.from(table.rows.values(), (row) => row.values) }
}

function encodeRow(values: readonly Value[], table: Table): Uint8Array {
  return Buffer.concat(
    table.declaration.columns.map(({ type }, i) => encode(valueCodec(type, table.typespace), values[i] as Value))
  )
}
