import { elapsedText } from '../../duration.ts'
import { code, escapeMarkdown, quote, sections, table } from '../../markdown.ts'
import { renderPlan } from '../../migration/render.ts'
import type { Result } from '../deployment.ts'
import type { RecordedRelease } from '../ledger/ledger.ts'
import { headlineOf, marks, releaseLink, renderAdvice, renderReason, renderState } from '../summary.ts'
import {
  failuresIn,
  hashAfter,
  hasSucceeded,
  type NotBegun,
  type Promoted,
  type Promotion,
  type SharedPlan,
  type Stop,
  wasBegun
} from './promotion.ts'
import type { RecoveredPromotion } from './recover-all.ts'

/** Where the module came from, for the reader. */
export type Provenance = {
  /** The database: `"staging-game" on https://…`. */
  readonly from: string
  /** The release that brought it there, as far as known. */
  readonly release?: RecordedRelease | undefined
  /** Where its bytes came from. */
  readonly source: string
}

/**
 * The job summary of a promotion to several databases, as Markdown: what came of it in one line, all databases in one
 * table, what to do where it failed, and the plans.
 */
export function renderPromotion(promotion: Promotion, provenance?: Provenance): string {
  const failures = failuresIn(promotion)
  const parts = [
    `## ${markOf(promotion)} ${promotionHeadline(promotion)}`,
    promotion.stop && quote(stopText(promotion.stop, notBegunIn(promotion))),
    renderTable(promotion),
    promotion.ledgerWarning && `**The ledger of releases:** ${escapeMarkdown(promotion.ledgerWarning)}`,
    ...failures.slice(0, mostDetails).map((failed) => renderFailure(failed, promotion)),
    failures.length > mostDetails && `*And ${failures.length - mostDetails} more: see the table and the log.*`,
    renderFacts(promotion, provenance),
    ...promotion.plans.slice(0, mostPlans).map(renderShared),
    promotion.plans.length > mostPlans && `*And ${promotion.plans.length - mostPlans} more plans: see the files.*`
  ]
  return `${sections(parts)}\n`
}

/** The job summary of a post step that had to finish or undo a promotion. */
export function renderRecoveredPromotion(promotion: RecoveredPromotion): string {
  const { recovered } = promotion
  const what = recovered.length === 0 ? 'Nothing' : recovered.map(code).join(', ')
  const about = `${what} had to be finished or undone after the promotion was cut off.`
  return `${sections([renderPromotion(promotion).trimEnd(), about])}\n`
}

/** One failure is mostly like the other. */
const mostDetails = 10
const mostPlans = 5

/** How a promotion ended, in one line. */
export function promotionHeadline(promotion: Promotion): string {
  const { databases, isDryRun } = promotion
  const all = databases.length
  const good = databases.filter(wasBegun).filter(({ result }) => passing.has(result)).length
  const runs = all === 1 ? 'database runs' : 'databases run'
  const can = all === 1 ? 'database' : 'databases'
  const what = isDryRun ? `${can} can get the module: a dry run, nothing was changed` : `${runs} the promoted module`
  const refused = failuresIn(promotion)
  const others = [...countsOf(refused), ...(notBegunIn(promotion) > 0 ? [`${notBegunIn(promotion)} not begun`] : [])]
  const rest = others.length === 0 ? '' : ` (${others.join(', ')})`
  return `${good} of ${all} ${what}${rest}`
}

const passing: ReadonlySet<Result> = new Set(['created', 'updated', 'unchanged', 'planned'])

function countsOf(failures: readonly Promoted[]): string[] {
  const results = [...new Set(failures.map(({ result }) => result))]
  return results.map((result) => `${failures.filter((each) => each.result === result).length} ${result}`)
}

function markOf(promotion: Promotion): string {
  if (hasSucceeded(promotion)) return '✅'
  return failuresIn(promotion).every(({ result }) => result === 'refused') ? '⛔' : '❌'
}

function notBegunIn({ databases }: Promotion): number {
  return databases.filter(({ result }) => result === 'not-begun').length
}

