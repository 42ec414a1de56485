import type { Environment } from '../../src/action/inputs.ts'
import type { Outcome } from '../../src/action/run.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { countsOf, failuresOf, hasPassed, type SmokeReport } from '../../src/smoke/check-report.ts'
import type { CheckPlace } from '../../src/smoke/place.ts'
import { renderSmoke } from '../../src/smoke/report/summary.ts'
import { annotateFailures, failureText, outputsOfChecks } from '../checking.ts'
import type { spec } from './spec.ts'

/** Writes the files and the summary, annotates failures, and answers how the step ends. */
export async function conclude(
  report: SmokeReport,
  folder: string,
  environment: Environment,
  { isThrowAway }: Pick<CheckPlace, 'isThrowAway'>
): Promise<Outcome<typeof spec>> {
  const hasCommands = failuresOf(report).some(({ byHand }) => byHand !== undefined)
  await writeSummary(renderSmoke(report) + (isThrowAway && hasCommands ? serverIsGone : ''), environment)
  annotateFailures(report, environment)
  const outputs = {
    result: hasPassed(report) ? ('passed' as const) : ('failed' as const),
    ...(await outputsOfChecks(report, folder)),
    moduleHash: report.moduleHash
  }
  return { outputs, ...failingOf(report) }
}

const serverIsGone =
  '\nThe commands to run a check by hand name the throw-away server, which is gone: put the URL and the database of a server that runs in their place.\n'

function failingOf(report: SmokeReport): Pick<Outcome<typeof spec>, 'failure'> {
  if (hasPassed(report)) return {}
  const failures = failuresOf(report)
  if (failures.length === 0) {
    const message = 'The job was cancelled before all was checked. What was checked until then had passed.'
    return { failure: { title: 'smoke-test: cancelled', message } }
  }
  const list = failures.map((failure) => `- ${failure.check.name}: ${failureText(failure).replace(/\n/g, '\n  ')}`)
  const { passed, failed } = countsOf(report)
  const soaked = report.soak?.kind === 'failed' ? ', during the soak' : ''
  const message = `${failed} of ${passed + failed} checks failed${soaked}:\n${list.join('\n')}`
  return { failure: { title: 'smoke-test: failed', message } }
}
