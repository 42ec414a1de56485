import type { AlgebraicType, Element } from '../module/algebraic-type.ts'
import type { View } from '../module/schema.ts'
import { type Change, type ChangeDraft, makeChange } from './change.ts'
import { byName, type Comparison, match, type Side } from './comparison.ts'
import { resolve } from './type-structure.ts'

/** What the server does to make a view anew. */
const anew = {
  verdict: 'breaks-clients',
  atServer: 'disconnects',
  note: 'The server makes the view anew and disconnects all clients.'
} as const

/** What changes about the views. */
export function viewChanges(comparison: Comparison): Change[] {
  const { before, after } = comparison
  const { removed, added, kept } = match(before.schema.views, after.schema.views, byName)
  const drafts = [
    ...removed.map((view) => viewRemoved(view, before)),
    ...added.map((view) => viewAdded(view, after)),
    ...kept.flatMap(([earlier, later]) => [
      ...shapeChanges(earlier, later, comparison),
      ...accessChange(earlier, later),
      ...contextChange(earlier, later),
      ...keyChange(earlier, later)
    ])
  ]
  return drafts.map(makeChange)
}

function subjectOf(view: View) {
  return { kind: 'view', name: view.name } as const
}

function viewText(view: View, side: Side): string {
  return `${side.parametersText(view.parameters)} → ${side.text(view.returnType)}`
}

function viewRemoved(view: View, side: Side): ChangeDraft {
  return {
    kind: 'view-removed',
    subject: subjectOf(view),
    what: 'view is removed',
    before: viewText(view, side),
    ...anew,
    note: 'The server disconnects all clients.'
  }
}

function viewAdded(view: View, side: Side): ChangeDraft {
  return {
    kind: 'view-added',
    subject: subjectOf(view),
    what: 'view is added',
    after: viewText(view, side),
    verdict: 'compatible',
    atServer: 'planned'
  }
}

/** The server compares the rows' columns and the parameters; whether there is a list or at most one it does not. */
function shapeChanges(before: View, after: View, comparison: Comparison): ChangeDraft[] {
  const drafts: ChangeDraft[] = []
  const subject = subjectOf(before)
  if (!isSameProduct(before.parameters, after.parameters, comparison)) {
    drafts.push({
      kind: 'view-parameters-changed',
      subject,
      what: 'parameters change',
      before: comparison.before.parametersText(before.parameters),
      after: comparison.after.parametersText(after.parameters),
      ...anew
    })
  }
  const earlier = viewResult(before, comparison.before)
  const later = viewResult(after, comparison.after)
  if (!comparison.same(earlier.row, later.row)) {
    drafts.push({
      kind: 'view-rows-changed',
      subject,
      what: 'rows change',
      before: comparison.before.text(earlier.row),
      after: comparison.after.text(later.row),
      ...anew
    })
  }
  if (earlier.shape !== later.shape) {
    drafts.push({
      kind: 'view-result-changed',
      subject,
      what: `view returns ${later.shape}`,
      before: earlier.shape,
      after: later.shape,
      verdict: 'compatible',
      atServer: 'ignored',
      note: 'Clients see rows either way.'
    })
  }
  return drafts
}

function isSameProduct(before: readonly Element[], after: readonly Element[], comparison: Comparison): boolean {
  return comparison.same({ kind: 'product', elements: before }, { kind: 'product', elements: after })
}

type ViewResult = { readonly shape: 'a list' | 'at most one row' | 'a query'; readonly row: AlgebraicType }

/** Views return a list of rows, an option of one, or a query of them: a product with one reserved field. */
export function viewResult(view: View, { schema }: Pick<Side, 'schema'>): ViewResult {
  const type = resolve(view.returnType, schema.typespace)
  if (type.kind === 'array') return { shape: 'a list', row: type.element }
  if (type.kind === 'sum' && type.variants[0]) return { shape: 'at most one row', row: type.variants[0].type }
  const [only] = type.kind === 'product' ? type.elements : []
  if (only?.name === '__query__') return { shape: 'a query', row: only.type }
  return { shape: 'a list', row: type }
}

function accessChange(before: View, after: View): ChangeDraft[] {
  if (before.isPublic === after.isPublic) return []
  const text = (view: View) => (view.isPublic ? 'public' : 'private')
  return [
    {
      kind: 'view-access-changed',
      subject: subjectOf(before),
      what: `view becomes ${text(after)}`,
      before: text(before),
      after: text(after),
      verdict: after.isPublic ? 'compatible' : 'breaks-clients',
      atServer: 'planned'
    }
  ]
}

function contextChange(before: View, after: View): ChangeDraft[] {
  if (before.isAnonymous === after.isAnonymous) return []
  const text = (view: View) => (view.isAnonymous ? 'the same for everyone' : 'depends on the client')
  return [
    {
      kind: 'view-context-changed',
      subject: subjectOf(before),
      what: after.isAnonymous ? 'view is the same for everyone' : 'view depends on the client',
      before: text(before),
      after: text(after),
      ...anew
    }
  ]
}

function keyChange(before: View, after: View): ChangeDraft[] {
  const text = (view: View) => view.primaryKey?.join(', ') || 'none'
  if (text(before) === text(after)) return []
  return [
    {
      kind: 'view-key-changed',
      subject: subjectOf(before),
      what: 'primary key changes',
      before: text(before),
      after: text(after),
      ...anew
    }
  ]
}
