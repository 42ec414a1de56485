import * as z from 'zod'
import { verdicts } from '../migration/verdict.ts'
import { type Deployment, results } from '../release/deployment.ts'
import { reportSchema, writtenReport } from '../smoke/report/json.ts'
import type { Rehearsal, RehearsedTable, RowCounts, WayBackReport } from './rehearsal.ts'

const milliseconds = (what: string) => z.number().min(0).describe(`${what}, in milliseconds.`)

const rows = z
  .union([z.int().min(0), z.string().regex(/^\d+$/)])
  .describe('How many rows; a text where a double can not hold the number.')

const hash = z.string().describe('keccak256 in hex.')

const outcome = z.strictObject({
  kind: z
    .enum(['passed', 'nothing-to-rehearse', 'not-rehearsed', 'failed', 'cancelled'])
    .describe('`not-rehearsed`: nobody has asked for it, and the old module was not to be had or the gate refused.'),
  stage: z.enum(['old module', 'seed', 'checks before', 'migration', 'checks', 'way back']).exactOptional(),
  reason: z.string().exactOptional(),
  isConfiguration: z.boolean().exactOptional().describe("Whether the user's own configuration can mend it.")
})

const copy = z
  .strictObject({
    kind: z.enum(['copied', 'not-copied']),
    rows: z.int().exactOptional(),
    isCut: z.boolean().exactOptional().describe('Whether there were more rows than the limit.'),
    limit: z.int().exactOptional(),
    masked: z.array(z.string()).exactOptional().describe('Columns with made-up values.'),
    hasNegativeZeros: z.boolean().exactOptional().describe('Whether negative zeros became zeros.'),
    reason: z.string().exactOptional().describe('Why it was not copied.')
  })
  .describe('Absent where no copy was asked for.')

const table = z.strictObject({
  name: z.string(),
  rows: z
    .strictObject({
      production: rows.exactOptional(),
      filled: rows.exactOptional(),
      migrated: rows.exactOptional(),
      leaving: rows.exactOptional(),
      back: rows.exactOptional()
    })
    .describe('At each point; absent where they could not be counted.'),
  copy: copy.exactOptional()
})

const deployment = z
  .strictObject({
    result: z.enum(results),
    verdict: z.enum(verdicts).exactOptional(),
    reversible: z.enum(['yes', 'conditional', 'no']).exactOptional(),
    reason: z.string().exactOptional(),
    steps: z.array(
      z.strictObject({
        name: z.string(),
        outcome: z.enum(['ok', 'failed']),
        detail: z.string(),
        startedAt: z.iso.datetime(),
        milliseconds: milliseconds('How long it took')
      })
    )
  })
  .describe('The deploy of the new module over the old one.')

/** The form of the JSON file. A change that breaks its readers makes another version of it. */
export const rehearsalSchema = z.strictObject({
  version: z.literal(1),
  outcome,
  old: z.strictObject({ kind: z.enum(['live', 'base', 'none']), name: z.string(), hash: hash.exactOptional() }),
  moduleHash: hash,
  tables: z.array(table).describe('The tables of the old module.'),
  seed: z.array(z.strictObject({ line: z.int(), what: z.string(), detail: z.string() })),
  checksBefore: reportSchema.exactOptional().describe('The old module, filled, before the migration.'),
  deployment: deployment.exactOptional(),
  checks: reportSchema.exactOptional().describe('The new module; the same as smoke-test.json.'),
  wayBack: z
    .strictObject({
      kind: z.enum(['gone-back', 'impossible', 'not-now', 'failed']),
      reason: z.string().exactOptional(),
      checks: reportSchema.exactOptional()
    })
    .exactOptional(),
  limits: z.array(z.string()).describe('What it did not show, and why.'),
  milliseconds: milliseconds('How long all of it took')
})

/** A rehearsal as its JSON file has it. */
export type WrittenRehearsal = z.output<typeof rehearsalSchema>

/** A rehearsal as JSON, of the form of `rehearsalSchema`, with a line end. */
export function rehearsalJson(rehearsal: Rehearsal): string {
  const { checksBefore, deployment, checks, wayBack, outcome, old, moduleHash } = rehearsal
  const written: WrittenRehearsal = {
    version: 1,
    outcome,
    old,
    moduleHash,
    tables: rehearsal.tables.map(writtenTable),
    seed: [...rehearsal.seed],
    ...(checksBefore && { checksBefore: writtenReport(checksBefore) }),
    ...(deployment && { deployment: writtenDeployment(deployment) }),
    ...(checks && { checks: writtenReport(checks) }),
    ...(wayBack && { wayBack: writtenWayBack(wayBack) }),
    limits: [...rehearsal.limits],
    milliseconds: rehearsal.milliseconds
  }
  return `${JSON.stringify(written, null, 2)}\n`
}

function writtenTable({ name, rows, copy }: RehearsedTable): WrittenRehearsal['tables'][number] {
  const written = copy?.kind === 'copied' ? { ...copy, masked: [...copy.masked] } : copy
  return { name, rows: writtenCounts(rows), ...(written && { copy: written }) }
}

function writtenCounts(counts: RowCounts): WrittenRehearsal['tables'][number]['rows'] {
  return Object.fromEntries(Object.entries(counts).map(([when, count]) => [when, exact(count)]))
}

function exact(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`
}

function writtenDeployment({ result, judgement, reason, steps }: Deployment): WrittenRehearsal['deployment'] & object {
  return {
    result,
    ...(judgement && { verdict: judgement.verdict, reversible: judgement.wayBack.reversible }),
    ...(reason !== undefined && { reason }),
    steps: steps.map((step) => ({ ...step, startedAt: new Date(step.startedAt).toISOString() }))
  }
}

function writtenWayBack(wayBack: WayBackReport): WrittenRehearsal['wayBack'] & object {
  const checks = 'checks' in wayBack ? wayBack.checks : undefined
  return {
    kind: wayBack.kind,
    ...('reason' in wayBack && { reason: wayBack.reason }),
    ...(checks && { checks: writtenReport(checks) })
  }
}

/** The JSON Schema of the file, for whatever reads it. */
export function rehearsalJsonSchema(): unknown {
  return { title: 'Report of a rehearsal', ...z.toJSONSchema(rehearsalSchema, { target: 'draft-7' }) }
}
