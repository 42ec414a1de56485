import * as z from 'zod'
import { checkKinds } from '../check.ts'
import { type CheckReport, countsOf, hasPassed, type SmokeReport, type SoakReport } from '../check-report.ts'
import { whatOf } from './what.ts'

const milliseconds = (what: string) => z.number().min(0).describe(`${what}, in milliseconds.`)
const count = (what: string) => z.int().min(0).describe(what)

const quantiles = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() })

const load = z
  .strictObject({
    calls: count('How many calls there were.'),
    failed: count('How many of them failed.'),
    reasons: z
      .array(z.strictObject({ reason: z.string(), count: z.int() }))
      .describe('The first few different reasons of failures, and how often each.'),
    milliseconds: milliseconds('How long calls were sent'),
    throughput: z.number().describe('Calls that succeeded, in a second.'),
    latency: quantiles.describe('How long calls took from when they were due, in milliseconds: their wait counts.'),
    service: quantiles.describe('How long calls took from when they were sent, in milliseconds.'),
    late: z.strictObject({
      calls: count('How many calls began later than they were due.'),
      worst: milliseconds('By how much the latest of them')
    }),
    histogram: z
      .array(z.strictObject({ upTo: z.number(), calls: z.int() }))
      .describe('How many calls took up to each bound (milliseconds), and longer than the bound before.')
  })
  .describe('What a load did.')

const logLine = z.strictObject({
  timestamp: z
    .string()
    .regex(/^-?\d+$/)
    .describe('Microseconds since the epoch, as a text: they may be more than a double holds.'),
  level: z.string(),
  message: z.string(),
  target: z.string().exactOptional(),
  file: z.string().exactOptional(),
  line: z.int().exactOptional(),
  function: z.string().exactOptional()
})

const check = z.strictObject({
  name: z.string(),
  kind: z.enum(checkKinds),
  what: z.string().describe('What it looks at, in one line.'),
  place: z
    .strictObject({
      file: z.string().exactOptional(),
      input: z.string().exactOptional(),
      line: z.int(),
      column: z.int()
    })
    .exactOptional()
    .describe('Where it was written: a file as it was named, or an input. Absent for a default check.'),
  needs: z.array(z.string()),
  writes: z.boolean(),
  optional: z.boolean(),
  outcome: z
    .enum(['passed', 'failed', 'not-run', 'skipped'])
    .describe(
      '`not-run`: it could not run, which counts as failed. `skipped`: so too, but optional, or one that it needs did not pass.'
    ),
  detail: z.string().exactOptional().describe('Of one that passed: what was seen.'),
  expected: z.string().exactOptional().describe('Of one that failed.'),
  actual: z.string().exactOptional().describe('Of one that failed.'),
  reason: z.string().exactOptional().describe('Of one that was not run or skipped.'),
  milliseconds: milliseconds('How long it took, all tries together'),
  tries: z.int().min(0),
  load: load.exactOptional(),
  logLines: z.array(logLine).describe('What the log says from around a failure.'),
  byHand: z.string().exactOptional().describe('A command that runs this check alone.')
})

/** The form of the JSON file. A change that breaks its readers makes another version of it. */
export const reportSchema = z.strictObject({
  version: z.literal(1),
  passed: z.boolean().describe('Whether all is as it should be.'),
  counts: z.strictObject({
    passed: count('How many checks passed.'),
    failed: count('How many failed, could not run, or stopped to hold during the soak.'),
    skipped: count('How many were skipped.')
  }),
  server: z.string(),
  database: z.string(),
  moduleHash: z
    .string()
    .exactOptional()
    .describe('Of the module that had to be live: keccak256 in hex. Absent where it was not known.'),
  startedAt: z.iso.datetime(),
  milliseconds: milliseconds('How long all checks took'),
  checks: z.array(check),
  soak: z
    .strictObject({
      outcome: z.enum(['passed', 'failed', 'cancelled']),
      milliseconds: milliseconds('How long it was watched'),
      looks: z.int().exactOptional().describe('How often it was looked.'),
      breach: check.exactOptional().describe('What ended it.'),
      note: z.string().exactOptional().describe('What could not be watched, as a sentence.')
    })
    .exactOptional()
    .describe('What was seen in the time after the checks.')
})

/** A report as its JSON file has it. */
export type WrittenReport = z.output<typeof reportSchema>

/** A report as JSON, of the form of `reportSchema`, with a line end. */
export function reportJson(report: SmokeReport): string {
  return `${JSON.stringify(writtenReport(report), null, 2)}\n`
}

/** A report in the form of `reportSchema`, without the headers and bodies that a check sends. */
export function writtenReport(report: SmokeReport): WrittenReport {
  const { server, database, moduleHash, startedAt, reports, soak } = report
  return {
    version: 1,
    passed: hasPassed(report),
    counts: countsOf(report),
    server,
    database,
    ...(moduleHash !== undefined && { moduleHash }),
    startedAt: new Date(startedAt).toISOString(),
    milliseconds: report.milliseconds,
    checks: reports.map(writtenCheck),
    ...(soak && { soak: writtenSoak(soak) })
  }
}

function writtenCheck({
  check,
  outcome,
  logLines,
  byHand,
  load,
  ...run
}: CheckReport): WrittenReport['checks'][number] {
  const { kind: outcomeKind, ...findings } = outcome
  return {
    name: check.name,
    kind: check.kind,
    what: whatOf(check),
    ...placeOf(check.origin),
    needs: [...check.needs],
    writes: check.writes,
    optional: check.wanted.optional,
    outcome: outcomeKind,
    ...findings,
    milliseconds: run.milliseconds,
    tries: run.tries,
    ...(load && { load: { ...load, reasons: [...load.reasons], histogram: [...load.histogram] } }),
    logLines: logLines.map((line) => ({ ...line, timestamp: String(line.timestamp) })),
    ...(byHand !== undefined && { byHand })
  }
}

function placeOf(origin: CheckReport['check']['origin']): Pick<WrittenReport['checks'][number], 'place'> {
  switch (origin.kind) {
    case 'file':
      return { place: { file: origin.path, line: origin.line, column: origin.column } }
    case 'input':
      return { place: { input: origin.input, line: origin.line, column: origin.column } }
    case 'default':
      return {}
  }
}

function writtenSoak(soak: SoakReport): Exclude<WrittenReport['soak'], undefined> {
  const { kind: outcome, milliseconds } = soak
  return {
    outcome,
    milliseconds,
    ...(soak.kind === 'passed' && { looks: soak.looks }),
    ...(soak.kind === 'failed' && { breach: writtenCheck(soak.breach) }),
    ...(soak.note !== undefined && { note: soak.note })
  }
}

/** The JSON Schema of the file, for whatever reads it. */
export function reportJsonSchema(): unknown {
  return { title: 'Report of smoke-test', ...z.toJSONSchema(reportSchema, { target: 'draft-7' }) }
}
