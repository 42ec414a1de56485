import type { Journal } from '../journal.ts'
import type { Schema } from '../module/schema.ts'
import { inOneLine } from '../one-line.ts'
import type { Server } from '../spacetimedb/server.ts'
import { type Ask, askUntil, type Bounds, Stopped, within } from './ask.ts'
import type { CopiedValues } from './copied-values.ts'
import { copyTable } from './copy-table.ts'
import { type CopyEntry, copiesOf } from './plan-copies.ts'
import type { SeedReport, TableOutcome } from './rehearsal.ts'
import type { Seed, SeedEntry } from './seed-file.ts'

/** What a database is filled with, and from where. */
export type FillPlace = {
  /** The one whose database is filled, and what it is called at the start of a sentence. */
  readonly server: Server
  readonly name: string
  readonly database: string
  /** The live database, which is only read; missing where there is none to copy from. */
  readonly live: Ask | undefined
  /** Of the module that is live there. */
  readonly schema: Schema
  readonly copied: CopiedValues
  readonly bounds: Bounds
  readonly tell: (text: string) => void
}

export type Filling = {
  readonly entries: readonly SeedReport[]
  readonly tables: ReadonlyMap<string, TableOutcome>
} & (
  | { readonly kind: 'filled' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' }
)

/** How many bytes of rows are copied at most, of all tables together. */
const mostBytes = 64 << 20

/** The bounds that a seed sets by its `deadline`, from now on. */
export function timeToFill(seed: Seed, { clock, cancelled }: Pick<Bounds, 'clock' | 'cancelled'>): Bounds {
  const whenOver = `The time for filling, ${seed.deadline / 1000} s (\`deadline\` of ${seed.path}), is over.`
  return { clock, cancelled, whenOver, deadline: clock.now() + seed.deadline }
}

/** Fills a database as a step of a piece of work. Never throws for what a server does. */
export function fillAsStep(seed: Seed, place: Omit<FillPlace, 'tell'>, journal: Journal): Promise<Filling> {
  return journal.step('Fill the database', async (step) => {
    const filling = await fill(seed, { ...place, tell: journal.tell })
    if (filling.kind === 'failed') step.fail(filling.reason)
    else step.detail(filling.kind === 'filled' ? `${filling.entries.length} entries of ${seed.path}` : 'cancelled')
    return filling
  })
}

/**
 * Fills a database with a seed, entry by entry, and ends with the first that fails. What can't be copied is no failure:
 * it is said. Never throws for what a server does.
 */
export async function fill(seed: Seed, place: FillPlace): Promise<Filling> {
  const entries: SeedReport[] = []
  const tables = new Map<string, TableOutcome>()
  const budget = { bytes: mostBytes }
  for (const entry of seed.entries) {
    const { line } = entry.place
    const what = titleOf(entry)
    try {
      const done = await carryOut(entry, seed, place, tables, budget)
      if (done.kind === 'failed') {
        return { kind: 'failed', reason: `${seed.path}:${line}: ${what}: ${done.reason}`, entries, tables }
      }
      entries.push({ line, what, detail: done.detail })
      place.tell(`    ${what}: ${done.detail}`)
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
      if (error.isCancelled) return { kind: 'cancelled', entries, tables }
      return { kind: 'failed', reason: `${seed.path}:${line}: ${what}: ${error.message}`, entries, tables }
    }
  }
  return { kind: 'filled', entries, tables }
}

function titleOf(entry: SeedEntry): string {
  switch (entry.kind) {
    case 'call':
      return `call ${entry.reducer}`
    case 'sql':
      return `sql ${inOneLine(entry.statement)}`
    case 'copy':
      return `copy ${entry.table}`
    case 'copy-all':
      return 'copy all'
  }
}

type Done = { readonly kind: 'done'; readonly detail: string } | { readonly kind: 'failed'; readonly reason: string }

async function carryOut(
  entry: SeedEntry,
  seed: Seed,
  place: FillPlace,
  tables: Map<string, TableOutcome>,
  budget: { bytes: number }
): Promise<Done> {
  switch (entry.kind) {
    case 'call':
      return callAgain(entry, place)
    case 'sql':
      return runStatement(entry.statement, place)
    default:
      return copyTables(entry, seed, place, tables, budget)
  }
}

async function copyTables(
  entry: CopyEntry,
  seed: Seed,
  { live, copied, bounds, server, name, database, schema, tell }: FillPlace,
  tables: Map<string, TableOutcome>,
  budget: { bytes: number }
): Promise<Done> {
  if (live === undefined) {
    return { kind: 'failed', reason: 'there is no live database to copy from: use `rehearse: live`, or take this out.' }
  }
  const target = askUntil(server, name, database, bounds)
  const outcomes: TableOutcome[] = []
  for (const copy of copiesOf(entry, seed, schema)) {
    const outcome = await copyTable(copy, { live, target, copied, budget }).catch((error) => {
      throw error instanceof Stopped && !error.isCancelled
        ? new Stopped(`table ${copy.table.name}: ${error.message}`)
        : error
    })
    if (outcome.kind === 'refused') return { kind: 'failed', reason: outcome.reason }
    tables.set(copy.table.name, outcome)
    outcomes.push(outcome)
    if (outcome.kind === 'not-copied') tell(`    ${copy.table.name} is not copied: ${outcome.reason}`)
  }
  return { kind: 'done', detail: copiesText(outcomes) }
}

async function callAgain(
  { reducer, args, times }: Extract<SeedEntry, { kind: 'call' }>,
  { server, name, database, bounds, copied }: FillPlace
): Promise<Done> {
  for (let count = 1; count <= times; count++) {
    const answer = await within(bounds, name, (timeout) => server.call(database, reducer, args, timeout))
    if (answer.kind === 'ok') continue
    const which = times === 1 ? '' : ` (call ${count} of ${times})`
    return { kind: 'failed', reason: `it failed${which}: ${copied.hide(answer.reason)}` }
  }
  return { kind: 'done', detail: times === 1 ? 'called' : `called ${times} times` }
}

async function runStatement(statement: string, { server, name, database, bounds, copied }: FillPlace): Promise<Done> {
  const answer = await askUntil(server, name, database, bounds)(statement)
  if (answer.kind === 'unreadable') return { kind: 'failed', reason: answer.reason }
  if (answer.kind === 'rejected') {
    return { kind: 'failed', reason: `the server refuses it: ${copied.hide(answer.reason)}` }
  }
  const { inserted, updated, deleted } = answer.stats
  return { kind: 'done', detail: `${inserted} inserted, ${updated} updated, ${deleted} deleted` }
}

function copiesText(outcomes: readonly TableOutcome[]): string {
  const copied = outcomes.flatMap((outcome) => (outcome.kind === 'copied' ? outcome.rows : []))
  const rows = copied.reduce((sum, count) => sum + count, 0)
  const left = outcomes.length - copied.length
  const tables = copied.length === 1 ? '1 table' : `${copied.length} tables`
  return `${rows} rows of ${tables}${left > 0 ? `, ${left} not copied` : ''}`
}
