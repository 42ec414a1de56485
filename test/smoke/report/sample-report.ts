import type { Check, CheckKind, Origin } from '../../../src/smoke/check.ts'
import type { CheckReport, Outcome, SmokeReport } from '../../../src/smoke/check-report.ts'
import { checksSchema } from '../../../src/smoke/checks-schema.ts'
import type { LoadFigures } from '../../../src/smoke/load-figures.ts'

/** A check as a file of checks would have it. */
export function checkOf(kind: CheckKind, written: object, name: string, origin: Origin = { kind: 'default' }): Check {
  const { checks } = checksSchema.parse({ checks: [written] })
  const [wanted] = checks
  if (wanted === undefined || !(kind in wanted)) throw new Error(`no ${kind}`)
  return { kind, name, origin, needs: [], writes: wanted.writes, wanted } as unknown as Check
}

/** What became of a check, from little. */
export function reportOf(check: Check, outcome: Outcome, more: Partial<CheckReport> = {}): CheckReport {
  return { check, outcome, milliseconds: 12, tries: 1, logLines: [], byHand: undefined, ...more }
}

export const load: LoadFigures = {
  calls: 2000,
  failed: 3,
  reasons: [{ reason: 'Too many | `players` <b>', count: 3 }],
  milliseconds: 10_000,
  throughput: 199.7,
  latency: { p50: 1.25, p95: 3.4, p99: 8.04, max: 120 },
  service: { p50: 0.42, p95: 2.1, p99: 4, max: 119.6 },
  late: { calls: 12, worst: 7.3 },
  histogram: Array.from({ length: 40 }, (_, index) => ({
    upTo: 2 ** (index / 4 - 3),
    calls: index < 8 || index > 34 ? 0 : Math.round(600 / (1 + (index - 14) ** 2))
  }))
}

const inFile = (line: number): Origin => ({ kind: 'file', path: '.spacetimedb/smoke.yml', line, column: 5 })

const logLine = (level: string, message: string) => ({ level, message, timestamp: 1_700_000_000_123_456n })

/** One of each outcome, a load, a soak that was kept. */
export const sample: SmokeReport = {
  server: 'https://stdb.example.org',
  database: 'my-game',
  moduleHash: 'ab'.repeat(32) as never,
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
  milliseconds: 12_345,
  reports: [
    reportOf(checkOf('ping', { ping: true }, 'ping'), { kind: 'passed', detail: 'answered in 3 ms' }),
    reportOf(
      checkOf('sql', { sql: 'SELECT * FROM counter', value: 1 }, 'one counter', inFile(4)),
      { kind: 'failed', expected: 'value 1', actual: 'value 2\nof 3 rows' },
      {
        tries: 3,
        milliseconds: 7012,
        logLines: [logLine('info', 'joined'), logLine('panic', 'index out of bounds | `x`')],
        byHand: "spacetime sql --server https://stdb.example.org my-game 'SELECT * FROM counter'"
      }
    ),
    reportOf(
      checkOf('reducer', { reducer: 'join', args: [12345678901234567890n, 'a'] }, 'join', inFile(9)),
      { kind: 'not-run', reason: 'There is no reducer `join`.' },
      { tries: 0 }
    ),
    reportOf(checkOf('metrics', { metrics: { p95: '50ms' }, optional: true }, 'quick', inFile(14)), {
      kind: 'skipped',
      reason: 'The server hides its metrics.'
    }),
    reportOf(
      checkOf('load', { load: 'increment_counter', args: [1], rate: 200 }, 'many calls', inFile(20)),
      { kind: 'passed', detail: '2000 calls' },
      { load }
    )
  ],
  soak: { kind: 'passed', milliseconds: 30_000, looks: 6 }
}
