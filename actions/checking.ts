import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { type Annotation, annotate, warn } from '../src/action/annotations.ts'
import type { CheckInputs } from '../src/action/check-inputs.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { workspaceOf } from '../src/action/workspace.ts'
import { elapsedText } from '../src/duration.ts'
import { ConfigurationError, messageOf } from '../src/errors.ts'
import type { Check, Checks } from '../src/smoke/check.ts'
import {
  type CheckReport,
  countsOf,
  failuresOf,
  hasPassed,
  type SmokeReport,
  saysNothing
} from '../src/smoke/check-report.ts'
import { readChecks } from '../src/smoke/checks-file.ts'
import { blocking, type Circumstances, type Objection, objections } from '../src/smoke/preflight.ts'
import { reportJson } from '../src/smoke/report/json.ts'
import { junitXml } from '../src/smoke/report/junit.ts'

/**
 * The checks of the inputs `checks` and `inline-checks`; `undefined` when there are none. `usual` is the file that is taken
 * where it is there and no other is named. Throws a `ConfigurationError` for what is named and not there, and for what is
 * wrong in it.
 */
export function checksIn({ checks, inlineChecks }: CheckInputs, usual?: string): Promise<Checks | undefined> {
  const inline = inlineChecks === undefined ? undefined : { input: 'inline-checks', text: inlineChecks }
  return readChecks({ path: checks ?? usual, mustExist: checks !== undefined, inline })
}

/** The hosts of the input `allowed-load-hosts`. */
export function loadHostsIn({ allowedLoadHosts }: Pick<CheckInputs, 'allowedLoadHosts'>): readonly string[] {
  return allowedLoadHosts?.split(/[\s,]+/) ?? []
}

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

/** Annotates each failure where its check was written, and a run that checked nothing. */
export function annotateFailures(report: SmokeReport, environment: Environment): void {
  if (hasPassed(report) && saysNothing(report)) {
    const reasons = report.reports.map(
      ({ check, outcome }) => `${check.name}: ${'reason' in outcome ? outcome.reason : ''}`
    )
    warn('Nothing was checked', `All checks were skipped.\n${reasons.join('\n')}`)
  }
  annotate(failuresOf(report).map((failure) => annotationOf(failure.check, failureText(failure), environment)))
}

/** Annotates each check that can't be run as it is written. */
export function annotateObjections(objections: readonly Objection[], environment: Environment): void {
  annotate(objections.map(({ check, reason }) => annotationOf(check, reason, environment)))
}

/**
 * What is known before anything is run to stand against optional checks, which are skipped for it. Throws a
 * `ConfigurationError` when something stands against others; it is annotated where they were written.
 */
export function insistOnRunnable(
  { checks }: Checks,
  place: Omit<Circumstances, 'allowWrites' | 'allowedLoadHosts'>,
  inputs: Pick<CheckInputs, 'allowWrites' | 'allowedLoadHosts'>,
  { environment }: { readonly environment: Environment }
): readonly Objection[] {
  const { allowWrites } = inputs
  const against = objections(checks, { ...place, allowWrites, allowedLoadHosts: loadHostsIn(inputs) })
  const blocked = blocking(against)
  if (blocked.length === 0) return against
  annotateObjections(blocked, environment)
  const list = blocked.map(({ check, reason }) => `- ${check.name}: ${reason}`)
  throw new ConfigurationError(`Nothing was checked, since it can't be done as it is written:\n${list.join('\n')}`)
}

/** Writes the reports, and answers the outputs that tell of them and of what is in them. */
export async function outputsOfChecks(report: SmokeReport, folder: string) {
  const { passed, failed, skipped } = countsOf(report)
  return {
    passed: String(passed),
    failed: String(failed),
    skipped: String(skipped),
    ...(await writeReports(report, folder)),
    p95: worstP95(report)
  }
}

async function writeReports(report: SmokeReport, folder: string) {
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

/** What is wrong, for people. */
export function failureText({ outcome }: CheckReport): string {
  if (outcome.kind === 'failed') return `expected: ${outcome.expected}\nactual:   ${outcome.actual}`
  return 'reason' in outcome ? `It could not run: ${outcome.reason}` : ''
}

function annotationOf({ name, origin }: Check, message: string, environment: Environment): Annotation {
  const place = origin.kind === 'file' ? placeOf(origin, workspaceOf(environment)) : undefined
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
