import type { Finding } from '../check-report.ts'

/** Something that had to be kept and was not: short texts, to be read one under the other. */
export type Breach = { readonly expected: string; readonly actual: string }

/** What has failed by these; `undefined` where there are none. */
export function failedBy(breaches: readonly Breach[]): (Finding & { kind: 'failed' }) | undefined {
  if (breaches.length === 0) return undefined
  const all = (side: keyof Breach) => breaches.map((breach) => breach[side]).join(', ')
  return { kind: 'failed', expected: all('expected'), actual: all('actual') }
}
