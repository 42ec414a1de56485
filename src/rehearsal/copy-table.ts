import type { Table } from '../module/schema.ts'
import { inOneLine } from '../one-line.ts'
import { sqlName } from '../spacetimedb/sql-name.ts'
import type { Ask } from './ask.ts'
import type { CopiedValues } from './copied-values.ts'
import { countRows } from './count-rows.ts'
import { hasFewValues, madeUpLiteral } from './made-up-values.ts'
import type { CopiedColumn, TableCopy } from './plan-copies.ts'
import type { TableOutcome } from './rehearsal.ts'
import { literalOf } from './sql-values.ts'

/** What tables are copied from and to. */
export type CopyPlace = {
  readonly live: Ask
  /** Nothing is written but to this one, which is thrown away. */
  readonly target: Ask
  readonly copied: CopiedValues
  /** How many bytes of rows may still be copied; counted down. */
  readonly budget: { bytes: number }
}

type ColumnsCopy = Extract<TableCopy, { kind: 'copy' }>

/** `refused`: what was asked for is wrong, which its author has to mend. */
export type CopyEnd = TableOutcome | Refused

type Refused = { readonly kind: 'refused'; readonly reason: string }

type NotCopied = Extract<TableOutcome, { kind: 'not-copied' }>

/**
 * Copies a table's rows, all that were asked for or none: the target's own rows make way, and what was written is read
 * back and compared. Masked columns are not read at all. Throws `Stopped` when a server gives no answer.
 */
export async function copyTable(copy: TableCopy, place: CopyPlace): Promise<CopyEnd> {
  if (copy.kind === 'obstacle') return { kind: 'not-copied', reason: copy.reason }
  const read = await readRows(copy, place)
  if (read.kind !== 'read') return read
  const written = await writeRows(copy, read.rows, place)
  if (written !== undefined) return written
  return {
    kind: 'copied',
    rows: read.rows.length,
    isCut: read.isCut,
    limit: copy.limit,
    masked: copy.columns.filter(({ isMasked }) => isMasked).map(({ name }) => name),
    hasNegativeZeros: read.hasNegativeZeros
  }
}

type ReadRows = {
  readonly kind: 'read'
  /** As a statement writes them. */
  readonly rows: readonly string[]
  readonly isCut: boolean
  readonly hasNegativeZeros: boolean
}

async function readRows(
  copy: ColumnsCopy,
  { live, copied, budget }: CopyPlace
): Promise<ReadRows | NotCopied | Refused> {
  const { table, columns, limit, where } = copy
  const open = columns.filter(({ isMasked }) => !isMasked)
  if (open.length === 0) return inventRows(copy, live)
  const condition = where === undefined ? '' : ` WHERE (${where})`
  const select = `SELECT ${open.map(({ name }) => sqlName(name)).join(', ')} FROM ${sqlName(table.name)}`
  const answer = await live(`${select}${condition} LIMIT ${limit + 1}`)
  if (answer.kind === 'rejected') return notReadable(table, where, answer.reason)
  if (answer.kind === 'unreadable') return notCopied(`${answer.reason}: a smaller \`limit\` may help`)
  const rows = answer.rows.slice(0, limit)
  const values = rows.map((row) => new Map(open.map(({ name }, at) => [name, row[at]])))
  for (const row of rows) for (const [at, { kind }] of open.entries()) copied.add(row[at], kind)
  const literals = values.map((row, index) =>
    columns.map((column) => literalIn(column, row.get(column.name), index + 1))
  )
  const obstacle = obstacleIn(columns, literals)
  if (obstacle !== undefined) return notCopied(obstacle)
  const texts = literals.map((row) => `(${row.join(', ')})`)
  const longest = Math.max(0, ...texts.map((text) => Buffer.byteLength(text)))
  if (longest > longestRow) return notCopied(`a row of it has ${longest} bytes as SQL, and ${longestRow} are allowed`)
  budget.bytes -= texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (budget.bytes < 0) return notCopied('the rows that were copied before it are as many bytes as may be copied')
  const hasNegativeZeros = rows.some((row) => row.some((value) => Object.is(value, -0)))
  return { kind: 'read', rows: texts, isCut: answer.rows.length > limit, hasNegativeZeros }
}

/** Where each column is masked, the number of rows is all that is asked for. */
async function inventRows(
  { table, columns, limit, where }: ColumnsCopy,
  live: Ask
): Promise<ReadRows | NotCopied | Refused> {
  const count = await countRows(live, table.name, where)
  if (count === undefined) return notReadable(table, where)
  const length = count > BigInt(limit) ? limit : Number(count)
  const rows = Array.from(
    { length },
    (_, at) => `(${columns.map(({ kind }) => madeUpLiteral(kind, at + 1)).join(', ')})`
  )
  return { kind: 'read', rows, isCut: count > BigInt(limit), hasNegativeZeros: false }
}

