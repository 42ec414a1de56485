import type { Index, Sequence, Table, UniqueConstraint } from '../module/schema.ts'
import type { ChangeDraft } from './change.ts'
import { byName, byNameOrder, match } from './comparison.ts'
import { isSeen, type TablePair } from './diff-tables.ts'
import type { Condition } from './verdict.ts'

/** What changes about the indexes of a table. */
export function indexChanges(pair: TablePair): ChangeDraft[] {
  const { removed, added, kept } = match(pair.before.indexes, pair.after.indexes, byName)
  const renamed: (readonly [Index, Index])[] = []
  // By name, so that which twin is found does not depend on the order of the lists.
  const left = [...added].sort(byNameOrder)
  const gone = [...removed].sort(byNameOrder).filter((index) => {
    const twin = left.findIndex((other) => indexText(other) === indexText(index))
    const [other] = twin === -1 ? [] : left.splice(twin, 1)
    if (other) renamed.push([index, other])
    return other === undefined
  })
  return [
    ...gone.map((index) => indexChange(pair, 'index-removed', index, undefined)),
    ...left.map((index) => indexChange(pair, 'index-added', undefined, index)),
    ...renamed.map(([before, after]) => indexRenamed(pair, before, after)),
    ...kept.flatMap(([before, after]) => keptIndex(pair, before, after))
  ]
}

function keptIndex(pair: TablePair, before: Index, after: Index): ChangeDraft[] {
  const changes: ChangeDraft[] = []
  if (indexText(before) !== indexText(after)) changes.push(indexChange(pair, 'index-changed', before, after))
  if (before.accessor !== after.accessor) changes.push(accessorChange(pair, before, after))
  return changes
}

type IndexChangeKind = 'index-added' | 'index-removed' | 'index-changed'

function indexChange(
  pair: TablePair,
  kind: IndexChangeKind,
  before: Index | undefined,
  after: Index | undefined
): ChangeDraft {
  const index = before?.name ?? after?.name ?? ''
  const draft = {
    kind,
    subject: { kind: 'table', name: pair.before.name },
    index,
    what: `index ${index} ${{ 'index-added': 'is added', 'index-removed': 'is removed', 'index-changed': 'changes' }[kind]}`,
    ...(before && { before: indexText(before) }),
    ...(after && { after: indexText(after) }),
    atServer: 'planned'
  } as const
  const lost = before && lostForJoins(pair, before)
  if (lost === undefined) return { ...draft, verdict: 'compatible' }
  return {
    ...draft,
    verdict: 'breaks-clients',
    note: `Subscriptions that join on ${lost} need an index on it and are refused without.`
  }
}

/** The column of a public table that subscriptions can no longer join on, since they need an index on it alone. */
function lostForJoins(pair: TablePair, index: Index): string | undefined {
  const [column, ...others] = index.columns
  if (column === undefined || others.length > 0 || !isSeen(pair)) return undefined
  return pair.after.indexes.some((other) => other.columns.length === 1 && other.columns[0] === column)
    ? undefined
    : column
}

function indexRenamed(pair: TablePair, before: Index, after: Index): ChangeDraft {
  return {
    kind: 'index-renamed',
    subject: { kind: 'table', name: pair.before.name },
    index: before.name,
    newName: after.name,
    what: `index ${before.name} is renamed`,
    before: before.name,
    after: after.name,
    verdict: 'compatible',
    atServer: 'planned'
  }
}

function accessorChange(pair: TablePair, before: Index, after: Index): ChangeDraft {
  return {
    kind: 'index-accessor-changed',
    subject: { kind: 'table', name: pair.before.name },
    index: before.name,
    ...(before.accessor !== undefined && { accessor: before.accessor }),
    ...(after.accessor !== undefined && { newAccessor: after.accessor }),
    what: `accessor of index ${before.name} changes`,
    before: before.accessor ?? 'none',
    after: after.accessor ?? 'none',
    verdict: 'manual',
    atServer: 'refused'
  }
}

function indexText(index: Index): string {
  return `${index.algorithm} on ${index.columns.join(', ')}`
}

/** What changes about the unique constraints of a table, primary keys among them. */
export function constraintChanges(pair: TablePair): ChangeDraft[] {
  const { removed, added, kept } = match(pair.before.uniqueConstraints, pair.after.uniqueConstraints, byName)
  return [
    ...removed.map((constraint) => constraintRemoved(pair, constraint)),
    ...added.map((constraint) => constraintAdded(pair, constraint)),
    ...kept.flatMap(([before, after]) => constraintChanged(pair, before, after))
  ]
}

function constraintRemoved(pair: TablePair, constraint: UniqueConstraint): ChangeDraft {
  return {
    ...aboutConstraint(pair, constraint),
    kind: 'unique-constraint-removed',
    what: `${columnsText(constraint)} is no longer unique`,
    before: `unique ${columnsText(constraint)}`,
    verdict: 'compatible',
    atServer: 'planned'
  }
}

