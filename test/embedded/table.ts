import { resolve, type Typespace } from '../../src/migration/type-structure.ts'
import { type Value, valueCodec } from '../../src/module/bsatn.ts'
import { ByteReader } from '../../src/module/bytes.ts'
import type { BinaryCodec } from '../../src/module/codec.ts'
import type { Table as TableDeclaration } from '../../src/module/schema.ts'
import type { StoredData } from './datastore.ts'
import { errno, HostError } from './errno.ts'
import { SequenceState } from './sequence-state.ts'
import { Index } from './table-index.ts'
import type { IntegerKind } from './values.ts'

export type Row = {
  /** The row's BSATN, a character per byte: rows are a set, and this is a row's identity. */
  readonly key: string
  readonly bytes: Uint8Array
  readonly values: readonly Value[]
  /** Each column's BSATN, a character per byte. */
  readonly columns: readonly string[]
}

/** A table's rows, its indexes and its sequences. */
export class Table {
  readonly id: number
  readonly declaration: TableDeclaration
  readonly typespace: Typespace
  readonly rows = new Map<string, Row>()
  readonly indexes: readonly Index[]
  readonly sequences: readonly SequenceState[]
  readonly hasUnique: boolean
  readonly #codecs: readonly BinaryCodec<Value>[]
  readonly #constraints: readonly Index[]
  readonly #allIndexes: readonly Index[]

  constructor(id: number, declaration: TableDeclaration, typespace: Typespace, data: StoredData) {
    this.id = id
    this.declaration = declaration
    this.typespace = typespace
    this.#codecs = declaration.columns.map(({ type }) => valueCodec(type, typespace))
    this.sequences = declaration.sequences.map((sequence) => {
      const column = this.position(sequence.column)
      const type = resolve(declaration.columns[column]?.type ?? { kind: 'u64' }, typespace).kind as IntegerKind
      return new SequenceState(sequence, column, type, data.sequences)
    })
    this.indexes = declaration.indexes.map(
      (index) => new Index(this, index.name, index.columns, index.algorithm !== 'hash')
    )
    this.#constraints = declaration.uniqueConstraints.map(
      (constraint) =>
        this.indexes.find((index) => index.isUnique && index.covers(constraint.columns)) ??
        new Index(this, constraint.name, constraint.columns, true)
    )
    this.#allIndexes = [...new Set([...this.indexes, ...this.#constraints])]
    this.hasUnique = this.#constraints.length > 0
    for (const bytes of data.tables.get(declaration.name) ?? []) this.add(this.decode(bytes))
  }

  position(column: string): number {
    return this.declaration.columns.findIndex(({ name }) => name === column)
  }

  /** Throws HostError with `bsatnDecodeError`. */
  decode(bytes: Uint8Array): Row {
    return this.decodeAll(bytes, 1)[0] as Row
  }

  /** Rows one after another, to the end of the bytes. Throws HostError with `bsatnDecodeError`. */
  decodeAll(bytes: Uint8Array, count: number): Row[] {
    try {
      const reader = new ByteReader(bytes)
      const rows = Array.from({ length: count }, () => this.#decodeNext(reader, bytes))
      if (reader.remaining > 0) throw reader.error('more than rows')
      return rows
    } catch {
      throw new HostError(errno.bsatnDecodeError)
    }
  }

  #decodeNext(reader: ByteReader, all: Uint8Array): Row {
    const start = reader.offset
    const columns: string[] = []
    const values = this.#codecs.map((codec) => {
      const before = reader.offset
      const value = codec.read(reader)
      columns.push(binary(all.subarray(before, reader.offset)))
      return value
    })
    const bytes = new Uint8Array(all.subarray(start, reader.offset))
    return { key: binary(bytes), bytes, values, columns }
  }

  /** The row with the columns of sequences filled in where they are zero, and which columns those are. */
  complete(bytes: Uint8Array): { row: Row; generated: readonly number[] } {
    const row = this.decode(bytes)
    const due = this.sequences.filter(({ column }) => isZero(row.values[column]))
    if (due.length === 0) return { row, generated: [] }
    const columns = [...row.columns]
    for (const sequence of due) columns[sequence.column] = binary(sequence.nextBytes())
    return {
      row: this.decode(Buffer.from(columns.join(''), 'latin1')),
      generated: due.map(({ column }) => column).sort((a, b) => a - b)
    }
  }

  checkUnique(row: Row, replaced?: Row): void {
    for (const index of this.#constraints) {
      const [other] = index.point(index.keyOf(row))
      if (other !== undefined && other.key !== replaced?.key) throw new UniqueViolation(index, row)
    }
  }

  add(row: Row): void {
    this.rows.set(row.key, row)
    for (const index of this.#allIndexes) index.add(row)
  }

  remove(row: Row): void {
    this.rows.delete(row.key)
    for (const index of this.#allIndexes) index.remove(row)
  }
}

/** A row that has a value another row has in a unique index. */
export class UniqueViolation extends HostError {
  readonly index: Index
  readonly row: Row

  constructor(index: Index, row: Row) {
    super(errno.uniqueAlreadyExists)
    this.index = index
    this.row = row
  }
}

/** Bytes as a string of a character each, which can be compared and be a key. */
export function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function isZero(value: Value | undefined): boolean {
  return value === 0 || value === 0n
}
