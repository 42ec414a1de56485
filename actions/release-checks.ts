import type { CheckInputs } from '../src/action/check-inputs.ts'
import type { Environment } from '../src/action/inputs.ts'
import { writeSummary } from '../src/action/summary.ts'
import type { ReleaseChecks } from '../src/release/checks.ts'
import type { Deployment } from '../src/release/deployment.ts'
import { hasPassed } from '../src/smoke/check-report.ts'
import { blocking } from '../src/smoke/preflight.ts'
import { renderSmoke } from '../src/smoke/report/summary.ts'
import { annotateFailures, annotateObjections, checksIn, loadHostsIn, outputsOfChecks } from './checking.ts'

export { makeReportFolder, tellCheck } from './checking.ts'

/** What the inputs say to check of the release. Throws a `ConfigurationError` for what is wrong in a file of checks. */
export async function releaseChecksIn(inputs: CheckInputs): Promise<ReleaseChecks> {
  const { soak, allowWrites } = inputs
  return { checks: await checksIn(inputs), soak, allowWrites, allowedLoadHosts: loadHostsIn(inputs) }
}

/** Adds to the summary what the checks found, annotates what they found wrong, and answers the outputs about them. */
export async function reportChecks(
  { smoke, objections = [] }: Deployment,
  folder: string,
  environment: Environment
): Promise<Partial<Awaited<ReturnType<typeof outputsOfChecks>>>> {
  if (smoke === undefined) {
    annotateObjections(blocking(objections), environment)
    return {}
  }
  await writeSummary(renderSmoke(smoke), environment)
  annotateFailures(smoke, environment)
  return outputsOfChecks(smoke, folder)
}

/**
 * As `reportChecks`, but of checks that failed their part of the summary is answered, and of others nothing is shown: for a
 * release of many databases.
 */
export async function reportFailedChecks(
  { smoke, objections = [] }: Deployment,
  folder: string,
  environment: Environment
): Promise<string | undefined> {
  if (smoke === undefined) {
    annotateObjections(blocking(objections), environment)
    return undefined
  }
  annotateFailures(smoke, environment)
  await outputsOfChecks(smoke, folder)
  return hasPassed(smoke) ? undefined : renderSmoke(smoke)
}
