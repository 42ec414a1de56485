import type { AlgebraicType } from '../module/algebraic-type.ts'
import type { HttpRoute, Parameter, Procedure, Reducer, Schema } from '../module/schema.ts'
import { type Change, type ChangeDraft, makeChange, type Subject } from './change.ts'
import { byName, type Comparison, match, type Side } from './comparison.ts'

/** The server's plan looks at nothing that can be called (docs/server-behaviour.md, "Migrations"). */
const ignored = { atServer: 'ignored' } as const

const onlyOwner = 'It is private: only the owner and the module itself can call it.'
const onlyNewCode = 'Only code that is generated anew notices.'

/** What changes about the reducers that can be called; those of the lifecycle can't. */
export function reducerChanges(comparison: Comparison): Change[] {
  const { removed, added, kept } = match(
    callableReducers(comparison.before.schema),
    callableReducers(comparison.after.schema),
    byName
  )
  return [
    ...removed.map((reducer) => callableRemoved('reducer', reducer, signature(reducer, comparison.before))),
    ...added.map((reducer) => callableAdded('reducer', reducer, signature(reducer, comparison.after))),
    ...kept.flatMap(([before, after]) => [
      ...parametersChange('reducer', before, after, comparison),
      ...visibilityChange('reducer', before, after),
      ...reducerResultChange(before, after, comparison)
    ])
  ].map(makeChange)
}

/** What changes about the procedures. */
export function procedureChanges(comparison: Comparison): Change[] {
  const { before, after } = comparison
  const { removed, added, kept } = match(before.schema.procedures, after.schema.procedures, byName)
  return [
    ...removed.map((procedure) => callableRemoved('procedure', procedure, signature(procedure, before))),
    ...added.map((procedure) => callableAdded('procedure', procedure, signature(procedure, after))),
    ...kept.flatMap(([earlier, later]) => [
      ...parametersChange('procedure', earlier, later, comparison),
      ...visibilityChange('procedure', earlier, later),
      ...resultChange('procedure', earlier, earlier.returnType, later.returnType, comparison)
    ])
  ].map(makeChange)
}

function callableReducers(schema: Schema): readonly Reducer[] {
  const special = new Set(schema.lifecycle.map((lifecycle) => lifecycle.reducer))
  return schema.reducers.filter((reducer) => !special.has(reducer.name))
}

type CallableKind = 'reducer' | 'procedure'
type Callable = Reducer | Procedure

function signature(callable: Callable, side: Side): string {
  const result = 'returnType' in callable ? ` → ${side.text(callable.returnType)}` : ''
  return side.parametersText(callable.parameters) + result
}

function subjectOf(kind: CallableKind, callable: Callable): Subject {
  return { kind, name: callable.name }
}

function callableRemoved(kind: CallableKind, callable: Callable, before: string): ChangeDraft {
  const isPrivate = callable.visibility === 'private'
  return {
    kind: `${kind}-removed`,
    subject: subjectOf(kind, callable),
    what: `${kind} is removed`,
    before,
    verdict: isPrivate ? 'compatible' : 'breaks-clients',
    ...ignored,
    ...(isPrivate && { note: onlyOwner })
  }
}

function callableAdded(kind: CallableKind, callable: Callable, after: string): ChangeDraft {
  return {
    kind: `${kind}-added`,
    subject: subjectOf(kind, callable),
    what: `${kind} is added`,
    after,
    verdict: 'compatible',
    ...ignored
  }
}

function parametersChange(
  kind: CallableKind,
  before: Callable,
  after: Callable,
  comparison: Comparison
): ChangeDraft[] {
  const isSame = pairwise(before.parameters, after.parameters, comparison.same)
  const isRenamed = before.parameters.some((parameter, at) => parameter.name !== after.parameters[at]?.name)
  if (isSame && !isRenamed) return []
  const draft = {
    kind: `${kind}-parameters-changed`,
    subject: subjectOf(kind, before),
    what: 'parameters change',
    before: comparison.before.parametersText(before.parameters),
    after: comparison.after.parametersText(after.parameters),
    ...ignored
  } as const
  if (isSame) return [{ ...draft, what: 'parameters are renamed', verdict: 'compatible', note: onlyNewCode }]
  if (before.visibility === 'private') return [{ ...draft, verdict: 'compatible', note: onlyOwner }]
  if (pairwise(before.parameters, after.parameters, comparison.widens)) {
    return [{ ...draft, verdict: 'compatible', note: 'All that was sent so far is understood still.' }]
  }
  return [{ ...draft, verdict: 'breaks-clients' }]
}

