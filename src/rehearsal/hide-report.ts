import type { Narrator, Step } from '../journal.ts'
import type { Deployment } from '../release/deployment.ts'
import type { CheckReport, Outcome, SmokeReport } from '../smoke/check-report.ts'
import type { LoadFigures } from '../smoke/load-figures.ts'

/** Takes out of a text what nobody may see. */
export type Hide = (text: string) => string

/** What servers and modules say, without what was copied: a violated constraint is told with its value. */
export function hideInDeployment(deployment: Deployment, hide: Hide): Deployment {
  const { reason, steps } = deployment
  return {
    ...deployment,
    ...(reason !== undefined && { reason: hide(reason) }),
    steps: steps.map((step) => hideInStep(step, hide))
  }
}

export function hideInSmokeReport(report: SmokeReport, hide: Hide): SmokeReport {
  return { ...report, reports: report.reports.map((each) => hideInCheckReport(each, hide)) }
}

export function hideInCheckReport(report: CheckReport, hide: Hide): CheckReport {
  const { outcome, logLines, load } = report
  return {
    ...report,
    outcome: hideInOutcome(outcome, hide),
    logLines: logLines.map((line) => ({ ...line, message: hide(line.message) })),
    ...(load && { load: hideInLoad(load, hide) })
  }
}

function hideInLoad(load: LoadFigures, hide: Hide): LoadFigures {
  return { ...load, reasons: load.reasons.map(({ reason, count }) => ({ reason: hide(reason), count })) }
}

function hideInOutcome(outcome: Outcome, hide: Hide): Outcome {
  switch (outcome.kind) {
    case 'passed':
      return { ...outcome, detail: hide(outcome.detail) }
    case 'failed':
      return { ...outcome, expected: hide(outcome.expected), actual: hide(outcome.actual) }
    default:
      return { ...outcome, reason: hide(outcome.reason) }
  }
}

export function hidingNarrator(narrator: Narrator, hide: Hide): Narrator {
  return {
    begin: (step) => narrator.begin(hide(step)),
    end: (step) => narrator.end(hideInStep(step, hide)),
    tell: (text) => narrator.tell(hide(text)),
    warn: (text) => narrator.warn(hide(text))
  }
}

function hideInStep(step: Step, hide: Hide): Step {
  return { ...step, name: hide(step.name), detail: hide(step.detail) }
}
