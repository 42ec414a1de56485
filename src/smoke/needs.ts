import { inOneLine } from '../one-line.ts'
import type { Check, CheckKind } from './check.ts'
import { knownNames } from './did-you-mean.ts'

/** When checks of a kind begin: those of a stage wait for all stages before, but `watching` begins at once and ends after `loading`. */
export type Stage = 'asking' | 'loading' | 'watching' | 'concluding'

const stages: readonly Stage[] = ['asking', 'loading', 'watching', 'concluding']

/** The stage of a run that checks of a kind belong to. */
export function stageOf(kind: CheckKind): Stage {
  switch (kind) {
    case 'load':
    case 'connections':
      return 'loading'
    case 'metrics':
      return 'watching'
    case 'log':
      return 'concluding'
    default:
      return 'asking'
  }
}

/** What the order of checks depends on. */
export type Node = Pick<Check, 'name' | 'kind' | 'needs'>

/** The checks in an order in which each comes after those that it needs, and otherwise as they were; without those in circles. */
export function inOrderOfNeeds<Each extends Pick<Node, 'name' | 'needs'>>(checks: readonly Each[]): Each[] {
  const known = new Set(checks.map(({ name }) => name))
  const missing = new Map(checks.map(({ name, needs }) => [name, new Set(needs.filter((need) => known.has(need)))]))
  const needing = new Map<string, Each[]>()
  for (const check of checks) {
    for (const need of check.needs) needing.set(need, [...(needing.get(need) ?? []), check])
  }
  const sorted = checks.filter(({ name }) => missing.get(name)?.size === 0)
  for (const { name } of sorted) {
    for (const next of needing.get(name) ?? []) {
      const rest = missing.get(next.name)
      if (rest?.delete(name) && rest.size === 0) sorted.push(next)
    }
  }
  return sorted
}

/** A need that can't be met: of which check, which of its needs, and what is wrong with it. */
export type Mistake = { readonly check: number; readonly need: number; readonly message: string }

/** The needs that can't be met: of checks that there are not, that begin later, or that wait for each other. */
export function needsMistakes(checks: readonly Node[]): Mistake[] {
  const byName = new Map(checks.map((check) => [check.name, check]))
  const single = checks.flatMap((check, index) =>
    check.needs.flatMap((name, need) => {
      const message = objectionTo(check, name, byName)
      return message === undefined ? [] : [{ check: index, need, message }]
    })
  )
  return single.length > 0 ? single : circleIn(checks)
}

function objectionTo(check: Node, name: string, byName: ReadonlyMap<string, Node>): string | undefined {
  if (name === check.name) return `The check \`${name}\` needs itself, so that it could never begin.`
  const needed = byName.get(name)
  if (needed === undefined) {
    const others = [...byName.keys()].filter((each) => each !== check.name)
    return `No other check has the name \`${inOneLine(name)}\`. ${knownNames(name, others)}`
  }
  if (stages.indexOf(stageOf(needed.kind)) <= stages.indexOf(stageOf(check.kind))) return undefined
  return (
    `\`${check.name}\` can't need \`${name}\`: a check of the kind \`${needed.kind}\` begins ` +
    `${beginning[stageOf(needed.kind)]}.`
  )
}

const beginning: Readonly<Record<Stage, string>> = {
  asking: 'first',
  loading: 'when all others but `metrics` and `log` are over',
  watching: 'first, but is over only after those of `load` and `connections`',
  concluding: 'last of all'
}

/** One circle, told at the first of its checks. */
function circleIn(checks: readonly Node[]): Mistake[] {
  const free = new Set(inOrderOfNeeds(checks).map(({ name }) => name))
  const stuck = new Map(checks.filter(({ name }) => !free.has(name)).map((check) => [check.name, check]))
  const way: string[] = []
  for (let name = [...stuck.keys()][0]; name !== undefined; ) {
    const before = way.indexOf(name)
    if (before !== -1) return [circleMistake(checks, way.slice(before))]
    way.push(name)
    name = stuck.get(name)?.needs.find((need) => stuck.has(need))
  }
  return []
}

function circleMistake(checks: readonly Node[], circle: readonly string[]): Mistake {
  const check = checks.findIndex(({ name }) => circle.includes(name))
  const start = circle.indexOf(checks[check]?.name ?? '')
  const [first = '', ...others] = [...circle.slice(start), ...circle.slice(0, start), circle[start] ?? '']
  const need = checks[check]?.needs.indexOf(others[0] ?? '') ?? 0
  const message = `These wait for each other, so that none could begin: \`${first}\` needs ${others.map((name) => `\`${name}\``).join(', which needs ')}.`
  return { check, need, message }
}
