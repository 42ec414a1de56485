import type { Schedule, Schema, Table } from '../module/schema.ts'
import { type Change, type ChangeDraft, makeChange } from './change.ts'
import { byName, type Comparison, match, type Side } from './comparison.ts'
import { columnChanges } from './diff-columns.ts'
import { constraintChanges, indexChanges, sequenceChanges } from './diff-constraints.ts'
import { isRuleOf } from './rule-table.ts'

/** A table that both schemas have. */
export type TablePair = { readonly before: Table; readonly after: Table }

/** What changes about tables and all that belongs to them. */
export function tableChanges(comparison: Comparison): Change[] {
  const { removed, added, kept } = match(comparison.before.schema.tables, comparison.after.schema.tables, byName)
  return [
    ...removed.map((table) => tableRemoved(table, comparison.before)),
    ...added.map((table) => tableAdded(table, comparison.after)),
    ...kept.flatMap(([before, after]) => {
      const pair = { before, after }
      return [
        ...propertyChanges(pair, comparison).map(makeChange),
        ...scheduleChange(pair, comparison).map(makeChange),
        ...columnChanges(pair, comparison).map(makeChange),
        ...indexChanges(pair).map(makeChange),
        ...constraintChanges(pair).map(makeChange),
        ...sequenceChanges(pair).map(makeChange)
      ]
    })
  ]
}

/** What clients other than the owner's can see. */
export function isSeen({ before }: TablePair): boolean {
  return before.access === 'public'
}

function tableRemoved(table: Table, side: Side): Change {
  return makeChange({
    kind: 'table-removed',
    subject: { kind: 'table', name: table.name },
    what: `${tableKind(table)} is removed`,
    before: describeTable(table, side),
    verdict: 'breaks-clients',
    conditions: table.isEvent ? [] : [{ kind: 'table-empty', table: table.name }],
    atServer: 'disconnects',
    note: 'The server disconnects all clients.'
  })
}

function tableAdded(table: Table, side: Side): Change {
  return makeChange({
    kind: 'table-added',
    subject: { kind: 'table', name: table.name },
    what: `${tableKind(table)} is added`,
    after: describeTable(table, side),
    verdict: 'compatible',
    atServer: 'planned'
  })
}

function tableKind(table: Table): string {
  return `${table.access} ${table.isEvent ? 'event ' : ''}table`
}

function propertyChanges({ before, after }: TablePair, comparison: Comparison): ChangeDraft[] {
  const subject = { kind: 'table', name: before.name } as const
  const drafts: ChangeDraft[] = []
  if (before.access !== after.access) drafts.push(accessChange({ before, after }, comparison.after.schema))
  if (before.isEvent !== after.isEvent) {
    drafts.push({
      kind: 'table-event-changed',
      subject,
      what: after.isEvent ? 'table becomes an event table' : 'event table becomes an ordinary table',
      before: before.isEvent ? 'event table' : 'table',
      after: after.isEvent ? 'event table' : 'table',
      verdict: 'manual',
      atServer: 'refused'
    })
  }
  if (before.primaryKey !== after.primaryKey) drafts.push(primaryKeyChange({ before, after }))
  return [...drafts, ...accessorChange({ before, after })]
}

function accessChange({ before, after }: TablePair, { rowLevelSecurity }: Schema): ChangeDraft {
  const draft = {
    kind: 'table-access-changed',
    subject: { kind: 'table', name: before.name },
    what: `table becomes ${after.access}`,
    before: before.access,
    after: after.access,
    atServer: 'planned'
  } as const
  if (after.access === 'private') return { ...draft, verdict: 'breaks-clients' }
  if (!rowLevelSecurity.some((sql) => isRuleOf(sql, after))) return { ...draft, verdict: 'compatible' }
  return { ...draft, ...rulesComeFirst }
}

