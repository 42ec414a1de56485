import type { Schema } from '../../src/module/schema.ts'
import { errno, HostError } from './errno.ts'
import { type Row, Table } from './table.ts'
import type { Index } from './table-index.ts'

/** What a database keeps, as a value that outlives its worker: rows in BSATN by table, and the next of each sequence. */
export type StoredData = {
  readonly tables: ReadonlyMap<string, readonly Uint8Array[]>
  readonly sequences: ReadonlyMap<string, bigint>
}

/** What a committed transaction did to a row. */
export type Change = { readonly table: string; readonly row: Uint8Array; readonly kind: 'insert' | 'delete' }

/** The tables of one database, with transactions that can be rolled back. One transaction at a time. */
export class Datastore {
  readonly schema: Schema
  readonly tables: readonly Table[]
  readonly indexes: readonly Index[]
  readonly #indexAliases: ReadonlyMap<string, string>
  #journal: Entry[] | undefined
  #committed: Change[][] = []
  #sequences: ReadonlyMap<string, bigint>

  /** `indexAliases` are further names of indexes, with the indexes' own. */
  constructor(schema: Schema, data: StoredData, indexAliases: ReadonlyMap<string, string>) {
    this.schema = schema
    this.#indexAliases = indexAliases
    this.#sequences = data.sequences
    this.tables = [...schema.tables]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((table, i) => new Table(firstUserId + i, table, schema.typespace, data))
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
    const changes: Change[] = []
    for (const { table, row, kind } of this.#take()) {
      if (!table.declaration.isEvent) changes.push({ table: table.declaration.name, row: row.bytes, kind })
      else if (kind === 'insert') table.remove(row)
    }
    if (changes.length > 0) this.#committed.push(changes)
  }

  /** What was committed since this was last asked, by transaction. */
  takeTransactions(): Change[][] {
    const transactions = this.#committed
    this.#committed = []
    return transactions
  }

  /** The next value of every sequence, by its name, if one has changed since this was last asked. */
  takeSequences(): ReadonlyMap<string, bigint> | undefined {
    const all = this.tables.flatMap((table) => table.sequences)
    if (all.every(({ name, next }) => this.#sequences.get(name) === next)) return undefined
    this.#sequences = new Map(all.map(({ name, next }) => [name, next]))
    return this.#sequences
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
