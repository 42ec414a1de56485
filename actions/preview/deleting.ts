import { warn } from '../../src/action/annotations.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome } from '../../src/action/run.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { type CleanupEntry, cleanUp } from '../../src/preview/cleanup.ts'
import { type Deletion, deletePreview } from '../../src/preview/delete.ts'
import type { Preview } from '../../src/preview/preview.ts'
import { deletionHeadline, renderCleanup, renderDeletion } from '../../src/preview/report.ts'
import { openLedger } from '../ledger.ts'
import type { GitHubSide } from './github.ts'
import type { PreviewStep } from './main.ts'
import { retireReleases } from './retiring.ts'
import type { spec } from './spec.ts'

export async function runDelete(preview: Preview, work: PreviewStep): Promise<Outcome<typeof spec>> {
  const { inputs, step } = work
  const deletion = await deletePreview(preview, proofOf(work), inputs)
  const markdown = renderDeletion(deletion, preview)
  await writeSummary(markdown, step.environment)
  if (deletion.kind === 'deleted') await tellGone(preview, markdown, work)
  // A run that was cut off may have deleted it and not said so.
  if (deletion.kind === 'absent' && !inputs.dryRun) await tellGone(preview, markdown, work, { isOnlyChanged: true })
  const isGone = deletion.kind === 'deleted' || deletion.kind === 'planned'
  const outputs = {
    result: resultOf(deletion),
    deleted: JSON.stringify(isGone ? [preview.database] : []),
    ...(isGone && { databaseIdentity: deletion.identity })
  }
  if (!('reason' in deletion)) {
    log(deletionHeadline(deletion, preview))
    return { outputs }
  }
  return { outputs, failure: { title: `preview: ${outputs.result}`, message: deletion.reason } }
}

function resultOf(deletion: Deletion) {
  return deletion.kind === 'failed' && deletion.isUnknown ? ('unknown' as const) : deletion.kind
}

export async function runCleanup(work: PreviewStep): Promise<Outcome<typeof spec>> {
  const { inputs, step, github } = work
  const cleanup = await cleanUp(inputs, {
    ...proofOf(work),
    pullRequest: github.pullRequest,
    onEntry: tellEntry,
    cancelled: step.cancellation.signal
  })
  await writeSummary(renderCleanup(cleanup, inputs.prefix), step.environment)
  for (const { preview, outcome } of cleanup.entries) {
    if (outcome.kind === 'deleted') await tellGone(preview, renderDeletion(outcome, preview), work)
    if (outcome.kind === 'refused') warn(`${preview.database} was not deleted`, outcome.reason)
  }
  const { entries, unseen, isCancelled } = cleanup
  const failures = [
    ...entries.flatMap(({ preview, outcome }) =>
      outcome.kind === 'failed' ? [`${preview.database}: ${outcome.reason}`] : []
    ),
    ...unseen.map(({ reason }) => reason),
    ...(isCancelled ? ['The job was cancelled before all previews were looked at.'] : [])
  ]
  const outputs = {
    result: failures.length > 0 ? ('failed' as const) : inputs.dryRun ? ('planned' as const) : ('cleaned-up' as const),
    deleted: JSON.stringify(entries.filter(isGone).map(({ preview }) => preview.database)),
    kept: JSON.stringify(entries.flatMap(keptOf))
  }
  if (failures.length === 0) return { outputs }
  return { outputs, failure: { title: 'preview: failed', message: failures.join('\n') } }
}

function isGone({ outcome }: CleanupEntry): boolean {
  return outcome.kind === 'deleted' || outcome.kind === 'planned'
}

function keptOf({ preview, outcome }: CleanupEntry) {
  if (outcome.kind === 'kept') return [{ database: preview.database, reason: outcome.why }]
  return 'reason' in outcome ? [{ database: preview.database, reason: outcome.reason }] : []
}

function tellEntry({ preview, outcome }: CleanupEntry): void {
  log(`${preview.database}: ${outcome.kind} (${'reason' in outcome ? outcome.reason : outcome.why})`)
}

function proofOf({ connection, github }: PreviewStep) {
  const { server, credential } = connection
  return { server, identity: credential.identity, releases: github.releases, clock: systemClock }
}

/** Says it on the pull request, and in the ledger. */
async function tellGone(
  preview: Preview,
  markdown: string,
  { inputs, step, github, connection }: PreviewStep,
  how?: Parameters<GitHubSide['comment']>[2]
): Promise<void> {
  await github.comment(preview, markdown, how)
  const ledger = await openLedger(inputs, preview.database, step.environment)
  await retireReleases(ledger, { server: connection.server.url, database: preview.database })
}
