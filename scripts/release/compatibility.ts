import { isDeepStrictEqual } from 'node:util'
import type { ActionInterface, InputInterface, Interface } from './interface.ts'

/**
 * Something that a workflow written for the version before may not survive. `breaks` surely can; of `changed` a person
 * has to judge whether it does.
 */
export type Difference = { readonly kind: 'breaks' | 'changed'; readonly what: string }

/** What is different to the interface of a release, for those who rely on that; what was only added is not told. */
export function differencesTo(before: Interface, now: Interface): Difference[] {
  return Object.entries(before.actions).flatMap(([name, action]) => {
    const current = now.actions[name]
    if (current === undefined) return [breaks(`the action ${name} is gone`)]
    const found = [
      ...inputDifferences(action, current),
      ...outputDifferences(action, current),
      ...permissionDifferences(action, current)
    ]
    return found.map(({ kind, what }) => ({ kind, what: `${name}: ${what}` }))
  })
}

function inputDifferences(before: ActionInterface, now: ActionInterface): Difference[] {
  const kept = Object.entries(before.inputs).flatMap(([name, input]) => {
    const current = now.inputs[name]
    return current === undefined ? [breaks(`the input ${name} is gone`)] : changesOfInput(name, input, current)
  })
  const added = Object.entries(now.inputs).filter(([name]) => !(name in before.inputs))
  const demanded = added.filter(([, { required }]) => required)
  return [...kept, ...demanded.map(([name]) => breaks(`the new input ${name} is required`))]
}

function changesOfInput(name: string, before: InputInterface, now: InputInterface): Difference[] {
  const found: Difference[] = []
  if (now.required && !before.required) found.push(breaks(`the input ${name} is required now`))
  if (now.default !== before.default) {
    const [was, is] = [before.default, now.default].map((value) => (value === undefined ? 'nothing' : `"${value}"`))
    found.push(breaks(`the input ${name} is ${is} by default, and was ${was}`))
  }
  if (before.secret && !now.secret) found.push(breaks(`the input ${name} is not masked any more`))
  return [...found, ...changesOfValues(name, before, now)]
}

function changesOfValues(name: string, before: InputInterface, now: InputInterface): Difference[] {
  if (isDeepStrictEqual(before.schema, now.schema) && before.allowed === now.allowed) return []
  if (before.schema.enum === undefined || now.schema.enum === undefined) {
    return [changed(`the input ${name} allows ${now.allowed}, and did ${before.allowed}`)]
  }
  const gone = missing(before.schema.enum, now.schema.enum)
  return gone.length === 0 ? [] : [breaks(`the input ${name} does not allow ${gone.join(', ')} any more`)]
}

function outputDifferences(before: ActionInterface, now: ActionInterface): Difference[] {
  return Object.entries(before.outputs).flatMap(([name, { values }]) => {
    const current = now.outputs[name]
    if (current === undefined) return [breaks(`the output ${name} is gone`)]
    if (values === undefined) return []
    if (current.values === undefined) return [breaks(`the output ${name} is not one of ${values.join(', ')} any more`)]
    const gone = missing(values, current.values)
    const added = missing(current.values, values)
    return [
      ...(gone.length > 0 ? [breaks(`the output ${name} is never ${gone.join(', ')} any more`)] : []),
      ...(added.length > 0 ? [changed(`the output ${name} may be ${added.join(', ')} too`)] : [])
    ]
  })
}

function permissionDifferences(before: ActionInterface, now: ActionInterface): Difference[] {
  return Object.entries(now.permissions).flatMap(([name, access]) => {
    const had = before.permissions[name]
    if (had === access || had === 'write') return []
    return had === undefined
      ? [changed(`it uses the permission ${name}: ${access}`)]
      : [breaks(`it needs the permission ${name}: ${access}, and did with ${had}`)]
  })
}

function missing(of: readonly string[], from: readonly string[]): string[] {
  return of.filter((value) => !from.includes(value))
}

function breaks(what: string): Difference {
  return { kind: 'breaks', what }
}

function changed(what: string): Difference {
  return { kind: 'changed', what }
}

/** A change that somebody has judged: existing workflows do as before. */
export type Accepted = { readonly change: string; readonly why: string }

/** What forbids to release an interface as a version: a line for each, with what to do. Nothing does in a new major version. */
export function objections(before: Interface, now: Interface, accepted: readonly Accepted[]): string[] {
  if (majorOf(now.version) > majorOf(before.version)) return []
  const differences = differencesTo(before, now)
  const found = differences.flatMap(({ kind, what }) => {
    if (kind === 'breaks') return [`${what}: that breaks workflows, and needs a new major version`]
    if (accepted.some(({ change }) => change === what)) return []
    return [
      `${what}: if workflows do as before, say why in actions/accepted-changes.json; else it needs a new major version`
    ]
  })
  const idle = accepted.filter(
    ({ change }) => !differences.some(({ kind, what }) => kind === 'changed' && what === change)
  )
  return [...found, ...idle.map(({ change }) => `accepted-changes.json accepts what did not happen: ${change}`)]
}

function majorOf(version: string): number {
  return Number(version.split('.')[0])
}
