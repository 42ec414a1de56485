import type { Change } from './change.ts'
import { verdictOf } from './diff.ts'
import { verdicts } from './verdict.ts'

/** The changes by subject, the subjects by the worst that happens to them. */
export function worstFirst(changes: readonly Change[]): readonly Change[] {
  const groups = new Map<string, Change[]>()
  for (const change of changes) {
    const key = `${change.subject.kind} ${change.subject.name}`
    const group = groups.get(key) ?? []
    group.push(change)
    groups.set(key, group)
  }
  const ranked = [...groups.values()].map((group) => [verdicts.indexOf(verdictOf(group)), group] as const)
  return ranked.sort(([one], [other]) => other - one).flatMap(([, group]) => group)
}
