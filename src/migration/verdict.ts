/** What a release does to the clients that run now, from harmless to impossible (docs/verdicts.md). */
export const verdicts = ['none', 'compatible', 'breaks-clients', 'manual'] as const

export type Verdict = (typeof verdicts)[number]

/** The worse of some verdicts; `none` of none. */
export function worst(...given: readonly Verdict[]): Verdict {
  let rank = 0
  for (const verdict of given) rank = Math.max(rank, verdicts.indexOf(verdict))
  return verdicts[rank] ?? 'none'
}

/** Something about the data that a step needs; it can be checked by SQL. */
export type Condition =
  | { readonly kind: 'table-empty'; readonly table: string }
  /** A column that is unique from now on gets one value in all rows. */
  | { readonly kind: 'at-most-one-row'; readonly table: string }
  | { readonly kind: 'values-distinct'; readonly table: string; readonly columns: readonly string[] }
  /** No row holds a value that the sequence could give: from `from` to `to` (the type's largest when absent). */
  | {
      readonly kind: 'sequence-range-free'
      readonly table: string
      readonly column: string
      /** Decimal digits: it may not fit a double. */
      readonly from: string
      readonly to?: string
    }

/** Whether the old module can be published over the new one. */
export type Reversible = 'yes' | 'conditional' | 'no'
