import { inOneLine } from '../one-line.ts'
import type { CheckReport, Outcome, SmokeReport } from '../smoke/check-report.ts'

/** The checks that failed or could not run. */
export function failedChecks({ reports }: SmokeReport): readonly CheckReport[] {
  return reports.filter(({ outcome }) => outcome.kind === 'failed' || outcome.kind === 'not-run')
}

/** The checks that failed and why, as the end of a sentence. */
export function failuresIn(report: SmokeReport): string {
  return failedChecks(report)
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
