import { resolve } from 'node:path'
import type { Outcome } from '../../src/action/run.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { Preview } from '../../src/preview/preview.ts'
import { isNew, isThere, type PreviewFacts, renderComment, renderUpdate } from '../../src/preview/report.ts'
import { type PreviewUpdate, updatePreview } from '../../src/preview/update.ts'
import { readSeed } from '../../src/rehearsal/seed-file.ts'
import { isSuccess } from '../../src/release/deployment.ts'
import { headlineOf } from '../../src/release/summary.ts'
import { healthChoice } from '../../src/smoke/health.ts'
import { type GivenModule, givenModule } from '../given-module.ts'
import { notesOf, openLedger } from '../ledger.ts'
import { deployTools, type Failing, stepFolder } from '../releasing.ts'
import { checkingFor } from '../wanted-checks.ts'
import { commitOf } from './commit.ts'
import { readEvent } from './github.ts'
import type { PreviewStep } from './main.ts'
import { retireReleases } from './retiring.ts'
import type { spec } from './spec.ts'
import { checkpoint, unfilled } from './state.ts'

/** Creates or updates the preview, and says so in the summary and on the pull request. */
export async function runUpdate(preview: Preview, work: PreviewStep): Promise<Outcome<typeof spec>> {
  const { inputs, step, github, connection } = work
  const { environment } = step
  const wanted = await wantedModule(work)
  // What writes may do so: a preview is there to be tried on.
  const checkInputs = { ...inputs, soak: undefined, allowWrites: true }
  const checking = await checkingFor(checkInputs)
  const checks = await checking?.releaseChecksIn(checkInputs)
  const seed = inputs.seed === undefined ? undefined : await readSeed(inputs.seed)
  const folder = resolve(inputs.reportFolder ?? stepFolder(environment))
  await checking?.makeReportFolder(folder)
  const commit = commitOf(environment, await readEvent(environment))
  const ledger = await openLedger({ ...inputs, isTransient: true }, preview.database, environment)
  const update = await updatePreview(
    {
      preview,
      module: wanted.module,
      modulePath: wanted.path,
      healthCheck: healthChoice(inputs.healthCheck),
      healthTimeout: inputs.healthTimeout,
      checks,
      notes: notesOf('preview', environment, commit),
      dryRun: inputs.dryRun,
      seed,
      remaking: inputs.remake
    },
    {
      ...deployTools('preview', connection, step, checkpoint.save, ledger),
      releases: github.releases,
      onReport: checking?.tellCheck,
      rememberUnfilled: (isUnfilled) => unfilled.save(isUnfilled ? preview : null)
    }
  )
  const facts = factsOf(preview, work, commit.commit, seed !== undefined)
  await writeSummary(renderUpdate(update, facts), environment)
  const checked = update.deployment && (await checking?.reportChecks(update.deployment, folder, environment))
  const isGone = update.unfilled?.kind === 'deleted'
  if (isGone || (update.remadeBecause !== undefined && !inputs.dryRun)) {
    const place = { server: connection.server.url, database: preview.database }
    await retireReleases(ledger, place, isGone ? undefined : update.deployment?.release?.id)
  }
  if (!inputs.dryRun) await github.comment(preview, renderComment(update, facts))
  return { outputs: { ...outputsOf(update, facts, wanted), ...checked }, ...failureOf(update, preview) }
}

async function wantedModule({ inputs, step }: PreviewStep): Promise<GivenModule> {
  const wanted = await givenModule(inputs, stepFolder(step.environment), step.environment)
  if (wanted !== undefined) return wanted
  throw new ConfigurationError(
    "Say which module the preview is to show: `module` (a file) or `artifact` (the name of `build-module`'s artifact of this run). Only to delete a preview it may be left out."
  )
}

function factsOf(
  preview: Preview,
  { connection, step }: PreviewStep,
  commit: string | undefined,
  isSeeded: boolean
): PreviewFacts {
  const { run } = notesOf('preview', step.environment)
  return { preview, server: connection.server.url, commit, run, isSeeded }
}

function outputsOf(update: PreviewUpdate, { preview, server }: PreviewFacts, { module }: GivenModule) {
  const { result, deployment } = update
  return {
    result: resultOf(result),
    verdict: deployment?.judgement?.verdict,
    moduleHash: module.hash,
    databaseIdentity: deployment?.databaseIdentity,
    isNew: String(isNew(update)) as 'true' | 'false',
    ...(isThere(update) && { url: `${server}/v1/database/${preview.database}` })
  }
}

/** A preview is never rolled back: that its release would end so is not foreseen. */
function resultOf(result: PreviewUpdate['result']) {
  if (result === 'rolled-back' || result === 'rollback-failed') throw new Error(`A preview was ${result}.`)
  return result
}

function failureOf({ result, deployment, reason, unfilled: left }: PreviewUpdate, { database }: Preview): Failing {
  if (result === 'remade' || isSuccess(result)) return {}
  if (deployment?.isConfiguration) return { failure: { title: 'preview: wrong configuration', message: reason ?? '' } }
  const headline = deployment && left === undefined ? headlineOf(deployment, database) : undefined
  const deletion = left && 'reason' in left ? left.reason : left && 'The new database was deleted again.'
  const message = [headline, reason, deletion].filter((line) => line !== undefined).join('\n')
  return { failure: { title: `preview: ${result}`, message } }
}
