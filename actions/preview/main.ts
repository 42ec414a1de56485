import { notice } from '../../src/action/annotations.ts'
import { type Connection, openConnection } from '../../src/action/connection.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { escapeMarkdown } from '../../src/markdown.ts'
import { type Preview, previewOf } from '../../src/preview/preview.ts'
import { runCleanup, runDelete } from './deleting.ts'
import { type GitHubSide, gitHubSide, readEvent } from './github.ts'
import { reasonForNoCredential, reasonNotToTrust } from './skipping.ts'
import type { spec } from './spec.ts'
import { type Task, taskOf } from './task.ts'

/** What each of the tasks works with. */
export type PreviewStep = {
  readonly inputs: Inputs<typeof spec>
  readonly step: Step<typeof spec>
  readonly github: GitHubSide
  readonly connection: Connection
}

export async function main(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const { environment } = step
  const task = taskOf(inputs, environment.GITHUB_EVENT_NAME, await readEvent(environment))
  const preview = task.kind === 'cleanup' ? undefined : previewOf(inputs.prefix, task.number)
  const github = gitHubSide(inputs, environment)
  const reason =
    (await reasonForNoCredential(inputs, environment)) ??
    (await reasonNotToTrust(task, environment)) ??
    (await reasonOfLate(task, github))
  if (reason !== undefined) return skip(reason, preview, step)
  const connection = await openConnection(inputs, environment)
  const outcome = await carryOut(task.kind, preview, { inputs, step, github, connection })
  return { ...outcome, outputs: { identity: connection.credential.identity, ...factsOf(preview), ...outcome.outputs } }
}

async function carryOut(
  kind: Task['kind'],
  preview: Preview | undefined,
  work: PreviewStep
): Promise<Outcome<typeof spec>> {
  if (preview === undefined) return runCleanup(work)
  if (kind === 'delete') return runDelete(preview, work)
  // Publishing takes code that deleting does without.
  const { runUpdate } = await import('./updating.ts')
  return runUpdate(preview, work)
}

/** Why what the event asks for does not hold any more: a run may have waited, or be a repeated one. */
async function reasonOfLate(task: Task, github: GitHubSide): Promise<string | undefined> {
  if (task.kind === 'cleanup' || !task.isByEvent) return undefined
  const { kind } = await github.pullRequest(task.number)
  if (task.kind === 'update' && kind === 'closed') return `The pull request #${task.number} is closed by now.`
  if (task.kind === 'delete' && kind === 'open') return `The pull request #${task.number} is open again.`
  return undefined
}

async function skip(
  reason: string,
  preview: Preview | undefined,
  { environment }: Step<typeof spec>
): Promise<Outcome<typeof spec>> {
  const message = `${reason} Nothing was done.`
  notice('No preview', message)
  await writeSummary(`## ⏭️ Preview: nothing was done\n\n${escapeMarkdown(message)}\n`, environment)
  return { outputs: { result: 'skipped', ...factsOf(preview) } }
}

function factsOf(preview: Preview | undefined) {
  return preview && { database: preview.database, pullRequest: String(preview.number) }
}
