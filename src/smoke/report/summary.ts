import { stripVTControlCharacters } from 'node:util'
import { elapsedText } from '../../duration.ts'
import { code, codeBlock, escapeMarkdown, quote, sections, table } from '../../markdown.ts'
import {
  type CheckReport,
  countsOf,
  failuresOf,
  hasPassed,
  type Outcome,
  type SmokeReport,
  type SoakReport,
  saysNothing
} from '../check-report.ts'
import { loadChart } from './chart.ts'
import { logLineText, originText } from './line.ts'
import { whatOf } from './what.ts'

/**
 * The job summary of checks, as Markdown: whether all is as it should be, each check in a table, what is wrong with
 * those that failed, the loads, the soak.
 */
export function renderSmoke(report: SmokeReport): string {
  const { server, moduleHash, reports, soak } = report
  const parts = [
    `## ${headlineOf(report)}`,
    `On ${codeSpan(server)}${moduleHash === undefined ? '' : `, module ${code(moduleHash)}`}.`,
    reports.length > 0 ? renderChecks(reports) : undefined,
    soak && renderSoak(soak),
    ...failuresOf(report).map(renderFailure),
    ...reports.map(renderLoad)
  ]
  return `${sections(parts)}\n`
}

function headlineOf(report: SmokeReport): string {
  const { database, milliseconds, reports, soak, isCancelled } = report
  const { passed, failed, skipped } = countsOf(report)
  const name = codeSpan(database)
  const also = skipped === 0 ? '' : `, ${skipped} skipped`
  if (hasPassed(report) && saysNothing(report)) return `⚠️ ${name}: nothing was checked${also}`
  if (hasPassed(report) && reports.length === 0) return `✅ ${name}: nothing went wrong while it was watched`
  if (hasPassed(report)) return `✅ ${name}: ${plural(passed, 'check')} passed${also} (${elapsedText(milliseconds)})`
  if (failed === 0 && isCancelled) return `❓ ${name}: cancelled after ${plural(passed, 'check')}`
  if (failed === 0 && soak?.kind === 'cancelled') return `❓ ${name}: cancelled before the soak was over`
  return `❌ ${name}: ${failed} of ${plural(passed + failed, 'check')} failed${also} (${elapsedText(milliseconds)})`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

const marks: Readonly<Record<Outcome['kind'], string>> = { passed: '✅', failed: '❌', 'not-run': '❌', skipped: '⏭️' }

function renderChecks(reports: readonly CheckReport[]): string {
  const rows = reports.map(({ check, outcome, tries, milliseconds }) => [
    marks[outcome.kind],
    oneLine(check.name),
    check.kind,
    `${codeSpan(whatOf(check))}${noteOn(outcome)}`,
    String(tries),
    elapsedText(milliseconds)
  ])
  return table(['', 'Check', 'Kind', 'What', 'Tries', 'Took'], rows, ['l', 'l', 'l', 'l', 'r', 'r'])
}

/** What is wrong with a failure is said below. */
function noteOn(outcome: Outcome): string {
  if (outcome.kind === 'passed' && outcome.detail !== '') return `<br>${oneLine(outcome.detail)}`
  return outcome.kind === 'skipped' ? `<br>skipped: ${oneLine(outcome.reason)}` : ''
}

function renderSoak(soak: SoakReport): string {
  return soak.note === undefined ? soakText(soak) : `${soakText(soak)} ⚠️ ${oneLine(soak.note)}`
}

function soakText(soak: SoakReport): string {
  const time = elapsedText(soak.milliseconds)
  switch (soak.kind) {
    case 'passed':
      return `**Soak:** watched for ${time}, looked ${plural(soak.looks, 'time')}: nothing went wrong.`
    case 'failed':
      return `**Soak:** after ${time}, ${oneLine(soak.breach.check.name)} did not hold any more.`
    case 'cancelled':
      return `**Soak:** the job was cancelled after ${time}.`
  }
}

function renderFailure({ check, outcome, logLines, byHand }: CheckReport): string {
  const written = originText(check.origin)
  const where = written === undefined ? 'a check of every module' : codeSpan(written)
  return sections([
    `### ❌ ${oneLine(check.name)}`,
    `${check.kind} ${codeSpan(whatOf(check), 1000)} (${where})`,
    renderFinding(outcome),
    logLines.length > 0 && `The module's log around it:\n\n${block(logLines.map(logLineText).join('\n'))}`,
    byHand !== undefined && `By hand:\n\n${block(byHand)}`
  ])
}

function renderFinding(outcome: Outcome): string | undefined {
  if (outcome.kind === 'failed')
    return block(`expected: ${indented(outcome.expected)}\nactual:   ${indented(outcome.actual)}`)
  if (outcome.kind === 'not-run') return quote(`It could not run: ${shortened(plain(outcome.reason), longest)}`)
  return undefined
}

/** Lines after the first stand below it. */
function indented(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat('expected: '.length)}`)
}

function renderLoad({ check, load }: CheckReport): string | undefined {
  return load && `### 📈 ${oneLine(check.name)}\n\n${block(loadChart(load))}`
}

/** In characters, of one text from outside. */
const longest = 10_000

function block(text: string): string {
  return codeBlock(shortened(plain(text), longest))
}

function codeSpan(text: string, length = 200): string {
  return code(shortened(plain(text), length))
}

function oneLine(text: string): string {
  return escapeMarkdown(shortened(plain(text), 300))
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} characters more)`
}

/** Colours and other controls of a terminal are nothing to read. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\P{Cc}\t\n]/gu, '')
}
