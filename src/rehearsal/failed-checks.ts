import { inOneLine } from '../one-line.ts'
import { failuresOf, type Outcome, type SmokeReport } from '../smoke/check-report.ts'

/** The checks that failed and why, as the end of a sentence. */
export function failuresIn(report: SmokeReport): string {
  return failuresOf(report)
    .map(({ check, outcome }) => `${check.name} (${whyIn(outcome)})`)
    .join(', ')
}

function whyIn(outcome: Outcome): string {
  if (outcome.kind === 'failed') {
    return `expected: ${inOneLine(outcome.expected, longest)}, found: ${inOneLine(outcome.actual, longest)}`
  }
  return 'reason' in outcome ? inOneLine(outcome.reason, longest) : ''
}

/** In characters, of one text. */
const longest = 300
