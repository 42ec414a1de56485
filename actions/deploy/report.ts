import type { Outputs } from '../../src/action/spec.ts'
import type { Checkpoint } from '../../src/release/checkpoint.ts'
import { type Deployment, type Ending, isSuccess } from '../../src/release/deployment.ts'
import { headlineOf } from '../../src/release/summary.ts'
import type { spec } from './spec.ts'

/** The outputs that a deployment sets, whatever its result. */
export function outputsOf(deployment: Deployment): Outputs<typeof spec> {
  const { judgement } = deployment
  return {
    result: deployment.result,
    verdict: judgement?.verdict ?? (deployment.exists === false ? 'none' : undefined),
    reversible: judgement?.wayBack.reversible,
    conditions: JSON.stringify(conditionsOf(deployment)),
    plan: deployment.planPath,
    moduleHash: deployment.moduleHash,
    previousModuleHash: deployment.previousHash,
    databaseIdentity: deployment.databaseIdentity,
    identity: deployment.identity,
    previousModule: deployment.previousModulePath
  }
}

/** The outputs of a step that is killed from now on: what is live is not known, and how to go back is. */
export function outputsOfCutOff({ next, previous }: Checkpoint): Outputs<typeof spec> {
  return {
    result: 'unknown',
    moduleHash: next.hash,
    previousModuleHash: previous?.hash,
    previousModule: previous?.path
  }
}

function conditionsOf({ judgement }: Deployment) {
  if (!judgement) return []
  return [
    ...judgement.conditions.map((condition) => ({ way: 'forward', ...condition })),
    ...judgement.wayBack.conditions.map((condition) => ({ way: 'back', ...condition }))
  ]
}

/** The error of a step whose ending isn't what was asked for. */
export function failureOf(ending: Ending, database: string): { failure?: { title: string; message: string } } {
  if (isSuccess(ending.result)) return {}
  if (ending.isConfiguration) {
    return { failure: { title: 'deploy: wrong configuration', message: ending.reason ?? '' } }
  }
  return {
    failure: { title: `deploy: ${ending.result}`, message: `${headlineOf(ending, database)}\n${ending.reason}` }
  }
}
