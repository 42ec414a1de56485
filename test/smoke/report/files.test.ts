import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import type { SmokeReport, SoakReport } from '../../../src/smoke/check-report.ts'
import { reportJson, reportSchema } from '../../../src/smoke/report/json.ts'
import { junitXml } from '../../../src/smoke/report/junit.ts'
import { checkOf, load, reportOf, sample } from './sample-report.ts'

type Suite = Record<string, unknown> & { readonly testcase: readonly Record<string, unknown>[] }

async function parsed(report: SmokeReport): Promise<Suite> {
  const xml = await junitXml(report)
  expect(XMLValidator.validate(xml)).toBe(true)
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    trimValues: false,
    isArray: (name) => name === 'testcase'
  })
  return parser.parse(xml).testsuites.testsuite
}

const hostile = fc
  .string({ unit: 'binary', maxLength: 60 })
  .map((text) => `${text}]]> <a b="c'> &amp; \u0000\u001b[31m\ud800`)

/** A report in which each text from outside is this one. */
const reportOfText = (text: string): SmokeReport => ({
  ...sample,
  server: text,
  database: text,
  reports: [
    reportOf(
      checkOf('reducer', { reducer: 'x', args: [text] }, text, { kind: 'file', path: text, line: 1, column: 1 }),
      { kind: 'failed', expected: text, actual: text },
      { logLines: [{ level: text, message: text, timestamp: 1n }], byHand: text }
    ),
    reportOf(checkOf('ping', { ping: true }, text), { kind: 'not-run', reason: text }),
    reportOf(checkOf('ping', { ping: true }, text), { kind: 'skipped', reason: text }),
    reportOf(
      checkOf('load', { load: 'x' }, text),
      { kind: 'passed', detail: text },
      { load: { ...load, reasons: [{ reason: text, count: 1 }] } }
    )
  ]
})

/** https://www.w3.org/TR/xml/#charsets */
function illegalIn(xml: string): string[] {
  return [...xml].filter((character) => {
    const point = character.codePointAt(0) ?? 0
    const isControl = point < 0x20 && !'\t\n\r'.includes(character)
    return isControl || (point >= 0xd800 && point <= 0xdfff) || point === 0xfffe || point === 0xffff
  })
}

describe('JUnit', () => {
  test('has a case for each check and for the soak, each with its outcome and its line', async () => {
    const suite = await parsed(sample)
    expect(suite).toMatchObject({
      name: 'my-game on https://stdb.example.org',
      tests: '6',
      failures: '1',
      errors: '1',
      skipped: '1',
      timestamp: '2026-01-02T03:04:05',
      time: '42.345'
    })
    const [ping, sql, join, quick, many, soak] = suite.testcase
    expect(suite.testcase).toHaveLength(6)
    expect(ping).toMatchObject({ name: 'ping', classname: 'smoke-test.ping', time: '0.012' })
    expect(ping).not.toHaveProperty('file')
    expect(sql).toMatchObject({
      file: '.spacetimedb/smoke.yml',
      line: '4',
      failure: {
        message: 'expected value 1, but it was value 2 of 3 rows',
        '#text': expect.stringMatching(/value 2\nof/)
      },
      'system-out': expect.stringMatching(/22:13:20\.123 PANIC index out of bounds \| `x`\nby hand:\nspacetime sql/)
    })
    expect(join).toMatchObject({ error: { message: 'There is no reducer `join`.' } })
    expect(quick).toMatchObject({ skipped: { message: 'The server hides its metrics.' } })
    expect(many).toMatchObject({ 'system-out': expect.stringContaining('p95') })
    expect(soak).toMatchObject({ name: 'soak', time: '30.000' })
  })

  test('counts what ended a soak', async () => {
    const [breach] = sample.reports.filter(({ outcome }) => outcome.kind === 'failed')
    if (breach === undefined) throw new Error('no failure')
    const suite = await parsed({ ...sample, soak: { kind: 'failed', milliseconds: 4000, breach } })
    expect(suite).toMatchObject({ tests: '6', failures: '2', errors: '1' })
    expect(suite.testcase.at(-1)).toMatchObject({ name: 'soak: one counter', failure: expect.anything() })
    expect(await parsed({ ...sample, soak: { kind: 'cancelled', milliseconds: 4000 } })).toMatchObject({ errors: '2' })
  })

  test('has what a soak could not watch', async () => {
    const note = 'The log was not watched: <no>.'
    const noteOf = async (soak: SoakReport) => (await parsed({ ...sample, soak })).testcase.at(-1)?.['system-out']
    const [breach] = sample.reports.filter(({ outcome }) => outcome.kind === 'failed')
    if (breach === undefined) throw new Error('no failure')
    expect(await noteOf({ kind: 'passed', milliseconds: 1, looks: 2, note })).toBe(note)
    expect(await noteOf({ kind: 'cancelled', milliseconds: 1, note })).toBe(note)
    expect(await noteOf({ kind: 'failed', milliseconds: 1, breach, note })).toContain(`\n${note}\n`)
    expect(await noteOf({ kind: 'passed', milliseconds: 1, looks: 2 })).toBeUndefined()
  })

  test('says what XML can say of any text, and stays well-formed', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const suite = await parsed(reportOfText(text))
        expect(suite.testcase).toHaveLength(5)
        const [{ failure } = { failure: undefined }] = suite.testcase
        expect((failure as { '#text': string })['#text']).toContain(`]]> <a b="c'> &amp; `)
        expect(illegalIn(await junitXml(reportOfText(text)))).toEqual([])
      }),
      { numRuns: 50 }
    )
  })
})

describe('JSON', () => {
  test('is of its form, and says all', () => {
    const written = reportSchema.parse(JSON.parse(reportJson(sample)))
    expect(written).toMatchObject({
      version: 1,
      passed: false,
      counts: { passed: 2, failed: 2, skipped: 1 },
      startedAt: '2026-01-02T03:04:05.000Z',
      soak: { outcome: 'passed', looks: 6 }
    })
    const [ping, sql, join, , many] = written.checks
    expect(ping).not.toHaveProperty('place')
    expect(sql).toMatchObject({
      place: { file: '.spacetimedb/smoke.yml', line: 4, column: 5 },
      expected: 'value 1',
      tries: 3
    })
    expect(sql?.logLines.at(-1)).toMatchObject({ timestamp: '1700000000123456', level: 'panic' })
    expect(join).toMatchObject({ outcome: 'not-run', what: 'join(12345678901234567890, "a")' })
    expect(many?.load).toEqual(load)
  })

  test('is of its form whatever the texts', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { checks } = reportSchema.parse(JSON.parse(reportJson(reportOfText(text))))
        expect(checks[0]).toMatchObject({ expected: text, name: text })
      }),
      { numRuns: 50 }
    )
  })

  test('has what a soak could not watch', () => {
    const soak = { kind: 'passed', milliseconds: 1, looks: 2, note: 'The log was not watched: no.' } as const
    expect(reportSchema.parse(JSON.parse(reportJson({ ...sample, soak }))).soak).toEqual({
      outcome: 'passed',
      milliseconds: 1,
      looks: 2,
      note: soak.note
    })
  })

  test('has no headers, which may be secret', () => {
    const check = checkOf('http-route', { 'http-route': '/x', headers: { authorization: 'Bearer s3cret' } }, 'route')
    const report = { ...sample, reports: [reportOf(check, { kind: 'failed', expected: '200', actual: '404' })] }
    expect(reportJson(report)).not.toContain('s3cret')
    expect(reportJson(report)).toContain('GET /x')
  })
})
