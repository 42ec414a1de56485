import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { Reducer, Schema, Table } from '../../src/module/schema.ts'

export type SchemaSize = {
  readonly tables: number
  readonly columnsPerTable: number
  readonly reducers: number
  /** Another edition differs from the first in each table and each reducer. */
  readonly edition?: number
}

/** A schema as large as modules get: 500 tables of 4 columns and 1,000 reducers unless told otherwise. */
export function largeSchema(size: Partial<SchemaSize> = {}): Schema {
  const { tables = 500, columnsPerTable = 4, reducers = 1000, edition = 0 } = size
  const rows = numbers(tables).map((table) => rowOf(table, columnsPerTable, edition, tables))
  return {
    // The rows, then a struct and an enum that all of them use.
    typespace: [...rows, spot, rarity],
    types: [
      ...numbers(tables).map((table) => ({ name: `Row${table}`, ref: table })),
      { name: 'Spot', ref: tables },
      { name: 'Rarity', ref: tables + 1 }
    ],
    tables: rows.map((row, table) => tableOf(row, table, edition)),
    reducers: numbers(reducers).map((reducer) => reducerOf(reducer, edition, tables)),
    procedures: [],
    views: [],
    httpRoutes: [],
    lifecycle: [],
    rowLevelSecurity: [],
    unknownParts: []
  }
}

const unit: AlgebraicType = { kind: 'product', elements: [] }

const spot: AlgebraicType = {
  kind: 'product',
  elements: [
    { name: 'x', type: { kind: 'i32' } },
    { name: 'y', type: { kind: 'i32' } }
  ]
}

const rarity: AlgebraicType = {
  kind: 'sum',
  variants: ['common', 'rare', 'epic'].map((name) => ({ name, type: unit }))
}

type Row = Extract<AlgebraicType, { kind: 'product' }>

function rowOf(table: number, columns: number, edition: number, tables: number): Row {
  const elements = numbers(columns).map((column) => {
    if (column === 0) return { name: 'id', type: { kind: 'u64' } as const }
    if (column === 1) return { name: 'spot', type: { kind: 'ref', ref: tables } as const }
    if (column === 2) return { name: 'rarity', type: { kind: 'ref', ref: tables + 1 } as const }
    return { name: `field_${column}`, type: { kind: (table + column + edition) % 2 ? 'string' : 'u32' } as const }
  })
  return { kind: 'product', elements }
}

function tableOf(row: Row, table: number, edition: number): Table {
  const name = `table_${table}`
  return {
    name,
    accessor: name,
    rowType: table,
    columns: row.elements.map(({ name = '', type }) => ({ name, type })),
    primaryKey: 'id',
    uniqueConstraints: [{ name: `${name}_id_key`, columns: ['id'] }],
    indexes: [
      { name: `${name}_id_idx_btree`, accessor: 'id', algorithm: 'btree', columns: ['id'] },
      ...(edition % 2 ? [{ name: `${name}_spot_idx_btree`, algorithm: 'btree' as const, columns: ['spot'] }] : [])
    ],
    sequences: [{ name: `${name}_id_seq`, column: 'id', increment: 1n }],
    access: 'public',
    isEvent: false
  }
}

function reducerOf(reducer: number, edition: number, tables: number): Reducer {
  return {
    name: `reducer_${reducer}`,
    parameters: [
      { name: 'row', type: { kind: 'ref', ref: reducer % tables } },
      { name: 'count', type: { kind: edition % 2 ? 'u64' : 'u32' } }
    ],
    visibility: 'client'
  }
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at)
}
