import { stripVTControlCharacters } from 'node:util'
import { type CheckReport, countsOf, type SmokeReport, type SoakReport } from '../check-report.ts'
import { loadChart } from './chart.ts'
import { logLineText } from './line.ts'
import { whatOf } from './what.ts'

/**
 * A report as JUnit XML, in the form that Jenkins and GitHub's reporters read
 * (https://github.com/testmoapp/junitxml): a test suite with a test case for each check and for the soak. What XML can't
 * hold is replaced by U+FFFD.
 */
export async function junitXml(report: SmokeReport): Promise<string> {
  const { default: XMLBuilder } = await import('fast-xml-builder')
  const builder = new XMLBuilder({
    ignoreAttributes: false,
    suppressBooleanAttributes: false,
    suppressEmptyNode: true,
    format: true
  })
  return builder.build({
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    testsuites: { '@_name': 'smoke-test', ...totals(report), testsuite: suite(report) }
  })
}

/** An element as the builder takes it: `@_` begins an attribute, `#text` is its text. */
type Element = { readonly [name: string]: string | Element | readonly Element[] }

function suite(report: SmokeReport): Element {
  const { server, database, moduleHash, startedAt, reports, soak } = report
  const properties = { server, database, ...(moduleHash !== undefined && { 'module-hash': moduleHash }) }
  return {
    '@_name': attribute(`${database} on ${server}`),
    ...totals(report),
    '@_timestamp': new Date(startedAt).toISOString().slice(0, 19),
    properties: {
      property: Object.entries(properties).map(([name, value]) => ({ '@_name': name, '@_value': attribute(value) }))
    },
    testcase: [...reports.map((each) => checkCase(each)), ...(soak ? [soakCase(soak)] : [])]
  }
}

function totals(report: SmokeReport): Element {
  const { reports, soak, milliseconds } = report
  const counts = countsOf(report)
  const notRun = reports.filter(({ outcome }) => outcome.kind === 'not-run').length
  const breach = soak?.kind === 'failed' ? soak.breach.outcome.kind : undefined
  const errors = notRun + (breach === 'not-run' || soak?.kind === 'cancelled' ? 1 : 0)
  return {
    '@_tests': String(reports.length + (soak ? 1 : 0)),
    '@_failures': String(counts.failed - notRun - (breach === 'not-run' ? 1 : 0)),
    '@_errors': String(errors),
    '@_skipped': String(counts.skipped),
    '@_time': seconds(milliseconds + (soak?.milliseconds ?? 0))
  }
}

function checkCase(report: CheckReport, name = report.check.name, note?: string): Element {
  const { check, milliseconds } = report
  const { origin } = check
  return {
    '@_name': attribute(name),
    '@_classname': `smoke-test.${check.kind}`,
    ...(origin.kind === 'file' && { '@_file': attribute(origin.path), '@_line': String(origin.line) }),
    '@_time': seconds(milliseconds),
    ...outcomeElement(report),
    'system-out': { '#text': text(systemOut(report, note)) }
  }
}

function outcomeElement({ outcome }: CheckReport): Element {
  switch (outcome.kind) {
    case 'passed':
      return {}
    case 'failed': {
      const { expected, actual } = outcome
      const message = attribute(`expected ${expected}, but it was ${actual}`)
      return {
        failure: {
          '@_message': message,
          '@_type': 'failed',
          '#text': text(`expected: ${expected}\nactual:   ${actual}`)
        }
      }
    }
    case 'not-run':
      return { error: { '@_message': attribute(outcome.reason), '@_type': 'not-run', '#text': text(outcome.reason) } }
    case 'skipped':
      return { skipped: { '@_message': attribute(outcome.reason) } }
  }
}

function systemOut({ check, outcome, load, logLines, byHand, tries }: CheckReport, note: string | undefined): string {
  const parts = [
    `${check.kind}: ${whatOf(check)}`,
    note,
    outcome.kind === 'passed' && outcome.detail,
    tries > 1 && `${tries} tries`,
    load && loadChart(load),
    logLines.length > 0 && `log:\n${logLines.map(logLineText).join('\n')}`,
    byHand !== undefined && `by hand:\n${byHand}`
  ]
  return parts.filter((part) => part).join('\n')
}

function soakCase(soak: SoakReport): Element {
  if (soak.kind === 'failed') {
    return {
      ...checkCase(soak.breach, `soak: ${soak.breach.check.name}`, soak.note),
      '@_time': seconds(soak.milliseconds)
    }
  }
  const reason = 'The job was cancelled before the soak was over.'
  return {
    '@_name': 'soak',
    '@_classname': 'smoke-test.soak',
    '@_time': seconds(soak.milliseconds),
    ...(soak.kind === 'cancelled' && { error: { '@_message': reason, '@_type': 'cancelled' } }),
    ...(soak.note !== undefined && { 'system-out': { '#text': text(soak.note) } })
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}

const longestMessage = 500

/** An attribute is one line. */
function attribute(value: string): string {
  const line = text(value).replace(/\s+/g, ' ').trim()
  return line.length <= longestMessage ? line : text(`${line.slice(0, longestMessage)}…`)
}

/** Without what XML 1.0 has no way to say (https://www.w3.org/TR/xml/#charsets). */
function text(value: string): string {
  return stripVTControlCharacters(value).replace(
    /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu,
    '\uFFFD'
  )
}
