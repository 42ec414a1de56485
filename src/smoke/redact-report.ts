import { keepSecrets } from '../spacetimedb/secrets.ts'
import { isSecretHeader } from './by-hand.ts'
import type { Check } from './check.ts'
import type { CheckReport, Outcome } from './check-report.ts'

/** Shorter ones stand in any text. */
const shortestSecret = 6

/**
 * A report without anything that looks like a token, nor what the check sends in headers that may be secret: log lines,
 * rows, answers and errors are whatever a module puts into them, and reports are read by many.
 */
export function redactReport(report: CheckReport): CheckReport {
  const { redact, add } = keepSecrets(() => {})
  for (const secret of secretsOf(report.check)) add(secret)
  const { outcome, load, logLines } = report
  return {
    ...report,
    outcome: redactOutcome(outcome, redact),
    ...(load && {
      load: { ...load, reasons: load.reasons.map((each) => ({ ...each, reason: redact(each.reason) })) }
    }),
    logLines: logLines.map((line) => ({ ...line, message: redact(line.message) }))
  }
}

function secretsOf({ wanted }: Check): string[] {
  if (!('http-route' in wanted)) return []
  return Object.entries(wanted.headers)
    .filter(([name]) => isSecretHeader(name))
    .flatMap(([, value]) => [value, value.replace(/^(Bearer|Basic) +/i, '')])
    .filter((secret) => secret.length >= shortestSecret)
}

function redactOutcome(outcome: Outcome, redact: (text: string) => string): Outcome {
  switch (outcome.kind) {
    case 'passed':
      return { ...outcome, detail: redact(outcome.detail) }
    case 'failed':
      return { ...outcome, expected: redact(outcome.expected), actual: redact(outcome.actual) }
    case 'not-run':
    case 'skipped':
      return { ...outcome, reason: redact(outcome.reason) }
  }
}
