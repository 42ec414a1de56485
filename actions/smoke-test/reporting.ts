import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { type Annotation, annotate, warn } from '../../src/action/annotations.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { elapsedText } from '../../src/duration.ts'
import { ConfigurationError, messageOf } from '../../src/errors.ts'
import type { Check, Checks } from '../../src/smoke/check.ts'
import { type CheckReport, countsOf, hasPassed, type SmokeReport } from '../../src/smoke/check-report.ts'
import { type Circumstances, objections } from '../../src/smoke/preflight.ts'
import { reportJson } from '../../src/smoke/report/json.ts'
import { junitXml } from '../../src/smoke/report/junit.ts'
import { renderSmoke } from '../../src/smoke/report/summary.ts'
import type { spec } from './spec.ts'

/** Makes the folder for the reports. Throws a `ConfigurationError` when that can't be. */
export async function makeReportFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new ConfigurationError(
      `The folder for the reports can't be made: ${messageOf(error)}. Correct the input \`report-folder\`, or leave it out.`
    )
  })
}

/** Tells the log of a check that is over. */
export function tellCheck(report: CheckReport): void {
  log(lineOf(report))
}

function lineOf({ check, outcome, milliseconds, tries }: CheckReport): string {
  const took = `${elapsedText(milliseconds)}${tries > 1 ? `, ${tries} tries` : ''}`
  switch (outcome.kind) {
    case 'passed':
      return `✓ ${check.name} (${took})${outcome.detail === '' ? '' : `: ${outcome.detail}`}`
    case 'failed':
      return `✗ ${check.name} (${took})\n    expected: ${outcome.expected}\n    actual:   ${outcome.actual}`
    case 'not-run':
      return `✗ ${check.name} could not run (${took}): ${outcome.reason}`
    case 'skipped':
      return `– ${check.name} is skipped: ${outcome.reason}`
  }
}

/** Writes the files and the summary, annotates failures, and answers how the step ends. */
export async function conclude(
  report: SmokeReport,
  folder: string,
  environment: Environment
): Promise<Outcome<typeof spec>> {
  await writeSummary(renderSmoke(report), environment)
  const files = await writeFiles(report, folder)
  const failures = failuresOf(report)
  annotate(failures.map((failure) => annotationOf(failure.check, textOf(failure), environment)))
  const counts = countsOf(report)
  const outputs = {
    result: hasPassed(report) ? ('passed' as const) : ('failed' as const),
    passed: String(counts.passed),
    failed: String(counts.failed),
    skipped: String(counts.skipped),
    ...files,
    p95: worstP95(report),
    moduleHash: report.moduleHash
  }
  return { outputs, ...failingOf(report, failures) }
}

/**
 * Throws a `ConfigurationError` when it is known before anything is run that some checks can't be, annotated where they
 * were written.
 */
export function insistOnRunnable(
  { checks }: Checks,
  place: Omit<Circumstances, 'allowWrites' | 'allowedLoadHosts'>,
  { allowWrites, allowedLoadHosts }: Pick<Inputs<typeof spec>, 'allowWrites' | 'allowedLoadHosts'>,
  { environment }: Pick<Step<typeof spec>, 'environment'>
): void {
  const hosts = allowedLoadHosts?.split(/[\s,]+/) ?? []
  const against = objections(checks, { ...place, allowWrites, allowedLoadHosts: hosts })
  if (against.length === 0) return
  annotate(against.map(({ check, reason }) => annotationOf(check, reason, environment)))
  const list = against.map(({ check, reason }) => `- ${check.name}: ${reason}`)
  throw new ConfigurationError(`Nothing was checked, since it can't be done as it is written:\n${list.join('\n')}`)
}

async function writeFiles(report: SmokeReport, folder: string) {
  const json = join(folder, 'smoke-test.json')
  const junit = join(folder, 'smoke-test.xml')
  try {
    await writeFile(json, reportJson(report))
    await writeFile(junit, await junitXml(report))
    log(`Reports: ${json} and ${junit}`)
    return { report: json, junit }
  } catch (error) {
    warn('No report', `The reports could not be written: ${messageOf(error)}`)
    return {}
  }
}

function failuresOf({ reports, soak }: SmokeReport): readonly CheckReport[] {
  const all = [...reports, ...(soak?.kind === 'failed' ? [soak.breach] : [])]
  return all.filter(({ outcome }) => outcome.kind === 'failed' || outcome.kind === 'not-run')
}

function textOf({ outcome }: CheckReport): string {
  if (outcome.kind === 'failed') return `expected: ${outcome.expected}\nactual:   ${outcome.actual}`
  return 'reason' in outcome ? `It could not run: ${outcome.reason}` : ''
}

function annotationOf({ name, origin }: Check, message: string, environment: Environment): Annotation {
  const place = origin.kind === 'file' ? placeOf(origin, environment.GITHUB_WORKSPACE ?? process.cwd()) : undefined
  return { severity: 'error', title: `Smoke test: ${name}`, message, ...(place && { place }) }
}

function placeOf({ path, line, column }: { path: string; line: number; column: number }, workspace: string) {
  return { file: relative(workspace, resolve(path)).replaceAll('\\', '/'), line, column }
}

/** In milliseconds, of all loads. */
function worstP95({ reports }: SmokeReport): string | undefined {
  const all = reports.flatMap(({ load }) => (load === undefined ? [] : [load.latency.p95]))
  return all.length === 0 ? undefined : String(Number(Math.max(...all).toFixed(2)))
}

function failingOf(report: SmokeReport, failures: readonly CheckReport[]): Pick<Outcome<typeof spec>, 'failure'> {
  if (hasPassed(report)) return {}
  if (failures.length === 0) {
    const message = 'The job was cancelled before all was checked. What was checked until then had passed.'
    return { failure: { title: 'smoke-test: cancelled', message } }
  }
  const list = failures.map((failure) => `- ${failure.check.name}: ${textOf(failure).replace(/\n/g, '\n  ')}`)
  const { passed, failed } = countsOf(report)
  const soaked = report.soak?.kind === 'failed' ? ', during the soak' : ''
  const message = `${failed} of ${passed + failed} checks failed${soaked}:\n${list.join('\n')}`
  return { failure: { title: 'smoke-test: failed', message } }
}
