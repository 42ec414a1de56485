import type { Column, Schema, Table } from '../module/schema.ts'
import type { Change } from './change.ts'
import { compareSchemas, type Side } from './comparison.ts'

/** More of either would be a picture that nobody can read. */
const mostTables = 12
const mostColumns = 40

/**
 * The tables that change, as a Mermaid `erDiagram` in a fenced block of Markdown: their columns, keys, and beside each
 * column what becomes of it. Empty when no table changes, or too many for a picture.
 * https://mermaid.js.org/syntax/entityRelationshipDiagram.html
 */
export function renderDiagram(changes: readonly Change[], before: Schema, after: Schema): string {
  const names = new Set(changes.filter(({ subject }) => subject.kind === 'table').map(({ subject }) => subject.name))
  if (names.size === 0 || names.size > mostTables) return ''
  const comparison = compareSchemas(before, after)
  const entities = [...names].sort().map((name) => {
    const [earlier, later] = [tableNamed(name, before), tableNamed(name, after)]
    return entity(name, rowsOf(earlier, later, comparison.before, comparison.after), fateOf(earlier, later))
  })
  return ['```mermaid', 'erDiagram', ...entities.flat(), '```'].join('\n')
}

function tableNamed(name: string, schema: Schema): Table | undefined {
  return schema.tables.find((table) => table.name === name)
}

function fateOf(earlier: Table | undefined, later: Table | undefined): string {
  if (earlier === undefined) return ' · new'
  if (later === undefined) return ' · removed'
  return earlier.access === later.access ? '' : ` · becomes ${later.access}`
}

/** A column in the picture. */
type Row = { readonly type: string; readonly name: string; readonly keys: readonly string[]; readonly comment: string }

/** The columns of a table that both have or one has: those of the new one, then those that are gone. */
function rowsOf(earlier: Table | undefined, later: Table | undefined, before: Side, after: Side): Row[] {
  const row = (table: Table, column: Column, side: Side, comment: string): Row => {
    return { type: side.text(column.type), name: column.name, keys: keysOf(table, column.name), comment }
  }
  const columnOf = (table: Table | undefined, name: string) => table?.columns.find((column) => column.name === name)
  const kept = (later?.columns ?? []).map((column) => {
    const old = columnOf(earlier, column.name)
    const [was, is] = [old && before.text(old.type), after.text(column.type)]
    const comment = earlier === undefined ? '' : was === undefined ? 'added' : was === is ? '' : `was ${was}`
    return later && row(later, column, after, comment)
  })
  const gone = (earlier?.columns ?? []).map((column) => {
    if (earlier === undefined || columnOf(later, column.name)) return undefined
    return row(earlier, column, before, later === undefined ? '' : 'removed')
  })
  return [...kept, ...gone].filter((each) => each !== undefined)
}

function keysOf(table: Table, column: string): string[] {
  if (table.primaryKey === column) return ['PK']
  const isUnique = table.uniqueConstraints.some(({ columns }) => columns.length === 1 && columns[0] === column)
  return isUnique ? ['UK'] : []
}

function entity(name: string, rows: readonly Row[], fate: string): string[] {
  const shown = rows.slice(0, mostColumns).map(({ type, name, keys, comment }) => {
    const note = comment === '' ? '' : ` "${textIn(comment)}"`
    return `    ${wordOf(type)} ${wordOf(name)}${keys.map((key) => ` ${key}`).join('')}${note}`
  })
  const more = rows.length > mostColumns ? [`    and_more columns "${rows.length - mostColumns} more"`] : []
  return [`  ${wordOf(name)}["${textIn(name + fate)}"] {`, ...shown, ...more, '  }']
}

/** Mermaid takes letters, digits, `-`, `_`, `(`, `)`, `[` and `]` in types and names, and a letter first. */
function wordOf(text: string): string {
  const word = shortened(text, 60)
    .replace(/</g, '(')
    .replace(/>/g, ')')
    .replace(/[^A-Za-z0-9_()[\]-]+/g, '_')
  return /^[A-Za-z]/.test(word) ? word : `x${word}`
}

/** A text between double quotes, of which there is no escape. */
function textIn(text: string): string {
  return shortened(text, 120).replace(/[^\p{L}\p{N} ·…_.,:()|+/*-]+/gu, ' ')
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
