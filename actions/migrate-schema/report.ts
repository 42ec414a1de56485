import { warn } from '../../src/action/annotations.ts'
import { inputsAndState, withoutVariables } from '../../src/action/hidden-variables.ts'
import { log } from '../../src/action/log.ts'
import type { Step } from '../../src/action/run.ts'
import type { Inputs, Outputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { gitHubArtifacts } from '../../src/github/artifacts.ts'
import { type Plan, planDigest } from '../../src/migration/plan-file.ts'
import { type MigrationReport, renderMigration } from '../../src/migration/report.ts'
import { worstFirst } from '../../src/migration/worst-first.ts'
import { conditionsOf } from '../releasing.ts'
import { commentOnPullRequest } from './comment.ts'
import { annotateSource } from './source.ts'
import type { spec } from './spec.ts'

export type Publication = {
  readonly inputs: Inputs<typeof spec>
  readonly step: Step<typeof spec>
  readonly folder: string
  /** Of plan.json. */
  readonly path: string
}

/**
 * Shows a plan in the summary, as a comment, on the lines of the source, and keeps it as an artifact: each as far as it
 * is possible. None of it ever fails the step. Returns the id of the artifact.
 */
export async function publishReport(report: MigrationReport, publication: Publication): Promise<string | undefined> {
  const { inputs, step } = publication
  await writeSummary(renderMigration(report), step.environment)
  await annotateSource(report, inputs.source, step.environment)
  await commentOnPullRequest(report, inputs, step.environment)
  return inputs.uploadPlan ? uploadPlan(publication) : undefined
}

async function uploadPlan({ inputs, step, folder, path }: Publication): Promise<string | undefined> {
  const artifacts = gitHubArtifacts({ environment: step.environment })
  const artifact = { name: inputs.planArtifact, files: [path], folder }
  const uploaded = await withoutVariables(inputsAndState, () => artifacts.upload(artifact))
  if (uploaded.kind === 'uploaded') return String(uploaded.id)
  if (uploaded.problem === 'not-on-a-runner') log(`The plan was not kept as an artifact: ${uploaded.reason}`)
  else warn('No artifact of the plan', uploaded.reason)
  return undefined
}

/** The outputs of a step that has made a plan. */
export function outputsOfPlan({ plan, decision }: MigrationReport, path: string): Outputs<typeof spec> {
  const { exists, moduleHash, previousHash, target } = plan
  const isUnchanged = target !== undefined && exists && previousHash === moduleHash
  return {
    ...outputsInPlan(plan),
    result: decision?.allowed === false ? 'refused' : isUnchanged ? 'unchanged' : 'planned',
    plan: path
  }
}

/** What a plan says, as outputs. */
export function outputsInPlan(plan: Plan) {
  const { verdict, changes, wayBack, exists, moduleHash, previousHash, target } = plan
  return {
    verdict,
    reversible: wayBack?.reversible,
    changes: changesText(changes),
    conditions: JSON.stringify(conditionsOf({ ...plan, wayBack })),
    exists: exists ? ('true' as const) : ('false' as const),
    planDigest: planDigest(plan),
    moduleHash,
    previousModuleHash: previousHash,
    databaseIdentity: target?.databaseIdentity
  }
}

/** All outputs of a job together may have 1 MB (https://docs.github.com/actions/reference/limits). */
const longestOutput = 200_000

function changesText(changes: Plan['changes']): string {
  const all = worstFirst(changes)
  const short = all.map(({ id, kind, subject, what, verdict }) => JSON.stringify({ id, kind, subject, what, verdict }))
  let room = longestOutput
  const fitting = short.filter((text) => {
    room -= text.length + 1
    return room > 0
  })
  return `[${fitting.join(',')}]`
}
