import type { AlgebraicType } from '../module/algebraic-type.ts'
import type { Typespace } from '../module/typespace.ts'
import { inOneLine } from '../one-line.ts'
import type { Expectation, NumberExpectation, RowExpectation } from './comparison-schema.ts'
import { knownNames } from './did-you-mean.ts'
import { expectationText, meets, objectionTo } from './expectation.ts'
import { fieldOf, type ShownValue, shownValue } from './shown-value.ts'

/** What rows have to be like; what is left out may be anything. */
export type RowsExpected = {
  readonly count?: NumberExpectation
  /** All rows, in any order, each for one of its own. */
  readonly rows?: readonly RowExpectation[]
  readonly some?: RowExpectation
  readonly each?: RowExpectation
  readonly none?: RowExpectation
  /** Of the first column of the first row. */
  readonly value?: Expectation
}

/** Rows of one or of several tables. */
export type RowSet = {
  readonly shapes: readonly Shape[]
  readonly rows: readonly Row[]
}

/** What rows of one table, or of one SQL answer, are made of. */
export type Shape = {
  /** Where that is known. */
  readonly table?: string
  readonly columns: readonly { readonly name: string; readonly type: AlgebraicType | undefined }[]
  readonly typespace: Typespace
}

/** `values` is a list in the order of the columns, or a map by their names. */
export type Row = { readonly shape: Shape; readonly values: unknown }

export type Comparison =
  | { readonly kind: 'holds' }
  | { readonly kind: 'differs'; readonly expected: string; readonly actual: string }
  /** It can't hold for any rows: a column that isn't there, a text compared with `at-least`. */
  | { readonly kind: 'mistake'; readonly reason: string }

/** Compares rows with what is expected of them, and tells of the first thing that is not so. */
export function compareRows(expected: RowsExpected, given: RowSet): Comparison {
  const mistake = mistakeIn(expected, given.shapes)
  if (mistake !== undefined) return { kind: 'mistake', reason: mistake }
  const difference =
    countDifference(expected.count, given.rows) ??
    valueDifference(expected.value, given.rows) ??
    allDifference(expected.rows, given.rows) ??
    someDifference(expected.some, given.rows) ??
    eachDifference(expected, given.rows) ??
    noneDifference(expected.none, given.rows)
  return difference === undefined ? { kind: 'holds' } : { kind: 'differs', ...difference }
}

type Difference = { readonly expected: string; readonly actual: string }

/** Whether a row is as expected; a row without one of the columns is not. */
export function isLike(expected: RowExpectation, row: Row): boolean {
  return Object.entries(expected).every(([name, expectation]) => {
    const value = columnOf(row, name)
    return value !== undefined && meets(expectation, value)
  })
}

/** What is wrong with an expectation whatever the rows are; `undefined` where nothing is. */
export function mistakeInRow(expected: RowExpectation, shapes: readonly Shape[]): string | undefined {
  for (const [name, expectation] of Object.entries(expected)) {
    const columns = shapes.flatMap(({ columns, typespace }) =>
      columns.filter((column) => column.name === name).map(({ type }) => ({ type, typespace }))
    )
    if (columns.length === 0) return noSuchColumn(name, shapes)
    const objections = columns.map(({ type, typespace }) => type && objectionTo(expectation, type, typespace))
    const [objection] = objections
    if (objection !== undefined && !objections.includes(undefined)) return `Column "${name}" ${objection}`
  }
  return undefined
}

function mistakeIn(expected: RowsExpected, shapes: readonly Shape[]): string | undefined {
  const { rows = [], some, each, none, value } = expected
  for (const row of [...rows, some, each, none]) {
    const mistake = row && mistakeInRow(row, shapes)
    if (mistake !== undefined) return mistake
  }
  const [shape] = shapes
  const first = shape?.columns[0]
  if (value === undefined || shape === undefined) return undefined
  if (first === undefined) return 'It gives no rows, so there is no first column for `value`.'
  const objection = first.type && objectionTo(value, first.type, shape.typespace)
  return objection && `Column "${first.name}" ${objection}`
}

function noSuchColumn(name: string, shapes: readonly Shape[]): string {
  const names = [...new Set(shapes.flatMap(({ columns }) => columns.map((column) => column.name)))]
  if (names.length === 0) return `There is no column \`${name}\`: it gives no rows at all.`
  return `There is no column \`${name}\`. ${knownNames(name, names)}`
}

function countDifference(expected: NumberExpectation | undefined, rows: readonly Row[]): Difference | undefined {
  if (expected === undefined || meets(expected, { text: '', means: [rows.length] })) return undefined
  return { expected: `count ${expectationText(expected)}`, actual: `${countText(rows.length)}${shownRows(rows, [])}` }
}

function valueDifference(expected: Expectation | undefined, rows: readonly Row[]): Difference | undefined {
  if (expected === undefined) return undefined
  const wanted = `value ${expectationText(expected)}`
  const [row] = rows
  const name = row?.shape.columns[0]?.name
  const value = row && name !== undefined ? columnOf(row, name) : undefined
  if (value === undefined) return { expected: wanted, actual: 'no rows' }
  return meets(expected, value)
    ? undefined
    : { expected: wanted, actual: `value = ${inOneLine(value.text, longestRow)}` }
}

/** More rows than a check can list are not looked through for those that it lists. */
const mostPaired = 400

