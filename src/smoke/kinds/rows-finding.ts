import type { Finding } from '../check-report.ts'
import type { Comparison } from '../comparison.ts'

/** A comparison of rows as the finding of a check. */
export function findingOfRows(comparison: Comparison, detail: string): Finding {
  switch (comparison.kind) {
    case 'holds':
      return { kind: 'passed', detail }
    case 'differs':
      return { kind: 'failed', expected: comparison.expected, actual: comparison.actual }
    case 'mistake':
      return { kind: 'not-run', reason: comparison.reason, final: true }
  }
}

/** The finding when the server refuses a query: it is wrong, or its table is missing, or private to who asks. */
export function refusedQuery(query: 'statement' | 'subscription', reason: string, as: 'owner' | 'anonymous'): Finding {
  const advice = as === 'anonymous' && /private/.test(reason) ? ' With `as: owner` the owner of the database asks.' : ''
  return { kind: 'not-run', reason: `The server refuses the ${query}: ${reason}${advice}`, final: true }
}