function pairwise(
  before: readonly Parameter[],
  after: readonly Parameter[],
  isRelated: (before: AlgebraicType, after: AlgebraicType) => boolean
): boolean {
  return (
    before.length === after.length &&
    before.every((parameter, at) => {
      const other = after[at]
      return other !== undefined && isRelated(parameter.type, other.type)
    })
  )
}

function visibilityChange(kind: CallableKind, before: Callable, after: Callable): ChangeDraft[] {
  if (before.visibility === after.visibility) return []
  return [
    {
      kind: `${kind}-visibility-changed`,
      subject: subjectOf(kind, before),
      what: after.visibility === 'private' ? `${kind} becomes private` : `${kind} can be called by clients`,
      before: before.visibility,
      after: after.visibility,
      verdict: after.visibility === 'private' ? 'breaks-clients' : 'compatible',
      ...ignored
    }
  ]
}

/** What a reducer returns is known of some sources only. */
function reducerResultChange(before: Reducer, after: Reducer, comparison: Comparison): ChangeDraft[] {
  const changes = (['okType', 'errorType'] as const).flatMap((part) => {
    const earlier = before[part]
    const later = after[part]
    return earlier && later ? resultChange('reducer', before, earlier, later, comparison) : []
  })
  return changes.slice(0, 1)
}

function resultChange(
  kind: CallableKind,
  callable: Callable,
  before: AlgebraicType,
  after: AlgebraicType,
  comparison: Comparison
): ChangeDraft[] {
  if (comparison.same(before, after)) return []
  const draft = {
    kind: `${kind}-result-changed`,
    subject: subjectOf(kind, callable),
    what: 'result changes',
    before: comparison.before.text(before),
    after: comparison.after.text(after),
    ...ignored
  } as const
  if (callable.visibility === 'private') return [{ ...draft, verdict: 'compatible', note: onlyOwner }]
  if (comparison.narrows(after, before)) {
    return [{ ...draft, verdict: 'compatible', note: 'All that is returned from now on was possible before.' }]
  }
  return [{ ...draft, verdict: 'breaks-clients' }]
}

/** What changes about the HTTP routes. */
export function routeChanges({ before, after }: Comparison): Change[] {
  const keyOf = (route: HttpRoute) => `${route.method} ${route.path}`
  const subject = (route: HttpRoute) => ({ kind: 'http-route', name: keyOf(route) }) as const
  const { removed, added, kept } = match(before.schema.httpRoutes, after.schema.httpRoutes, keyOf)
  const drafts: ChangeDraft[] = [
    ...removed.map((route): ChangeDraft => {
      const common = { subject: subject(route), what: 'HTTP route is removed', before: route.handler, ...ignored }
      return { kind: 'http-route-removed', verdict: 'breaks-clients', ...common }
    }),
    ...added.map((route): ChangeDraft => {
      const common = { subject: subject(route), what: 'HTTP route is added', after: route.handler, ...ignored }
      return { kind: 'http-route-added', verdict: 'compatible', ...common }
    }),
    ...kept
      .filter(([earlier, later]) => earlier.handler !== later.handler)
      .map(([earlier, later]): ChangeDraft => {
        const common = { subject: subject(earlier), what: 'HTTP route has another handler', ...ignored }
        return {
          kind: 'http-handler-changed',
          verdict: 'compatible',
          ...common,
          ...texts(earlier.handler, later.handler)
        }
      })
  ]
  return drafts.map(makeChange)
}

/** What changes about the reducers that the server itself calls. */
export function lifecycleChanges({ before, after }: Comparison): Change[] {
  const { removed, added, kept } = match(before.schema.lifecycle, after.schema.lifecycle, (item) => item.event)
  const about = (event: string, what: string) =>
    ({ subject: { kind: 'lifecycle', name: event }, what: `reducer for ${event} ${what}`, ...ignored }) as const
  const drafts: ChangeDraft[] = [
    ...removed.map(({ event, reducer }): ChangeDraft => {
      return { kind: 'lifecycle-removed', verdict: 'compatible', before: reducer, ...about(event, 'is removed') }
    }),
    ...added.map(({ event, reducer }): ChangeDraft => {
      const note = event === 'init' ? 'It is not called for a database that exists.' : undefined
      return {
        kind: 'lifecycle-added',
        verdict: 'compatible',
        after: reducer,
        ...about(event, 'is added'),
        ...(note !== undefined && { note })
      }
    }),
    ...kept
      .filter(([earlier, later]) => earlier.reducer !== later.reducer)
      .map(([earlier, later]): ChangeDraft => {
        const common = { ...about(earlier.event, 'changes'), ...texts(earlier.reducer, later.reducer) }
        return { kind: 'lifecycle-changed', verdict: 'compatible', ...common }
      })
  ]
  return drafts.map(makeChange)
}

function texts(before: string, after: string) {
  return { before, after }
}