function notReadable(
  { access }: Table,
  where: string | undefined,
  reason = 'its rows can not be counted by it'
): NotCopied | Refused {
  if (access === 'private' && /no such table/i.test(reason)) {
    return notCopied("it is private, and only the database's owner may read it")
  }
  return where === undefined
    ? notCopied('the live server refuses to show it')
    : { kind: 'refused', reason: `the live server refuses the condition \`${inOneLine(where)}\`: ${reason}` }
}

function literalIn({ kind, isMasked }: CopiedColumn, value: unknown, row: number): string | undefined {
  return isMasked ? madeUpLiteral(kind, row) : literalOf(kind, value)
}

function obstacleIn(
  columns: readonly CopiedColumn[],
  rows: readonly (readonly (string | undefined)[])[]
): string | undefined {
  for (const [at, { name, countsByItself }] of columns.entries()) {
    if (rows.some((row) => row[at] === undefined)) return `SQL can't write some values of its column ${name}`
    if (countsByItself && rows.some((row) => row[at] === '0')) {
      return `its column ${name} holds a 0, for which the server would give the next number of a sequence`
    }
  }
  return undefined
}

/** Empties the table before, and again when the rows did not get there as they are; why they did not. */
async function writeRows(
  copy: ColumnsCopy,
  rows: readonly string[],
  { target }: CopyPlace
): Promise<NotCopied | undefined> {
  const name = sqlName(copy.table.name)
  const emptied = await target(`DELETE FROM ${name}`)
  if (emptied.kind !== 'rows') return notCopied('the rows that it had from the start could not be removed')
  const refusal = (await insert(copy, rows, target)) ?? (await compare(copy, rows, target))
  if (refusal === undefined) return undefined
  await target(`DELETE FROM ${name}`)
  return notCopied(`${refusal}; it is empty now`)
}

async function insert(
  { table, columns }: ColumnsCopy,
  rows: readonly string[],
  target: Ask
): Promise<string | undefined> {
  const into = `INSERT INTO ${sqlName(table.name)} (${columns.map(({ name }) => sqlName(name)).join(', ')}) VALUES `
  for (const batch of batchesOf(rows)) {
    const answer = await target(into + batch.join(', '))
    // The server's words are not passed on: they hold values of rows.
    if (answer.kind === 'unreadable') return answer.reason
    if (answer.kind === 'rejected') {
      return /unique constraint/i.test(answer.reason)
        ? `its rows would break a unique constraint: ${whyNotUnique(columns)}`
        : 'the server that is thrown away refuses its rows'
    }
  }
  return undefined
}

function whyNotUnique(columns: readonly CopiedColumn[]): string {
  const narrow = columns.filter(({ kind, isMasked }) => isMasked && hasFewValues(kind)).map(({ name }) => name)
  return narrow.length === 0
    ? 'a column that is masked may be part of one with others'
    : `made-up values repeat in the masked ${narrow.join(', ')}, whose type has 256 values at most`
}

/** A table without a key keeps equal rows once, so sets are compared. */
async function compare(
  { table, columns }: ColumnsCopy,
  rows: readonly string[],
  target: Ask
): Promise<string | undefined> {
  const answer = await target(
    `SELECT ${columns.map(({ name }) => sqlName(name)).join(', ')} FROM ${sqlName(table.name)}`
  )
  if (answer.kind !== 'rows') return 'its rows could not be read back'
  const wanted = new Set(rows)
  const found = new Set(
    answer.rows.map((row) => `(${columns.map(({ kind }, at) => literalOf(kind, row[at])).join(', ')})`)
  )
  const isSame = wanted.size === found.size && [...wanted].every((row) => found.has(row))
  return isSame ? undefined : 'read back, its rows were not those that were written'
}

function notCopied(reason: string): NotCopied {
  return { kind: 'not-copied', reason }
}

/** What a server takes as a statement has a limit of some 2 MB; the longest row has to fit with the names of its columns. */
const longestRow = 1_000_000
const longestBatch = 1_000_000
const mostRowsOfBatch = 200

function* batchesOf(rows: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const row of rows) {
    const size = Buffer.byteLength(row)
    if (batch.length > 0 && (bytes + size > longestBatch || batch.length === mostRowsOfBatch)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(row)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