/** The server makes its rules anew before it makes a table public, and a private table can't have one. */
const rulesComeFirst = {
  verdict: 'manual',
  atServer: 'fails',
  note: 'A table becomes public with one release, and gets a row-level security rule with the next.'
} as const

/** Tables can be queried by their accessor too, so an accessor other than the name is something to lose. */
function accessorChange({ before, after }: TablePair): ChangeDraft[] {
  if (before.accessor === undefined || after.accessor === undefined || before.accessor === after.accessor) return []
  const isLost = before.accessor !== before.name && before.access === 'public'
  return [
    {
      kind: 'table-accessor-changed',
      subject: { kind: 'table', name: before.name },
      what: 'accessor changes',
      before: before.accessor,
      after: after.accessor,
      verdict: isLost ? 'breaks-clients' : 'compatible',
      atServer: 'planned',
      note: isLost
        ? `Queries that say ${before.accessor} instead of ${before.name} stop working.`
        : 'Only code that is generated anew notices.'
    }
  ]
}

function primaryKeyChange(pair: TablePair): ChangeDraft {
  const { before, after } = pair
  const isAdded = before.primaryKey === undefined
  const isGone = after.primaryKey === undefined
  const draft = {
    kind: 'primary-key-changed',
    subject: { kind: 'table', name: before.name },
    what: isAdded ? 'primary key is added' : isGone ? 'primary key is removed' : 'primary key moves',
    before: before.primaryKey ?? 'none',
    after: after.primaryKey ?? 'none',
    atServer: 'planned'
  } as const
  if (isAdded || !isSeen(pair)) return { ...draft, verdict: 'compatible' }
  return { ...draft, verdict: 'breaks-clients', note: 'Clients tell updated rows by the primary key.' }
}

function scheduleChange({ before, after }: TablePair, comparison: Comparison): ChangeDraft[] {
  const text = (table: Table, schema: Schema) => table.schedule && scheduleText(table.schedule, table, schema)
  const earlier = text(before, comparison.before.schema)
  const later = text(after, comparison.after.schema)
  if (earlier === later) return []
  const kind = earlier === undefined ? 'added' : later === undefined ? 'removed' : 'changed'
  return [
    {
      kind: `schedule-${kind}`,
      subject: { kind: 'table', name: before.name },
      what: `schedule ${kind === 'changed' ? 'changes' : `is ${kind}`}`,
      before: earlier ?? 'none',
      after: later ?? 'none',
      verdict: 'manual',
      atServer: 'fails',
      note: 'The server plans it but cannot carry it out: schedules of existing tables cannot be changed.'
    }
  ]
}

function scheduleText(schedule: Schedule, table: Table, schema: Schema): string {
  const isProcedure = schema.procedures.some((procedure) => procedure.name === schedule.functionName)
  const position = table.columns.findIndex((column) => column.name === schedule.column)
  const by = `by column ${schedule.column} (${position + 1}) and ${table.primaryKey ?? 'no key'}`
  return `${schedule.name}: ${isProcedure ? 'procedure' : 'reducer'} ${schedule.functionName} ${by}`
}

/** All of a table, so that two different ones never read the same. */
function describeTable(table: Table, side: Side): string {
  const columns = table.columns.map((column) => {
    const marks = column.defaultValue === undefined ? '' : ' with a default'
    return `${column.name}: ${side.text(column.type)}${marks}`
  })
  const parts = [
    columns.join(', '),
    table.primaryKey && `primary key ${table.primaryKey}`,
    ...table.uniqueConstraints.map((constraint) => `unique ${constraint.columns.join(', ')}`).sort(),
    ...table.indexes.map((index) => `${index.algorithm} index on ${index.columns.join(', ')}`).sort(),
    ...table.sequences.map((sequence) => `auto-increment ${sequence.column}`).sort(),
    table.schedule && `schedule of ${table.schedule.functionName}`
  ]
  return parts.filter((part) => part !== undefined && part !== '').join('; ')
}
