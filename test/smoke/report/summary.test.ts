import { describe, expect, test } from '@jest/globals'
import type { SmokeReport } from '../../../src/smoke/check-report.ts'
import { loadChart } from '../../../src/smoke/report/chart.ts'
import { renderSmoke } from '../../../src/smoke/report/summary.ts'
import { checkOf, load, reportOf, sample } from './sample-report.ts'

const firstLine = (report: SmokeReport) => renderSmoke(report).split('\n')[0]
const passing = sample.reports.filter(({ outcome }) => outcome.kind === 'passed' || outcome.kind === 'skipped')

describe('a summary', () => {
  test.each<[string, Partial<SmokeReport>, string]>([
    ['that failed', {}, '## ❌ `my-game`: 2 of 4 checks failed, 1 skipped (12.3 s)'],
    ['that passed', { reports: passing }, '## ✅ `my-game`: 2 checks passed, 1 skipped (12.3 s)'],
    [
      'whose soak was cancelled',
      { reports: passing, soak: { kind: 'cancelled', milliseconds: 1 } },
      '## ❓ `my-game`: cancelled before the soak was over'
    ],
    [
      'whose soak failed',
      {
        reports: passing,
        soak: {
          kind: 'failed',
          milliseconds: 4000,
          breach: reportOf(checkOf('ping', { ping: true }, 'ping'), { kind: 'failed', expected: 'a', actual: 'b' })
        }
      },
      '## ❌ `my-game`: 1 of 3 checks failed, 1 skipped (12.3 s)'
    ]
  ])('of a run %s says so in its first line', (_, more, line) => expect(firstLine({ ...sample, ...more })).toBe(line))

  test('of a run in which all was skipped tells that nothing was checked', () => {
    const { soak: _, ...unwatched } = sample
    const reports = passing.filter(({ outcome }) => outcome.kind === 'skipped')
    expect(firstLine({ ...unwatched, reports })).toBe('## ⚠️ `my-game`: nothing was checked, 1 skipped')
    expect(firstLine({ ...sample, reports })).toMatch(/^## ✅/)
  })

  test('shows what was expected above what was there, the log, and how to ask by hand', () => {
    const text = renderSmoke(sample)
    expect(text).toContain('```text\nexpected: value 1\nactual:   value 2\n          of 3 rows\n```')
    expect(text).toContain('22:13:20.123 PANIC index out of bounds | `x`')
    expect(text).toContain("By hand:\n\n```text\nspacetime sql --server https://stdb.example.org my-game 'SELECT")
    expect(text).toContain('(`.spacetimedb/smoke.yml:4:5`)')
    expect(text).toContain('> It could not run: There is no reducer')
    expect(text).toMatch(/\| ⏭️ .*\| metrics .*`p95 50ms, for 10s`<br>skipped: The server hides its metrics\./)
  })

  test('says what a soak could not watch', () => {
    const soak = { kind: 'passed', milliseconds: 30_000, looks: 7, note: 'The log was not watched: <no>' } as const
    expect(renderSmoke({ ...sample, soak })).toContain(
      'looked 7 times: nothing went wrong. ⚠️ The log was not watched: \\<no'
    )
  })

  test('shows any text as it is, and lets none out of its place', () => {
    const hostile = '\u001b[31m```\n</details><img src=x> @someone | `a`\n# x'
    const check = checkOf('reducer', { reducer: 'x', args: [hostile] }, hostile, {
      kind: 'input',
      input: 'inline-checks',
      line: 1,
      column: 1
    })
    const text = renderSmoke({
      ...sample,
      database: hostile,
      reports: [
        reportOf(
          check,
          { kind: 'failed', expected: hostile, actual: hostile },
          { logLines: [{ level: 'info', message: hostile, timestamp: 1n << 80n }], byHand: hostile }
        ),
        reportOf(check, { kind: 'not-run', reason: hostile }),
        reportOf(check, { kind: 'skipped', reason: hostile })
      ]
    })
    expect(text).not.toContain('\u001b')
    const outside = text
      .replace(/^(`{3,})text\n.*?\n\1$/gms, '')
      .replace(/\\./g, '')
      .replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, '')
    expect(outside).not.toMatch(/(?<!\\)<(?!br>)|@someone|^# /m)
  })

  test('is not drowned by one text', () => {
    const check = checkOf('ping', { ping: true }, 'ping')
    const huge = 'x'.repeat(1_000_000)
    const report = { ...sample, reports: [reportOf(check, { kind: 'failed', expected: huge, actual: huge })] }
    expect(renderSmoke(report).length).toBeLessThan(12_000)
    expect(renderSmoke(report)).toContain('characters more)')
  })
})

describe('a chart', () => {
  test('has bars, of which the longest is the most, and every figure', () => {
    const lines = loadChart(load).split('\n')
    const bars = lines.filter((line) => line.includes('│'))
    expect(bars.length).toBeGreaterThan(5)
    expect(bars.length).toBeLessThanOrEqual(16)
    const sum = bars.reduce((total, line) => total + Number(/\d+$/.exec(line)?.[0]), 0)
    expect(sum).toBe(load.histogram.reduce((total, { calls }) => total + calls, 0))
    expect(bars.filter((line) => line.includes('█'.repeat(40)))).toHaveLength(1)
    const text = lines.join('\n')
    for (const part of [
      'from when it was due   1.25 ms  3.4 ms  8.04 ms  120 ms',
      '2000 calls in 10 s, 12 began late, by up to 7.3 ms',
      '200 calls/s succeeded, 3 failed (0.15 %)',
      '3 × Too many | `players` <b>'
    ]) {
      expect(text).toContain(part)
    }
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
  })

  test('of nothing is no chart', () => {
    const nothing = { p50: 0, p95: 0, p99: 0, max: 0 }
    const text = loadChart({
      ...load,
      calls: 0,
      failed: 0,
      reasons: [],
      throughput: 0,
      latency: nothing,
      service: nothing,
      late: { calls: 0, worst: 0 },
      histogram: []
    })
    expect(text).not.toContain('│')
    expect(text).toContain('0 failed (0 %)')
    expect(text).not.toContain('NaN')
  })

  test.each([1, 2, 15, 16, 17, 33, 400])('of %d bounds counts each call once', (bounds) => {
    const histogram = Array.from({ length: bounds }, (_, index) => ({ upTo: index + 1, calls: index + 1 }))
    const bars = loadChart({ ...load, histogram })
      .split('\n')
      .filter((line) => line.includes('│'))
    expect(bars.length).toBeLessThanOrEqual(16)
    expect(bars.reduce((total, line) => total + Number(/\d+$/.exec(line)?.[0]), 0)).toBe((bounds * (bounds + 1)) / 2)
  })
})
