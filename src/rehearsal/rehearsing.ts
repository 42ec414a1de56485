import { type Journal, startJournal } from '../journal.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import type { Deployment } from '../release/deployment.ts'
import type { SmokeReport } from '../smoke/check-report.ts'
import type { CheckPlace, LogMark } from '../smoke/place.ts'
import { askUntil, Stopped } from './ask.ts'
import type { CopiedValues } from './copied-values.ts'
import { countAll } from './count-rows.ts'
import { type Hide, hidingNarrator } from './hide-report.ts'
import type {
  RehearsalOutcome,
  RehearsalRequest,
  RehearsalTools,
  RowCounts,
  SeedReport,
  Stage,
  TableOutcome,
  WayBackReport
} from './rehearsal.ts'

/** A rehearsal that is under way. */
export type Rehearsing = {
  readonly request: RehearsalRequest
  readonly tools: RehearsalTools
  readonly journal: Journal
  readonly hide: Hide
  readonly found: Found
}

/** What was found out on the way, whatever the end. */
export type Found = {
  stage: Stage
  old?: OldRelease
  copied?: CopiedValues
  readonly rows: Map<string, RowCounts>
  copies: ReadonlyMap<string, TableOutcome>
  seed: readonly SeedReport[]
  checksBefore?: SmokeReport
  deployment?: Deployment
  checks?: SmokeReport
  wayBack?: WayBackReport
  /** Reasons why something was not found out, in whole sentences. */
  readonly gaps: string[]
}

export type OldRelease = {
  readonly module: Module
  readonly schema: Schema
  /** Whether the live database is read as its owner; `undefined` where there is none. */
  readonly isReadAsOwner: boolean | undefined
}

/** How a rehearsal ends before its last stage. */
export type Ended = Exclude<RehearsalOutcome, { kind: 'passed' }>

export function startRehearsing(request: RehearsalRequest, tools: RehearsalTools): Rehearsing {
  const found: Found = { stage: 'old module', rows: new Map(), copies: new Map(), seed: [], gaps: [] }
  const hide: Hide = (text) => found.copied?.hide(text) ?? text
  const narrator = hidingNarrator(tools.narrator, hide)
  return { request, tools: { ...tools, narrator }, journal: startJournal(tools.clock, narrator), hide, found }
}

/** The end at the present stage: failed, or cancelled when the job is. */
export function failedAt({ found, tools, hide }: Rehearsing, reason: string, isConfiguration = false): Ended {
  const { stage } = found
  if (tools.cancelled.aborted) return { kind: 'cancelled', stage }
  return { kind: 'failed', stage, reason: hide(reason), isConfiguration }
}

/** What checks are run against: the database of the rehearsal, with a module that has to be live. */
export function checkPlace({ request, tools }: Rehearsing, module: Module, schema: Schema, since: LogMark): CheckPlace {
  const { server, anonymous, clock, cancelled } = tools
  const { database } = request
  const expectedHash = module.hash
  return { server, anonymous, database, expectedHash, schema, since, isThrowAway: true, clock, cancelled }
}

/** Microseconds since the epoch: the server that is thrown away has the clock of this machine. */
export function microsNow({ tools }: Rehearsing): bigint {
  return BigInt(tools.clock.now()) * 1000n
}

/** At the start of a sentence. */
export const thrownAway = 'The server that is thrown away'

/** How long the rows of all tables may take to be counted, in milliseconds. */
const countingTime = 60_000

/** Counts the old module's tables in the database of the rehearsal. What can't be counted is left open. */
export async function countHere(rehearsing: Rehearsing, when: Exclude<keyof RowCounts, 'production'>): Promise<void> {
  const { request, tools } = rehearsing
  await count(rehearsing, { ...tools, name: thrownAway, database: request.database }, when)
}

/** Counts the tables of the live database, where there is one. */
export async function countProduction(rehearsing: Rehearsing): Promise<void> {
  const { old } = rehearsing.request
  if (old.kind === 'live') await count(rehearsing, { ...old, name: 'The live server' }, 'production')
}

async function count(
  { tools, found, journal }: Rehearsing,
  { server, name, database }: Pick<RehearsalTools, 'server'> & { readonly name: string; readonly database: string },
  when: keyof RowCounts
): Promise<void> {
  const { clock, cancelled } = tools
  const whenOver = `${name} took longer than ${countingTime / 1000} s to count the rows.`
  const ask = askUntil(server, name, database, { clock, cancelled, whenOver, deadline: clock.now() + countingTime })
  try {
    const counts = await countAll(ask, found.old?.schema ?? { tables: [] })
    for (const [table, rows] of counts) found.rows.set(table, { ...found.rows.get(table), [when]: rows })
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    if (error.isCancelled) return
    found.gaps.push(`Rows were not all counted (${when}): ${error.message}`)
    journal.warn(`Rows could not all be counted: ${error.message}`)
  }
}

/** The tables that have fewer rows than before, as the end of a sentence; `undefined` when there are none. */
export function lostRows({ found }: Rehearsing, before: keyof RowCounts, after: keyof RowCounts): string | undefined {
  const lost = [...found.rows].flatMap(([table, counts]) => {
    const [had, has] = [counts[before], counts[after]]
    return had !== undefined && has !== undefined && has < had ? `${table} has ${has} rows and had ${had}` : []
  })
  return lost.length === 0 ? undefined : lost.join(', ')
}
