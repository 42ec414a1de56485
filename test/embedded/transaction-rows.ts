import type { Value } from '../../src/module/bsatn.ts'
import type { Schema } from '../../src/module/schema.ts'
import { type Change, Datastore } from './datastore.ts'
import { stringify, valueJson } from './sats-json.ts'
import { binary, type Table } from './table.ts'

/** A row that a transaction inserted or deleted, and its JSON: a list of its values. */
export type ChangedRow = { readonly values: readonly Value[]; readonly text: string }

export type ChangedRows = { readonly inserts: readonly ChangedRow[]; readonly deletes: readonly ChangedRow[] }

/** What a transaction did in the end to the rows of each table, decoded once for all who are told. */
export class TransactionRows {
  readonly #changes: readonly Change[]
  readonly #schema: Schema
  readonly #known = new Map<string, ChangedRows>()

  constructor(changes: readonly Change[], schema: Schema) {
    this.#changes = changes
    this.#schema = schema
  }

  of(table: string): ChangedRows {
    const known = this.#known.get(table) ?? this.#decode(table)
    this.#known.set(table, known)
    return known
  }

  #decode(name: string): ChangedRows {
    const net = new Map<string, { readonly row: Uint8Array; count: number }>()
    for (const { row, kind } of this.#changes.filter(({ table }) => table === name)) {
      const entry = net.get(binary(row)) ?? { row, count: 0 }
      entry.count += kind === 'insert' ? 1 : -1
      net.set(binary(row), entry)
    }
    const table = tablesOf(this.#schema).get(name)
    const changed = (count: number) =>
      [...net.values()].flatMap((entry) =>
        entry.count === count && table !== undefined ? [changedRow(entry.row, table)] : []
      )
    return { inserts: changed(1), deletes: changed(-1) }
  }
}

const known = new WeakMap<Schema, ReadonlyMap<string, Table>>()

/** The tables of a schema by name, without rows: they have the server's ids and read rows. */
export function tablesOf(schema: Schema): ReadonlyMap<string, Table> {
  const empty = { tables: new Map(), sequences: new Map() }
  const tables =
    known.get(schema) ??
    new Map(new Datastore(schema, empty, new Map()).tables.map((table) => [table.declaration.name, table]))
  known.set(schema, tables)
  return tables
}

function changedRow(bytes: Uint8Array, table: Table): ChangedRow {
  const { values } = table.decode(bytes)
  const { declaration, typespace } = table
  const columns = declaration.columns.map(({ type }, i) => valueJson(values[i] as Value, type, typespace))
  return { values, text: stringify(columns) }
}