function constraintAdded(pair: TablePair, constraint: UniqueConstraint): ChangeDraft {
  return {
    ...aboutConstraint(pair, constraint),
    kind: 'unique-constraint-added',
    what: `${columnsText(constraint)} becomes unique`,
    after: `unique ${columnsText(constraint)}`,
    verdict: 'compatible',
    conditions: conditionsOfUnique(pair.before, constraint),
    atServer: 'planned'
  }
}

/** A constraint is known to the server by its name and by where its columns stand. */
function constraintChanged(pair: TablePair, before: UniqueConstraint, after: UniqueConstraint): ChangeDraft[] {
  if (positions(pair.before, before) === positions(pair.after, after)) return []
  return [
    {
      ...aboutConstraint(pair, before),
      kind: 'unique-constraint-changed',
      what: `unique constraint ${before.name} changes`,
      before: `${columnsText(before)} at ${positions(pair.before, before)}`,
      after: `${columnsText(after)} at ${positions(pair.after, after)}`,
      verdict: 'manual',
      atServer: 'refused'
    }
  ]
}

function aboutConstraint({ before: table }: TablePair, constraint: UniqueConstraint) {
  return {
    subject: { kind: 'table', name: table.name },
    constraint: constraint.name,
    columns: constraint.columns
  } as const
}

function columnsText(constraint: UniqueConstraint): string {
  return constraint.columns.join(', ')
}

/** The places of a constraint's columns, counted from 1. */
function positions(table: Table, constraint: UniqueConstraint): string {
  const places = constraint.columns.map((name) => table.columns.findIndex((column) => column.name === name) + 1)
  return places.sort((one, other) => one - other).join(', ')
}

/** Nothing to ask where rows can't repeat: no rows, or columns among which some are unique already. */
function conditionsOfUnique(table: Table, constraint: UniqueConstraint): readonly Condition[] {
  const isUniqueAlready = table.uniqueConstraints.some((other) =>
    other.columns.every((column) => constraint.columns.includes(column))
  )
  if (table.isEvent || isUniqueAlready) return []
  // A new column has its default in all rows.
  const columns = constraint.columns.filter((name) => table.columns.some((column) => column.name === name))
  if (columns.length === 0) return [{ kind: 'at-most-one-row', table: table.name }]
  return [{ kind: 'values-distinct', table: table.name, columns }]
}

/** What changes about the columns that number themselves. */
export function sequenceChanges(pair: TablePair): ChangeDraft[] {
  const { removed, added, kept } = match(pair.before.sequences, pair.after.sequences, byName)
  return [
    ...removed.map((sequence) => sequenceChange(pair, 'sequence-removed', sequence, undefined)),
    ...added.map((sequence) => sequenceChange(pair, 'sequence-added', undefined, sequence)),
    ...kept
      .filter(([before, after]) => sequenceText(before) !== sequenceText(after))
      .map(([before, after]) => sequenceChange(pair, 'sequence-changed', before, after))
  ]
}

function sequenceChange(
  pair: TablePair,
  kind: 'sequence-added' | 'sequence-removed' | 'sequence-changed',
  before: Sequence | undefined,
  after: Sequence | undefined
): ChangeDraft {
  const what = { 'sequence-added': 'starts', 'sequence-removed': 'stops', 'sequence-changed': 'changes its way of' }
  const draft = {
    kind,
    subject: { kind: 'table', name: pair.before.name },
    sequence: before?.name ?? after?.name ?? '',
    what: `column ${(after ?? before)?.column} ${what[kind]} numbering itself`,
    ...(before && { before: sequenceText(before) }),
    ...(after && { after: sequenceText(after) })
  } as const
  if (after && isNewColumn(pair.before, after.column)) return { ...draft, ...numberedFromTheStart }
  const conditions = after ? conditionsOfSequence(pair.before, after) : []
  return { ...draft, verdict: 'compatible', conditions, atServer: 'planned' }
}

function isNewColumn(table: Table, name: string): boolean {
  return !table.isEvent && table.columns.every((column) => column.name !== name)
}

/** The server looks for values in the sequence's range before the column is there, and stops when there is a row. */
const numberedFromTheStart = {
  verdict: 'manual',
  atServer: 'fails',
  note: 'A server that has rows in the table crashes. Add the column first, and auto_inc with the next release.'
} as const

/** The server refuses when a row holds a value that the sequence could give. */
function conditionsOfSequence(table: Table, sequence: Sequence): readonly Condition[] {
  if (table.isEvent) return []
  const { column, minValue = 1n, maxValue } = sequence
  const range = { from: String(minValue), ...(maxValue !== undefined && { to: String(maxValue) }) }
  return [{ kind: 'sequence-range-free', table: table.name, column, ...range }]
}

function sequenceText({ column, start, minValue, maxValue, increment }: Sequence): string {
  const part = (name: string, value: bigint | undefined) => (value === undefined ? '' : `, ${name} ${value}`)
  return `${column} by ${increment}${part('from', start)}${part('at least', minValue)}${part('at most', maxValue)}`
}
