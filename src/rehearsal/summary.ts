import { code, escapeMarkdown, quote, sections, table } from '../markdown.ts'
import { renderPlan } from '../migration/render.ts'
import { isSuccess } from '../release/deployment.ts'
import { renderDeployment } from '../release/summary.ts'
import { countsOf, hasPassed, type SmokeReport } from '../smoke/check-report.ts'
import type { Rehearsal, RehearsedTable, Stage, WayBackReport } from './rehearsal.ts'

/**
 * The section of a summary on a rehearsal, as Markdown: how it ended, what was rehearsed with how many rows, the plan or
 * the deploy's own report, the way back, and what could not be shown. The checks of the new module are in it by number;
 * whoever ran them renders them.
 */
export function renderRehearsal(rehearsal: Rehearsal, { hasPlan = true }: { readonly hasPlan?: boolean } = {}): string {
  const { outcome, deployment } = rehearsal
  if (outcome.kind === 'nothing-to-rehearse') {
    const reason = escapeMarkdown(outcome.reason.replace(/\.$/, ''))
    return `## ℹ️ No rehearsal\n\nThere is nothing to rehearse with: ${reason}. ${whatFollows}\n`
  }
  const isMigrated = deployment !== undefined && isSuccess(deployment.result)
  return `${sections([
    `## ${headlineOf(rehearsal)}`,
    'reason' in outcome && quote(outcome.reason),
    outcome.kind === 'not-rehearsed' &&
      `Nobody has asked for a rehearsal by name, so this is no failure. ${whatFollows}`,
    renderFacts(rehearsal),
    renderSeed(rehearsal),
    renderTables(rehearsal.tables),
    deployment && !isMigrated
      ? folded('The deploy on the server that was thrown away', renderDeployment(deployment))
      : undefined,
    hasPlan && isMigrated && deployment.judgement ? renderPlan(deployment.judgement, { limit: 20_000 }) : undefined,
    renderChecks(rehearsal.checksBefore, 'The old module, before'),
    renderChecks(rehearsal.checks, 'The new module'),
    renderWayBack(rehearsal.wayBack),
    renderLimits(rehearsal.limits)
  ])}\n`
}

const whatFollows = 'What follows is a plain smoke test of the new module.'

function headlineOf({ outcome, deployment, old }: Rehearsal): string {
  switch (outcome.kind) {
    case 'passed':
      return deployment?.result === 'unchanged'
        ? `✅ Rehearsed: ${old.kind === 'live' ? 'the live module' : 'the module of the base branch'} is this one already`
        : '✅ Rehearsed: the migration works'
    case 'cancelled':
      return `⏹️ The rehearsal was cancelled at: ${stages[outcome.stage]}`
    case 'failed':
      return `❌ The rehearsal failed at: ${stages[outcome.stage]}`
    default:
      return 'ℹ️ It could not be rehearsed'
  }
}

/** What is done in each part, for the reader. */
export const stages: Readonly<Record<Stage, string>> = {
  'old module': 'setting up the old module',
  seed: 'filling the database',
  'checks before': 'checking the old module',
  migration: 'the migration',
  checks: 'the checks of the new module',
  'way back': 'the way back'
}

function renderFacts({ old, moduleHash, milliseconds }: Rehearsal): string {
  const rows = [
    ['Old module', `${code(old.name)}${old.hash ? `, ${code(old.hash)}` : ''}`],
    ['New module', code(moduleHash)],
    ['Took', `${(milliseconds / 1000).toFixed(1)} s`]
  ]
  return table(['Rehearsed', ''], rows)
}

function renderSeed({ seed }: Rehearsal): string | undefined {
  if (seed.length === 0) return undefined
  const rows = seed.map(({ line, what, detail }) => [`${line}`, escapeMarkdown(what), escapeMarkdown(detail)])
  return `**Filled with**\n\n${table(['Line', 'Entry', 'What came of it'], rows, ['r', 'l', 'l'])}`
}

/** So many tables are shown; the others have their numbers in the JSON. */
const mostTables = 100

function renderTables(tables: readonly RehearsedTable[]): string | undefined {
  const columns = [
    ['In production', 'production'],
    ['Filled', 'filled'],
    ['Migrated', 'migrated'],
    ['Before the way back', 'leaving'],
    ['Back', 'back']
  ] as const
  const shown = columns.filter(([, when]) => tables.some(({ rows }) => rows[when] !== undefined))
  if (shown.length === 0) return undefined
  const rows = tables
    .slice(0, mostTables)
    .map(({ name, rows, copy }) => [code(name), ...shown.map(([, when]) => `${rows[when] ?? '–'}`), copyText(copy)])
  const head = ['Table', ...shown.map(([title]) => title), 'Copied']
  const more = tables.length > mostTables ? `\n\n*And ${tables.length - mostTables} more tables.*` : ''
  return `**Rows**\n\n${table(head, rows, ['l', ...shown.map(() => 'r'), 'l'])}${more}`
}

function copyText(copy: RehearsedTable['copy']): string {
  if (copy === undefined) return '–'
  if (copy.kind === 'not-copied') return `no: ${escapeMarkdown(copy.reason)}`
  const cut = copy.isCut ? ', cut at the limit' : ''
  const masked = copy.masked.length > 0 ? `, masked: ${copy.masked.map(code).join(' ')}` : ''
  return `${copy.rows}${cut}${masked}`
}

function renderChecks(report: SmokeReport | undefined, title: string): string | undefined {
  if (report === undefined) return undefined
  const { passed, failed, skipped } = countsOf(report)
  const failures = report.reports.flatMap(({ check, outcome }) => {
    if (outcome.kind === 'failed') {
      return `- ${escapeMarkdown(check.name)}: expected ${escapeMarkdown(outcome.expected)}, found ${escapeMarkdown(outcome.actual)}`
    }
    return outcome.kind === 'not-run' ? `- ${escapeMarkdown(check.name)}: ${escapeMarkdown(outcome.reason)}` : []
  })
  const list = failures.length > 0 ? `\n\n${failures.join('\n')}` : ''
  return `**${title}:** ${passed} checks passed, ${failed} failed, ${skipped} skipped.${list}`
}

function renderWayBack(wayBack: WayBackReport | undefined): string | undefined {
  switch (wayBack?.kind) {
    case undefined:
      return undefined
    case 'gone-back':
      return `**The way back:** rehearsed. The old module was published again, ${countsOf(wayBack.checks).passed} checks passed, and the old module works with what the new one left${hasPassed(wayBack.checks) ? '' : ' as it did before: what fails had failed then too'}.`
    case 'impossible':
      return `**The way back:** there is none: ${escapeMarkdown(wayBack.reason)}.`
    case 'not-now':
      return `**The way back:** not with the rows that were there after the checks: ${escapeMarkdown(wayBack.reason)}.`
    case 'failed':
      return [
        `**The way back:** it failed.`,
        quote(wayBack.reason),
        renderChecks(wayBack.checks, 'The old module, back')
      ]
        .filter((text) => text !== undefined)
        .join('\n\n')
  }
}

function renderLimits(limits: readonly string[]): string | undefined {
  if (limits.length === 0) return undefined
  return `**What this rehearsal did not show**\n\n${limits.map((text) => `- ${escapeMarkdown(text)}`).join('\n')}`
}

/** Headlines are a level lower inside. */
function folded(title: string, markdown: string): string {
  return `<details open><summary>${title}</summary>\n\n${markdown.replace(/^#/, '##').trimEnd()}\n\n</details>`
}
