import { code, escapeMarkdown, quote, sections, table } from '../markdown.ts'
import { isSuccess } from '../release/deployment.ts'
import { headlineOf, renderDeployment } from '../release/summary.ts'
import { countsOf, failuresOf } from '../smoke/check-report.ts'
import type { Cleanup, CleanupEntry } from './cleanup.ts'
import type { Deletion } from './delete.ts'
import type { Preview } from './preview.ts'
import type { PreviewUpdate } from './update.ts'

/** Where a preview is, and which commit it is to show. */
export type PreviewFacts = {
  readonly preview: Preview
  /** The server's URL. */
  readonly server: string
  readonly commit: string | undefined
  /** The page of the run. */
  readonly run: string | undefined
  readonly isSeeded: boolean
}

/** The job summary of an update, as Markdown: how it ended, where the preview is, and the publish in full. */
export function renderUpdate(update: PreviewUpdate, facts: PreviewFacts): string {
  const { deployment } = update
  return `${sections([
    `## ${updateHeadline(update, facts.preview)}`,
    renderReason(update),
    renderUnfilled(update),
    renderAddress(update, facts),
    renderRemaking(update),
    // Of a database that is deleted again it would say what was there before.
    deployment &&
      update.unfilled?.kind !== 'deleted' &&
      renderDeployment(deployment).trimEnd().replace(/^## /, '### The publish: ')
  ])}\n`
}

/** The comment on a pull request about its preview: short, the rest is in the summary of the run. */
export function renderComment(update: PreviewUpdate, facts: PreviewFacts): string {
  const { smoke, moduleHash } = update.deployment ?? {}
  const counts = smoke && countsOf(smoke)
  const rows = [
    ['Commit', facts.commit && code(facts.commit.slice(0, 12))],
    ['Module', moduleHash && code(moduleHash)],
    ['Checks', counts && `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`]
  ].flatMap(([name, value]) => (name && value ? [[name, value]] : []))
  const failed = smoke === undefined ? [] : failuresOf(smoke).slice(0, 10)
  return `${sections([
    `### ${updateHeadline(update, facts.preview)}`,
    update.reason && quote(update.reason),
    renderUnfilled(update),
    renderAddress(update, facts),
    isAsBefore(update) && 'It runs the module that it ran before, not that of this commit.',
    renderRemaking(update),
    rows.length > 0 && table(['This run', ''], rows),
    failed.length > 0 && `**Failed checks:** ${failed.map(({ check }) => escapeMarkdown(check.name)).join(', ')}`,
    facts.run && `[The run](${facts.run}) has more.`
  ])}\n`
}

/** How an update ended, in one line of Markdown. */
export function updateHeadline(
  { result, deployment, remadeBecause, unfilled }: PreviewUpdate,
  preview: Preview
): string {
  const name = code(preview.database)
  if (result === 'remade') return `✅ Preview: ${name} was deleted and made anew`
  if (unfilled)
    return `❌ Preview: ${name} could not be filled${unfilled.kind === 'deleted' ? ', and is deleted again' : ''}`
  if (result === 'planned' && remadeBecause !== undefined) {
    return `✅ Preview: ${name} would be deleted and made anew: a dry run, nothing was changed`
  }
  if (deployment) return `${isSuccess(deployment.result) ? '✅' : '❌'} Preview: ${headlineOf(deployment, name)}`
  if (result === 'refused') return `⛔ Preview: ${name} was not touched`
  return result === 'unknown'
    ? `❓ Preview: nobody could say what became of ${name}`
    : `❌ Preview: nothing was changed in ${name}`
}

function renderReason({ deployment, reason }: PreviewUpdate): string | undefined {
  // A failed deploy says itself why, in the same words.
  return reason === undefined || deployment?.reason === reason ? undefined : quote(reason)
}

function renderUnfilled({ unfilled }: PreviewUpdate): string | undefined {
  if (unfilled === undefined) return undefined
  return 'reason' in unfilled
    ? `It is filled in part, and could not be deleted again: ${escapeMarkdown(unfilled.reason)}`
    : 'Half of a seed would be taken for all of it by the next run, so the new database was deleted again.'
}

/** Whether the preview is there, as far as is known. */
export function isThere({ result, deployment, unfilled }: PreviewUpdate): boolean {
  if (unfilled?.kind === 'deleted' || deployment === undefined) return false
  return result !== 'planned' && deployment.live.kind !== 'none' && deployment.live.kind !== 'unknown'
}

/** Whether the preview was made just now, by this very update. */
export function isNew({ result, deployment, unfilled }: PreviewUpdate): boolean {
  if (unfilled?.kind === 'deleted' || result === 'unchanged') return false
  return deployment?.exists === false && deployment.live.kind === 'new'
}

function isAsBefore({ deployment }: PreviewUpdate): boolean {
  return deployment?.live.kind === 'previous'
}

function renderAddress(update: PreviewUpdate, { preview, server, isSeeded }: PreviewFacts): string | undefined {
  if (!isThere(update)) return undefined
  const { database } = preview
  const rows = [
    ['Database', code(database)],
    ['Address', code(`${server}/v1/database/${database}`)],
    ['Data', dataIn(update, isSeeded)],
    ['By hand', code(`spacetime sql --server ${server} ${database} 'SELECT * FROM …'`)]
  ]
  return table(['Server', code(server)], rows)
}

function dataIn(update: PreviewUpdate, isSeeded: boolean): string {
  if (!isNew(update)) return 'what was in it before'
  if (update.unfilled) return 'the seed in part'
  return isSeeded ? 'the seed alone' : 'none yet, but what the module writes itself'
}

function renderRemaking({ result, remadeBecause, deployment }: PreviewUpdate): string | undefined {
  if (remadeBecause === undefined) return undefined
  if (deployment === undefined) return `It would be made anew, since ${remadeBecause}: its data would be gone.`
  const now = result === 'remade' ? 'It was made anew' : 'The database of before was deleted'
  return `${now}, since ${remadeBecause}: the data that was in it is gone.`
}

/** How a deletion ended, in one line of Markdown. */
export function deletionHeadline({ kind }: Deletion, { database }: Preview): string {
  const name = code(database)
  switch (kind) {
    case 'deleted':
      return `🗑️ Preview: ${name} was deleted, with all its data`
    case 'planned':
      return `✅ Preview: ${name} would be deleted: a dry run, nothing was changed`
    case 'absent':
      return `✅ Preview: there is no ${name} to delete`
    case 'refused':
      return `⛔ Preview: ${name} was not deleted`
    case 'failed':
      return `❌ Preview: ${name} could not be deleted`
  }
}

/** The job summary of a deletion, and the comment on it. `why`: what it was to go for, where nobody has asked for it. */
export function renderDeletion(deletion: Deletion & { readonly why?: string }, preview: Preview): string {
  return `${sections([
    `### ${deletionHeadline(deletion, preview)}`,
    'reason' in deletion && quote(deletion.reason),
    deletion.why && `Why: ${escapeMarkdown(deletion.why)}.`
  ])}\n`
}

/** The job summary of a cleanup: a line for each preview. */
export function renderCleanup({ entries, unseen, isCancelled }: Cleanup, prefix: string): string {
  const deleted = entries.filter(({ outcome }) => outcome.kind === 'deleted').length
  const planned = entries.filter(({ outcome }) => outcome.kind === 'planned').length
  const counts = planned > 0 ? `${planned} would be deleted: a dry run` : `${deleted} of ${entries.length} deleted`
  const rows = entries.map((entry) => [code(entry.preview.database), words[entry.outcome.kind], whyOf(entry)])
  return `${sections([
    `## ${isCancelled ? '⏹️' : '🧹'} Previews ${code(`${prefix}-pr-…`)}: ${counts}`,
    isCancelled && 'The job was cancelled before all were looked at.',
    rows.length > 0
      ? table(['Preview', 'What became of it', 'Why'], rows)
      : 'None was found among the databases of this identity.',
    unseen.length > 0 &&
      `**Not looked at:** the names of ${unseen.length} databases could not be asked for.\n\n${quote(unseen.map(({ reason }) => reason).join('\n'))}`
  ])}\n`
}

const words: Readonly<Record<CleanupEntry['outcome']['kind'], string>> = {
  deleted: '🗑️ deleted',
  planned: 'would be deleted',
  absent: 'gone already',
  kept: 'kept',
  refused: '⛔ not touched',
  failed: '❌ could not be deleted'
}

function whyOf({ outcome }: CleanupEntry): string {
  return escapeMarkdown('reason' in outcome ? outcome.reason : outcome.why)
}
