import type { Row, Table } from './table.ts'

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

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item))
}
