import type { Schema } from '../module/schema.ts'
import { type Change, makeChange, type SubjectKind } from './change.ts'
import { compareSchemas } from './comparison.ts'
import { lifecycleChanges, procedureChanges, reducerChanges, routeChanges } from './diff-callables.ts'
import { tableChanges } from './diff-tables.ts'
import { typeChanges } from './diff-types.ts'
import { viewChanges } from './diff-views.ts'
import { type Verdict, worst } from './verdict.ts'

/**
 * What changes when a module with one schema is replaced by a module with another, judged for the clients that run
 * now (docs/verdicts.md). Every change is there once, in an order that follows from the changes alone. Conditions on
 * the data are named only when nothing else stands in the way.
 */
export function diffSchemas(before: Schema, after: Schema): Change[] {
  if (before === after) return []
  const comparison = compareSchemas(before, after)
  const changes = [
    ...tableChanges(comparison),
    ...viewChanges(comparison),
    ...reducerChanges(comparison),
    ...procedureChanges(comparison),
    ...routeChanges(comparison),
    ...lifecycleChanges(comparison),
    ...ruleChanges(before, after),
    ...typeChanges(comparison),
    ...unknownParts(before, after)
  ]
  return inOrder(withoutMootConditions(changes))
}

/** The worst of what some changes do; `none` of none. */
export function verdictOf(changes: readonly Change[]): Verdict {
  return changes.reduce<Verdict>((verdict, change) => worst(verdict, change.verdict), 'none')
}

function withoutMootConditions(changes: readonly Change[]): Change[] {
  const isPossible = verdictOf(changes) !== 'manual'
  return changes.map((change) =>
    isPossible || change.conditions.length === 0 ? change : { ...change, conditions: [] }
  )
}

function ruleChanges(before: Schema, after: Schema): Change[] {
  const earlier = new Set(before.rowLevelSecurity)
  const later = new Set(after.rowLevelSecurity)
  const note = 'The server disconnects all clients; what each may see changes.'
  const common = { verdict: 'breaks-clients', atServer: 'disconnects', note } as const
  const removed = [...earlier].filter((sql) => !later.has(sql))
  const added = [...later].filter((sql) => !earlier.has(sql))
  return [
    ...removed.map((sql) =>
      makeChange({
        kind: 'row-level-security-removed',
        subject: { kind: 'row-level-security', name: sql },
        what: 'row-level security rule is removed',
        before: sql,
        ...common
      })
    ),
    ...added.map((sql) =>
      makeChange({
        kind: 'row-level-security-added',
        subject: { kind: 'row-level-security', name: sql },
        what: 'row-level security rule is added',
        after: sql,
        ...common
      })
    )
  ]
}

/** What this code can't read could be anything, also where both schemas have it. */
function unknownParts(before: Schema, after: Schema): Change[] {
  const parts = (schema: Schema) => [...new Set(schema.unknownParts)].sort().join(', ')
  if (parts(before) === '' && parts(after) === '') return []
  return [
    makeChange({
      kind: 'unknown-parts',
      subject: { kind: 'module', name: '' },
      what: 'parts that this version does not know could not be compared',
      before: parts(before) || 'none',
      after: parts(after) || 'none',
      verdict: 'breaks-clients',
      atServer: 'ignored',
      note: 'The module or the server is newer than this action: update the action to have them compared.'
    })
  ]
}

/** In an order that follows from the changes alone. */
function inOrder(changes: readonly Change[]): Change[] {
  const keyed = changes.map((change) => [sortKey(change), change] as const)
  return keyed.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)).map(([, change]) => change)
}

/** By subject, tables first; within a subject by kind and id. */
function sortKey(change: Change): string {
  const rank = subjectRanks[change.subject.kind]
  return `${rank}${change.subject.name}\0${change.kind}\0${change.id}`
}

/** Where the changes about something stand: one character each. */
const subjectRanks: Readonly<Record<SubjectKind, string>> = {
  table: '0',
  view: '1',
  reducer: '2',
  procedure: '3',
  'http-route': '4',
  lifecycle: '5',
  'row-level-security': '6',
  type: '7',
  module: '8'
}
