import { inOneLine } from '../one-line.ts'
import { isSelect } from '../spacetimedb/sql-answer.ts'
import { type Check, type CheckKind, checkKinds, type Origin } from './check.ts'
import type { WrittenCheck } from './checks-schema.ts'

/** A check as it was written, and where. */
export type Draft = { readonly written: WrittenCheck; readonly origin: Origin }

/** Checks with what follows from how they were written: their kinds, names, needs, and whether they change data. */
export function checksOf(drafts: readonly Draft[]): Check[] {
  const names = namesOf(drafts.map(({ written }) => written))
  return drafts.map(({ written, origin }, index) => {
    const check = {
      kind: kindOf(written),
      name: names[index] ?? '',
      origin,
      needs: [written.needs ?? []].flat(),
      writes: written.writes || doesWrite(written),
      wanted: written
    }
    return check as Check
  })
}

function kindOf(written: WrittenCheck): CheckKind {
  const kind = checkKinds.find((each) => Object.hasOwn(written, each))
  if (kind === undefined) throw new Error('a check passed its schema without being of any kind')
  return kind
}

/** Whether a check changes data by what it does, whatever its author says. */
export function doesWrite(written: WrittenCheck): boolean {
  if ('sql' in written) return !isSelect(written.sql)
  return 'subscription' in written && written.call !== undefined
}

/** The author's names, and made ones for the rest: numbered where one is taken. */
function namesOf(checks: readonly WrittenCheck[]): string[] {
  const taken = new Set(checks.flatMap(({ name }) => name ?? []))
  return checks.map((written) => {
    if (written.name !== undefined) return written.name
    const name = firstFree(nameOf(written), taken)
    taken.add(name)
    return name
  })
}

function firstFree(name: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name} (${count})`
    if (!taken.has(candidate)) return candidate
  }
}

function nameOf(written: WrittenCheck): string {
  if ('ping' in written) return 'The server answers'
  if ('served-hash' in written) return 'The module is served'
  if ('reducer' in written) return `Call ${inOneLine(written.reducer)}`
  if ('procedure' in written) return `Call ${inOneLine(written.procedure)}`
  if ('sql' in written) return `${isSelect(written.sql) ? 'Ask' : 'Run'} ${inOneLine(written.sql)}`
  if ('subscription' in written) return `Subscribe to ${inOneLine([written.subscription].flat().join(', '))}`
  if ('http-route' in written) return `${written.method} ${inOneLine(written['http-route'])}`
  if ('log' in written) return 'Log'
  if ('metrics' in written)
    return written.metrics.reducer ? `Metrics of ${inOneLine(written.metrics.reducer)}` : 'Metrics'
  if ('connections' in written) return `${written.connections} connections`
  return `Load ${inOneLine(written.load)}`
}
