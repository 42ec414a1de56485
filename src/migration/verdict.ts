/** What a release does to the clients that run now, from harmless to impossible (docs/verdicts.md). */
export const verdicts = ['none', 'compatible', 'breaks-clients', 'manual'] as const

export type Verdict = (typeof verdicts)[number]

/** The worse of some verdicts; `none` of none. */
export function worst(...given: readonly Verdict[]): Verdict {
  return verdicts[Math.max(0, ...given.map((verdict) => verdicts.indexOf(verdict)))] ?? 'none'
}

/** Something about the data that a step needs; it can be checked by SQL. */
export type Condition =
  | { readonly kind: 'table-empty'; readonly table: string }
  | { readonly kind: 'values-distinct'; readonly table: string; readonly columns: readonly string[] }
  | { readonly kind: 'sequence-range-free'; readonly table: string; readonly column: string }

/** Whether the old module can be published over the new one. */
export type Reversible = 'yes' | 'conditional' | 'no'