/** Why databases are left that were not begun. */
export function stopText(stop: Stop, count: number): string {
  const left = count === 1 ? '1 database was not begun and is' : `${count} databases were not begun and are`
  switch (stop.kind) {
    case 'canary':
      return `The canary, ${stop.database}, failed. ${left} as before.`
    case 'failure':
      return `${stop.database} failed, and nothing was begun after that (\`stop-on-failure\`). ${left} as before.`
    case 'cancelled':
      return `The job was cancelled. ${left} as before.`
  }
}

function renderTable({ databases, moduleHash, isDryRun }: Promotion): string {
  const rows = databases.map((each) => (wasBegun(each) ? rowOf(each, moduleHash, isDryRun) : emptyRow(each)))
  return table(['Database', 'Before', 'After', 'Verdict', 'Result', 'Checks', 'Took'], rows, [
    'l',
    'l',
    'l',
    'l',
    'l',
    'l',
    'r'
  ])
}

function rowOf(each: Promoted, promoted: Promotion['moduleHash'], isDryRun: boolean): string[] {
  const { database, before, verdict, wayBack, result, milliseconds } = each
  const way = wayBack && wayBack.reversible !== 'yes' ? `, reversible: ${wayBack.reversible}` : ''
  return [
    code(database),
    short(before),
    isDryRun ? '' : afterText(each, promoted),
    verdict === undefined ? '' : `${verdict}${way}`,
    `${marks[result]} ${result}`,
    isDryRun ? '' : checksText(each),
    elapsedText(milliseconds)
  ]
}

function emptyRow({ database }: NotBegun): string[] {
  return [code(database), '', '', '', '– not begun', '', '']
}

function afterText(each: Promoted, promoted: Promotion['moduleHash']): string {
  if (each.live.kind === 'none') return 'none'
  const hash = hashAfter(each, promoted)
  return hash === undefined ? 'not known' : short(hash)
}

function short(hash: string | undefined): string {
  return hash === undefined ? '' : code(hash.slice(0, 12))
}

function checksText({ healthCheck, checks, result }: Promoted): string {
  const parts = [
    ...(healthCheck === undefined || !asksForHealth.has(result) ? [] : [code(healthCheck)]),
    ...(checks === undefined ? [] : [`${checks.passed} passed, ${checks.failed} failed, ${checks.skipped} skipped`])
  ]
  return parts.join(', ')
}

/** Those in which the health check was called. */
const asksForHealth: ReadonlySet<Result> = new Set(['created', 'updated', 'unchanged', 'unhealthy', 'rolled-back'])

function renderFailure(failed: Promoted, { server, moduleHash }: Promotion): string {
  const { database, before, verdict, result } = failed
  const outcome = { ...failed, server, moduleHash, previousHash: before, isManual: verdict === 'manual' }
  return sections([
    `### ${marks[result]} ${headlineOf(failed, code(database))}`,
    renderReason(failed),
    renderState(failed),
    renderAdvice(outcome)
  ])
}

function renderShared({ before, judgement, databases }: SharedPlan): string {
  const whose = databases.length === 1 ? code(databases[0] ?? '') : `${databases.length} databases`
  const what = before === undefined ? 'a live module that nobody can read' : short(before)
  return sections([`## From ${what}: ${whose}`, renderPlan(judgement, { limit: 30_000 })])
}

function renderFacts(
  { server, identity, moduleHash, releases = [] }: Promotion,
  provenance: Provenance | undefined
): string {
  const rows: (readonly [string, string | undefined])[] = [
    ['Server', code(server)],
    ['Deployed as', code(identity)],
    ['Promoted module', code(moduleHash)],
    ['Release', releases.length === 0 ? undefined : releases.map(releaseLink).join(', ')],
    ...(provenance ? factsOf(provenance) : [])
  ]
  const [head = [], ...rest] = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return table(head, rest)
}

function factsOf({ from, release, source }: Provenance): (readonly [string, string | undefined])[] {
  return [
    ['From', escapeMarkdown(from)],
    ['Its release there', release && releaseLink(release)],
    ['Built from', release?.record.commit && code(release.record.commit)],
    ['Bytes from', escapeMarkdown(source)]
  ]
}

/** Where the module of a promotion to one database came from, as Markdown: the rest is a deploy's summary. */
export function renderProvenance(provenance: Provenance): string {
  const [head = [], ...rest] = factsOf(provenance).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]]
  )
  return `${table(head, rest)}\n`
}
