import { resolve, type Typespace } from '../../src/migration/type-structure.ts'
import { encode, type Value, valueCodec } from '../../src/module/bsatn.ts'
import { ByteReader } from '../../src/module/bytes.ts'
import type { BinaryCodec } from '../../src/module/codec.ts'
import type { Schema, Sequence, Table as TableDeclaration } from '../../src/module/schema.ts'
import { errno, HostError } from './errno.ts'
import { type IntegerKind, integerRange, integerValue } from './values.ts'

/** What a database keeps, as a value that outlives its worker: rows in BSATN by table, and the next of each sequence. */
export type StoredData = {
  readonly tables: ReadonlyMap<string, readonly Uint8Array[]>
  readonly sequences: ReadonlyMap<string, bigint>
}

/** What a committed transaction did to a row. */
export type Change = { readonly table: string; readonly row: Uint8Array; readonly kind: 'insert' | 'delete' }

export type Row = {
  /** The row's BSATN, a character per byte: rows are a set, and this is a row's identity. */
  readonly key: string
  readonly bytes: Uint8Array
  readonly values: readonly Value[]
  /** Each column's BSATN, a character per byte. */
  readonly columns: readonly string[]
}

/** The tables of one database, with transactions that can be rolled back. One transaction at a time. */
export class Datastore {
  readonly schema: Schema
  readonly tables: readonly Table[]
  readonly indexes: readonly Index[]
  readonly #indexAliases: ReadonlyMap<string, string>
  #journal: Entry[] | undefined
  #committed: Change[] = []

  /** `indexAliases` are further names of indexes, with the indexes' own. */
  constructor(schema: Schema, data: StoredData, indexAliases: ReadonlyMap<string, string>) {
    this.schema = schema
    this.#indexAliases = indexAliases
    this.tables = schema.tables.map((table, i) => new Table(firstUserId + i, table, schema.typespace, data))
    this.indexes = this.tables.flatMap((table) => table.indexes)
  }

  get inTransaction(): boolean {
    return this.#journal !== undefined
  }

  begin(): void {
    if (this.#journal !== undefined) throw new HostError(errno.wouldBlockTransaction)
    this.#journal = []
  }

  /** Ends the transaction. The rows of event tables are gone with it. */
  commit(): void {
    for (const { table, row, kind } of this.#take()) {
      if (!table.declaration.isEvent) this.#committed.push({ table: table.declaration.name, row: row.bytes, kind })
      else if (kind === 'insert') table.remove(row)
    }
  }

  /** What was committed since this was last asked. */
  takeChanges(): Change[] {
    const changes = this.#committed
    this.#committed = []
    return changes
  }

  /** The next value of every sequence, by its name. */
  sequences(): ReadonlyMap<string, bigint> {
    return new Map(this.tables.flatMap((table) => table.sequences.map(({ name, next }) => [name, next] as const)))
  }

  rollBack(): void {
    for (const { table, row, kind } of this.#take().reverse()) {
      if (kind === 'insert') table.remove(row)
      else table.add(row)
    }
  }

  table(id: number): Table {
    const table = this.#inTransaction().tables[id - firstUserId]
    if (table === undefined) throw new HostError(errno.noSuchTable)
    return table
  }

  index(id: number): Index {
    const index = this.#inTransaction().indexes[id - firstUserId]
    if (index === undefined) throw new HostError(errno.noSuchIndex)
    return index
  }

  tableId(name: string): number {
    const table = this.#inTransaction().tables.find(
      ({ declaration }) => declaration.name === name || declaration.accessor === name
    )
    if (table === undefined) throw new HostError(errno.noSuchTable)
    return table.id
  }

