import type { Column, Table } from '../module/schema.ts'
import type { ChangeDraft } from './change.ts'
import { byName, type Comparison, match, type Side } from './comparison.ts'
import { isSeen, type TablePair } from './diff-tables.ts'

/** What changes about the columns of a table. Event tables hold no rows, so there nothing is impossible. */
export function columnChanges(pair: TablePair, comparison: Comparison): ChangeDraft[] {
  const { removed, added, kept } = match(pair.before.columns, pair.after.columns, byName)
  return [
    ...removed.map((column) => columnRemoved(pair, column, comparison)),
    ...added.map((column) => columnAdded(pair, column, comparison)),
    ...columnsMoved(pair),
    ...typeChanges(pair, kept, comparison),
    ...kept.flatMap(([before, after]) => defaultChange(pair, before, after, comparison))
  ]
}

/** All schema changes of an event table disconnect clients and need nothing else. */
const eventTableChange = {
  verdict: 'breaks-clients',
  atServer: 'disconnects',
  note: 'The server disconnects all clients.'
} as const

const impossible = { verdict: 'manual', atServer: 'refused' } as const

function columnRemoved({ before: table }: TablePair, column: Column, { before }: Comparison): ChangeDraft {
  return {
    kind: 'column-removed',
    subject: { kind: 'table', name: table.name },
    column: column.name,
    what: `column ${column.name} is removed`,
    before: before.text(column.type),
    ...(table.isEvent ? eventTableChange : impossible)
  }
}

function columnAdded({ after: table }: TablePair, column: Column, { after }: Comparison): ChangeDraft {
  const hasDefault = column.defaultValue !== undefined
  const draft = {
    kind: 'column-added',
    subject: { kind: 'table', name: table.name },
    column: column.name,
    hasDefault,
    what: `column ${column.name} is added`,
    after: after.text(column.type) + (hasDefault ? ` with the default ${defaultText(column, after)}` : '')
  } as const
  if (table.isEvent) return { ...draft, ...eventTableChange }
  if (hasDefault) return { ...draft, ...eventTableChange, note: `${eventTableChange.note} It can't be taken back.` }
  return { ...draft, ...impossible, note: 'A column can be added only with a default value.' }
}

function columnsMoved({ before, after }: TablePair): ChangeDraft[] {
  const moved = before.columns.flatMap((column, at) => {
    const position = after.columns.findIndex((other) => other.name === column.name)
    return position === -1 || position === at ? [] : [column.name]
  })
  if (moved.length === 0) return []
  return [
    {
      kind: 'columns-moved',
      subject: { kind: 'table', name: before.name },
      columns: moved,
      what: moved.length === 1 ? `column ${moved[0]} changes its place` : 'columns change their places',
      before: columnNames(before),
      after: columnNames(after),
      ...(before.isEvent ? eventTableChange : impossible)
    }
  ]
}

function columnNames(table: Table): string {
  return table.columns.map((column) => column.name).join(', ')
}

type ColumnPair = readonly [before: Column, after: Column]

function typeChanges(pair: TablePair, kept: readonly ColumnPair[], comparison: Comparison): ChangeDraft[] {
  const changed = kept.filter(([before, after]) => !comparison.same(before.type, after.type))
  if (changed.length === 0) return []
  const wasFixed = kept.every(([before, { type }]) => comparison.upgrade(before.type, type).layoutBefore.fixed)
  return changed.map(([before, after]): ChangeDraft => {
    const { obstacles, layoutAfter } = comparison.upgrade(before.type, after.type)
    const draft = {
      kind: 'column-type-changed',
      subject: { kind: 'table', name: pair.before.name },
      column: before.name,
      obstacles: pair.before.isEvent ? [] : obstacles,
      what: `column ${before.name} changes its type`,
      before: comparison.before.text(before.type),
      after: comparison.after.text(after.type)
    } as const
    if (pair.before.isEvent) return { ...draft, ...eventTableChange }
    if (obstacles.length > 0) return { ...draft, ...impossible }
    if (wasFixed && !layoutAfter.fixed) return { ...draft, ...unfixed }
    if (isSeen(pair)) return { ...draft, verdict: 'breaks-clients', atServer: 'planned', note: newVariants }
    return { ...draft, verdict: 'compatible', atServer: 'planned', note: unseenVariants }
  })
}

const newVariants = "Clients can't read the new variants."
const unseenVariants = 'The table is private: only a client of the owner could meet the new variants.'

/** The planner compares size and alignment only; changing the table's rows then fails on the rest of the layout. */
const unfixed = {
  verdict: 'manual',
  atServer: 'fails',
  note: 'The server plans it but cannot carry it out: rows had a fixed size, and the new variant has none.'
} as const

function defaultChange({ before: table }: TablePair, before: Column, after: Column, sides: Comparison): ChangeDraft[] {
  if (before.defaultValue === after.defaultValue) return []
  return [
    {
      kind: 'column-default-changed',
      subject: { kind: 'table', name: table.name },
      column: before.name,
      what: `default of column ${before.name} changes`,
      before: defaultText(before, sides.before),
      after: defaultText(after, sides.after),
      verdict: 'compatible',
      atServer: 'ignored',
      note: 'Rows that are there keep their values.'
    }
  ]
}

function defaultText({ type, defaultValue }: Column, side: Side): string {
  return defaultValue === undefined ? 'none' : side.valueText(type, defaultValue)
}
