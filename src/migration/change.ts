import { hash } from 'node:crypto'
import type { TypeObstacle } from './type-upgrade.ts'
import type { Condition, Verdict } from './verdict.ts'

/** One difference between the schema that is live and the one that would be. */
export type Change = ChangeKind & {
  /** Names this very change: another one, if only with another type, has another id. */
  readonly id: string
  readonly subject: Subject
  /** What happens, as a phrase: `column fee is added`. */
  readonly what: string
  readonly before?: string
  readonly after?: string
  readonly verdict: Verdict
  /** What must hold of the data for the server to be able to do it. */
  readonly conditions: readonly Condition[]
  readonly atServer: ServerTreatment
  /** For the reader: why the verdict, or what it does not cover. */
  readonly note?: string
}

/** What a change is about. The name of a route is its method and path, of a rule its SQL, of the module empty. */
export type Subject = { readonly kind: SubjectKind; readonly name: string }

export const subjectKinds = [
  'table',
  'view',
  'reducer',
  'procedure',
  'http-route',
  'lifecycle',
  'row-level-security',
  'type',
  'module'
] as const

export type SubjectKind = (typeof subjectKinds)[number]

/**
 * What the server does about a change: does not look at it, plans it, plans it and disconnects all clients, refuses
 * to plan it, or plans it and then always fails to carry it out (docs/server-behaviour.md, "Migrations").
 */
export const serverTreatments = ['ignored', 'planned', 'disconnects', 'refused', 'fails'] as const

export type ServerTreatment = (typeof serverTreatments)[number]

/** The changes by kind, with what only that kind has. */
export type ChangeKind =
  | { readonly kind: PlainChangeKind }
  | { readonly kind: 'column-added'; readonly column: string; readonly hasDefault: boolean }
  | { readonly kind: 'column-removed' | 'column-default-changed'; readonly column: string }
  /** Columns that both schemas have, at other places: `columns` in their earlier order. */
  | { readonly kind: 'columns-moved'; readonly columns: readonly string[] }
  | { readonly kind: 'column-type-changed'; readonly column: string; readonly obstacles: readonly TypeObstacle[] }
  | {
      readonly kind: 'unique-constraint-added' | 'unique-constraint-removed' | 'unique-constraint-changed'
      readonly constraint: string
      readonly columns: readonly string[]
    }
  | { readonly kind: 'index-added' | 'index-removed' | 'index-changed'; readonly index: string }
  | { readonly kind: 'index-renamed'; readonly index: string; readonly newName: string }
  | {
      readonly kind: 'index-accessor-changed'
      readonly index: string
      readonly accessor?: string
      readonly newAccessor?: string
    }
  | { readonly kind: 'sequence-added' | 'sequence-removed' | 'sequence-changed'; readonly sequence: string }

export const plainChangeKinds = [
  'table-added',
  'table-removed',
  'table-access-changed',
  'table-accessor-changed',
  'table-event-changed',
  'primary-key-changed',
  'schedule-added',
  'schedule-removed',
  'schedule-changed',
  'reducer-added',
  'reducer-removed',
  'reducer-parameters-changed',
  'reducer-visibility-changed',
  'reducer-result-changed',
  'procedure-added',
  'procedure-removed',
  'procedure-parameters-changed',
  'procedure-visibility-changed',
  'procedure-result-changed',
  'view-added',
  'view-removed',
  'view-parameters-changed',
  'view-rows-changed',
  'view-result-changed',
  'view-access-changed',
  'view-context-changed',
  'view-key-changed',
  'http-route-added',
  'http-route-removed',
  'http-handler-changed',
  'lifecycle-added',
  'lifecycle-removed',
  'lifecycle-changed',
  'row-level-security-added',
  'row-level-security-removed',
  'type-added',
  'type-removed',
  'type-changed',
  'unknown-parts'
] as const

export type PlainChangeKind = (typeof plainChangeKinds)[number]

/** A change without what follows from the rest of it. */
export type ChangeDraft = ChangeKind & Omit<Change, 'id' | 'kind' | 'conditions'> & Partial<Pick<Change, 'conditions'>>

/** Completes a change. */
export function makeChange(draft: ChangeDraft): Change {
  const { kind, subject, before, after } = draft
  const identity = JSON.stringify([kind, subject, detailsOf(draft), before, after])
  const digest = hash('sha256', identity, 'hex').slice(0, 12)
  return { ...draft, conditions: draft.conditions ?? [], id: `${kind}-${digest}` }
}

/** A change in one phrase, with what it is about: `table counter: column step is added`. */
export function changeText({ subject, what }: Change): string {
  return subject.kind === 'module' ? what : `${subject.kind.replaceAll('-', ' ')} ${subject.name}: ${what}`
}

/** What tells two changes of one kind and subject apart. */
function detailsOf(draft: ChangeDraft): unknown {
  switch (draft.kind) {
    case 'column-added':
    case 'column-removed':
    case 'column-default-changed':
    case 'column-type-changed':
      return draft.column
    case 'columns-moved':
      return draft.columns
    case 'unique-constraint-added':
    case 'unique-constraint-removed':
    case 'unique-constraint-changed':
      return draft.constraint
    case 'index-added':
    case 'index-removed':
    case 'index-changed':
    case 'index-renamed':
    case 'index-accessor-changed':
      return draft.index
    case 'sequence-added':
    case 'sequence-removed':
    case 'sequence-changed':
      return draft.sequence
    default:
      return null
  }
}