function allDifference(expected: readonly RowExpectation[] | undefined, rows: readonly Row[]): Difference | undefined {
  if (expected === undefined) return undefined
  if (rows.length > mostPaired) {
    return { expected: countText(expected.length), actual: `${countText(rows.length)}${shownRows(rows, [])}` }
  }
  const { missing, left } = pairUp(expected, rows)
  if (missing.length === 0 && left.length === 0) return undefined
  const columns = expected.flatMap((row) => Object.keys(row))
  const among = missing.length === 0 ? '' : `, among them ${listText(missing.map(expectedRowText))}`
  const others = left.length === 0 ? ', not among them' : `, not expected${shownRows(left, columns)}`
  return {
    expected: countText(expected.length) + among,
    actual: countText(rows.length) + (rows.length === 0 ? '' : others)
  }
}

function someDifference(expected: RowExpectation | undefined, rows: readonly Row[]): Difference | undefined {
  if (expected === undefined || rows.some((row) => isLike(expected, row))) return undefined
  return {
    expected: `at least one row ${expectedRowText(expected)}`,
    actual: rows.length === 0 ? 'no rows' : `none of ${countText(rows.length)}${shownRows(rows, Object.keys(expected))}`
  }
}

/** Without rows nothing would be looked at; `count` and `rows` can say that this is right. */
function eachDifference({ each: expected, count, rows: all }: RowsExpected, rows: readonly Row[]) {
  if (expected === undefined) return undefined
  const others = rows.filter((row) => !isLike(expected, row))
  if (rows.length === 0 && count === undefined && all === undefined) {
    return { expected: `each row ${expectedRowText(expected)}`, actual: 'no rows' }
  }
  if (others.length === 0) return undefined
  return {
    expected: `each row ${expectedRowText(expected)}`,
    actual: `${others.length} of ${countText(rows.length)} ${areOrIs(others)} not like this${shownRows(others, Object.keys(expected))}`
  }
}

function noneDifference(expected: RowExpectation | undefined, rows: readonly Row[]): Difference | undefined {
  const alike = expected === undefined ? [] : rows.filter((row) => isLike(expected, row))
  if (expected === undefined || alike.length === 0) return undefined
  return {
    expected: `no row ${expectedRowText(expected)}`,
    actual: `${alike.length} of ${countText(rows.length)} ${areOrIs(alike)} like this${shownRows(alike, Object.keys(expected))}`
  }
}

/**
 * Gives each expectation a row of its own, as many as can have one. A row that two expectations fit is moved to the
 * one that has no other (augmenting paths: https://en.wikipedia.org/wiki/Matching_(graph_theory)).
 */
function pairUp(expected: readonly RowExpectation[], rows: readonly Row[]) {
  const fitting = expected.map((wanted) => rows.flatMap((row, at) => (isLike(wanted, row) ? [at] : [])))
  const takenBy = new Map<number, number>()
  const findRow = (wanted: number, tried: Set<number>): boolean => {
    const rowsOfIt = fitting[wanted] ?? []
    const row = rowsOfIt.find((each) => !takenBy.has(each)) ?? rowsOfIt.find((each) => canBeFreed(each, tried))
    if (row !== undefined) takenBy.set(row, wanted)
    return row !== undefined
  }
  const canBeFreed = (row: number, tried: Set<number>): boolean => {
    if (tried.has(row)) return false
    tried.add(row)
    const holder = takenBy.get(row)
    return holder !== undefined && findRow(holder, tried)
  }
  const missing = expected.filter((_, wanted) => !findRow(wanted, new Set()))
  return { missing, left: rows.filter((_, at) => !takenBy.has(at)) }
}

function columnOf({ shape, values }: Row, name: string): ShownValue | undefined {
  const at = shape.columns.findIndex((column) => column.name === name)
  const column = shape.columns[at]
  return column && shownValue(fieldOf(values, name, at), column.type, shape.typespace)
}

/** How many rows a finding shows, and how long each of them may be. */
const mostRows = 3
const longestRow = 160

/** What is expected of a row: `(id = 0, value at least 1)`. */
export function expectedRowText(expected: RowExpectation): string {
  const parts = Object.entries(expected).map(([name, expectation]) => `${name} ${expectationText(expectation)}`)
  return inOneLine(`(${parts.join(', ')})`, longestRow)
}

/** A row in one line, the columns that matter first. */
export function rowText(row: Row, first: readonly string[]): string {
  const names = row.shape.columns.map(({ name }) => name)
  const ordered = [...names.filter((name) => first.includes(name)), ...names.filter((name) => !first.includes(name))]
  const parts = ordered.map((name) => `${name} = ${columnOf(row, name)?.text}`)
  return inOneLine(`(${parts.join(', ')})`, longestRow)
}

/** The first few rows after a colon, the columns that matter first; '' where there are none. */
export function shownRows(rows: readonly Row[], first: readonly string[]): string {
  if (rows.length === 0) return ''
  const texts = rows.slice(0, mostRows).map((row) => rowText(row, first))
  return `: ${listText(texts, rows.length)}`
}

function listText(texts: readonly string[], total = texts.length): string {
  const more = total - Math.min(total, mostRows)
  return texts.slice(0, mostRows).join(', ') + (more === 0 ? '' : ` and ${more} more`)
}

/** `no rows`, `1 row`, `2 rows`. */
export function countText(count: number): string {
  if (count === 0) return 'no rows'
  return count === 1 ? '1 row' : `${count} rows`
}

function areOrIs({ length }: readonly Row[]): string {
  return length === 1 ? 'is' : 'are'
}