  indexId(name: string): number {
    const position = this.#inTransaction().indexes.findIndex(
      (index) => index.name === name || index.name === this.#indexAliases.get(name)
    )
    if (position < 0) throw new HostError(errno.noSuchIndex)
    return firstUserId + position
  }

  /** Inserts a row whose auto-incremented columns are filled in. An identical row is left alone, as in a set. */
  insert(table: Table, bytes: Uint8Array): { row: Row; generated: readonly number[] } {
    const { row, generated } = table.complete(bytes)
    if (table.hasUnique) table.checkUnique(row)
    else if (table.rows.has(row.key)) return { row, generated }
    this.#record({ table, row, kind: 'insert' })
    return { row, generated }
  }

  /** Replaces the row that has the same key in a unique index. */
  update(table: Table, index: Index, bytes: Uint8Array): { row: Row; generated: readonly number[] } {
    if (!index.isUnique) throw new HostError(errno.indexNotUnique)
    const { row, generated } = table.complete(bytes)
    const [old] = index.point(index.keyOf(row))
    if (old === undefined) throw new HostError(errno.noSuchRow)
    table.checkUnique(row, old)
    this.delete(table, old)
    this.#record({ table, row, kind: 'insert' })
    return { row, generated }
  }

  delete(table: Table, row: Row): void {
    this.#record({ table, row, kind: 'delete' })
  }

  #record(entry: Entry): void {
    if (this.#journal === undefined) throw new HostError(errno.notInTransaction)
    if (entry.kind === 'insert') entry.table.add(entry.row)
    else entry.table.remove(entry.row)
    this.#journal.push(entry)
  }

  #take(): Entry[] {
    const journal = this.#journal ?? []
    this.#journal = undefined
    return journal
  }

  #inTransaction(): this {
    if (this.#journal === undefined) throw new HostError(errno.notInTransaction)
    return this
  }
}

type Entry = { readonly table: Table; readonly row: Row; readonly kind: 'insert' | 'delete' }

/** System tables have the ids below. */
export const firstUserId = 4096

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
    this.sequences = declaration.sequences.map((sequence) => new SequenceState(this, sequence, data.sequences))
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
    const bytes = all.slice(start, reader.offset)
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

/** Rows by the BSATN of some columns. Order is made when it is asked for. */
export class Index {
  readonly table: Table
  readonly name: string
  readonly columns: readonly number[]
  readonly isUnique: boolean
  readonly hasOrder: boolean
  readonly #rows = new Map<string, Map<string, Row>>()

  constructor(table: Table, name: string, columns: readonly string[], hasOrder: boolean) {
    this.table = table
    this.name = name
    this.columns = columns.map((column) => table.position(column))
    this.hasOrder = hasOrder
    this.isUnique = table.declaration.uniqueConstraints.some((constraint) => sameSet(constraint.columns, columns))
  }

  covers(columns: readonly string[]): boolean {
    return sameSet(
      columns,
      this.columns.map((column) => this.table.declaration.columns[column]?.name ?? '')
    )
  }

  keyOf(row: Row): string {
    return this.columns.map((column) => row.columns[column]).join('')
  }

  add(row: Row): void {
    const key = this.keyOf(row)
    const rows = this.#rows.get(key)
    if (rows === undefined) this.#rows.set(key, new Map([[row.key, row]]))
    else rows.set(row.key, row)
  }

  remove(row: Row): void {
    const key = this.keyOf(row)
    const rows = this.#rows.get(key)
    rows?.delete(row.key)
    if (rows?.size === 0) this.#rows.delete(key)
  }

  point(key: string): readonly Row[] {
    return [...(this.#rows.get(key)?.values() ?? [])]
  }

  all(): readonly Row[] {
    return [...this.#rows.values()].flatMap((rows) => [...rows.values()])
  }
}

export class SequenceState {
  readonly name: string
  readonly column: number
  readonly #type: IntegerKind
  readonly #least: bigint
  readonly #greatest: bigint
  readonly #increment: bigint
  next: bigint

  constructor(table: Table, sequence: Sequence, stored: ReadonlyMap<string, bigint>) {
    this.name = sequence.name
    this.column = table.position(sequence.column)
    const declared = table.declaration.columns[this.column]?.type ?? { kind: 'u64' as const }
    this.#type = resolve(declared, table.typespace).kind as IntegerKind
    this.#least = sequence.minValue ?? 1n
    this.#greatest = sequence.maxValue ?? integerRange(this.#type).greatest
    this.#increment = sequence.increment
    this.next = stored.get(sequence.name) ?? sequence.start ?? this.#least
  }

  /** The next value in BSATN; past an end it goes on from the other. A rolled back transaction has used its values. */
  nextBytes(): Uint8Array {
    const value = this.next
    const following = value + this.#increment
    if (following > this.#greatest) this.next = this.#least + ((following - this.#greatest - 1n) % this.#size())
    else if (following < this.#least) this.next = this.#greatest - ((this.#least - following - 1n) % this.#size())
    else this.next = following
    return encode(valueCodec({ kind: this.#type }, []), integerValue(value, this.#type))
  }

  #size(): bigint {
    return this.#greatest - this.#least + 1n
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

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item))
}

function isZero(value: Value | undefined): boolean {
  return value === 0 || value === 0n
}
