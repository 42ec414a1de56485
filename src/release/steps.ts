import { runSteps, type StepsOutcome, stepsReport } from '../steps/run-steps.ts'
import type { Checkpoint } from './checkpoint.ts'
import { unfitData } from './data.ts'
import type { Ending } from './deployment.ts'
import type { Work } from './work.ts'

/**
 * Runs the steps before the publish, and looks at the data once they are done. Answers how the release ends when one
 * fails, or when the data does not fit afterwards: nothing is published then. Never throws.
 */
export async function runStepsBefore(work: Work, checkpoint: Omit<Checkpoint, 'phase'>): Promise<Ending | undefined> {
  const { request, tools, journal } = work
  const before = request.steps?.before ?? []
  if (before.length === 0) return undefined
  tools.remember({ ...checkpoint, phase: 'preparing' })
  const outcome = await runSteps(tools.server, request.database, before, { ...tools, journal })
  const ending = outcome.kind === 'done' ? await unfitData(work) : stopped(outcome)
  if (ending === undefined) return undefined
  tools.remember({ ...checkpoint, phase: 'settled' })
  return { ...ending, stepsRan: outcome.kind === 'done' || outcome.ran.length > 0 || outcome.effect !== 'none' }
}

function stopped(outcome: StepsOutcome): Ending {
  const reason = `The steps before the publish did not come to their end, so nothing was published.\n${stepsReport(outcome)}`
  return { result: 'failed', live: { kind: 'previous' }, reason }
}

/** Why the steps after the publish did not come to their end; `undefined` when they did, or there are none. */
export async function runStepsAfter({
  request,
  tools,
  journal
}: Work): Promise<{ readonly kind: 'unhealthy' | 'cancelled'; readonly reason: string } | undefined> {
  const after = request.steps?.after ?? []
  if (after.length === 0) return undefined
  const outcome = await runSteps(tools.server, request.database, after, { ...tools, journal })
  if (outcome.kind === 'done') return undefined
  const kind = outcome.kind === 'cancelled' ? 'cancelled' : 'unhealthy'
  return { kind, reason: `The steps after the publish did not come to their end.\n${stepsReport(outcome)}` }
}
