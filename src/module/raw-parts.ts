import type { AlgebraicType } from './algebraic-type.ts'
import { indexName, sequenceName, uniqueConstraintName } from './canonical-names.ts'
import type { RawConstraintData, RawIndexAlgorithm, RawLifecycle, RawSequence } from './raw-types.ts'
import type { Column, Index, LifecycleReducer, Sequence, UniqueConstraint } from './schema.ts'

/** A table's rows, whose columns definitions refer to by position. */
export type Row = {
  readonly table: string
  column(position: number): string
  columns(defaults: readonly { readonly col_id: number; readonly value: Uint8Array }[]): Column[]
}

/** Throws an `Error` when the type is no product: `ref` points into `types`. */
export function rowOf(types: readonly AlgebraicType[], ref: number, table: string): Row {
  const type = types[ref]
  if (type?.kind !== 'product') throw new Error(`the rows of the table ${table} have no product type (type ${ref})`)
  const names = type.elements.map(({ name }, position) => name ?? `col_${position}`)
  return {
    table,
    column: (position) => {
      const name = names[position]
      if (name === undefined) throw new Error(`the table ${table} has no column ${position}`)
      return name
    },
    columns: (defaults) =>
      type.elements.map((element, position) => {
        const given = defaults.find(({ col_id }) => col_id === position)
        const column = { name: names[position] ?? '', type: element.type }
        return given === undefined ? column : { ...column, defaultValue: Buffer.from(given.value).toString('hex') }
      })
  }
}

export function primaryKeyOf(row: Row, [position, ...more]: readonly number[]): { primaryKey?: string } {
  if (more.length > 0) throw new Error(`the table ${row.table} has several primary keys`)
  return position === undefined ? {} : { primaryKey: row.column(position) }
}

/** Its columns are a set, which the server keeps in the table's order; without a name it gets the generated one. */
export function uniqueConstraintOf(row: Row, data: RawConstraintData, name: string | undefined): UniqueConstraint {
  const columns = data.value.columns.map(row.column)
  const inOrder = [...data.value.columns].sort((one, other) => one - other).map(row.column)
  return { name: name ?? uniqueConstraintName(row.table, columns), columns: inOrder }
}

/** Without a name it gets the one that the server generates. */
export function indexOf(
  row: Row,
  { kind, value }: RawIndexAlgorithm,
  name: string | undefined,
  accessor: string | undefined
): Index {
  const algorithm = ({ BTree: 'btree', Hash: 'hash', Direct: 'direct' } as const)[kind]
  const columns = (typeof value === 'number' ? [value] : value).map(row.column)
  const index = { name: name ?? indexName(row.table, columns, algorithm), algorithm, columns }
  return accessor === undefined ? index : { ...index, accessor }
}

/** Without a name it gets the one that the server generates. */
export function sequenceOf(row: Row, sequence: RawSequence, name: string | undefined): Sequence {
  const column = row.column(sequence.column)
  const { start, min_value: minValue, max_value: maxValue, increment } = sequence
  return {
    name: name ?? sequenceName(row.table, column),
    column,
    ...(start === undefined ? {} : { start }),
    ...(minValue === undefined ? {} : { minValue }),
    ...(maxValue === undefined ? {} : { maxValue }),
    increment
  }
}

export function accessOf(access: { readonly kind: 'Public' | 'Private' }): 'public' | 'private' {
  return access.kind === 'Public' ? 'public' : 'private'
}

export function eventOf({ kind }: RawLifecycle): LifecycleReducer['event'] {
  return ({ Init: 'init', OnConnect: 'client_connected', OnDisconnect: 'client_disconnected' } as const)[kind]
}
