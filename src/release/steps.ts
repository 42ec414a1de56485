import { messageOf } from '../errors.ts'
import { runSteps, stepsReport } from '../steps/run-steps.ts'
import { unfitData } from './data.ts'
import type { Ending } from './deployment.ts'
import type { Work } from './work.ts'

/**
 * Runs the steps before the publish, and looks at the data once they are done. Answers how the release ends when one
 * fails, or when the data does not fit afterwards: nothing is published then. Never throws.
 */
export async function runStepsBefore(work: Work): Promise<Ending | undefined> {
  const { request, tools, journal } = work
  const before = request.steps?.before ?? []
  if (before.length === 0) return undefined
  const live = { kind: 'previous' } as const
  const outcome = await runSteps(tools.server, request.database, before, { ...tools, journal })
  if (outcome.kind !== 'done') {
    const reason = `The steps before the publish did not come to their end, so nothing was published.\n${stepsReport(outcome)}`
    return { result: 'failed', live, reason }
  }
  try {
    return await unfitData(work)
  } catch (error) {
    return { result: 'failed', live, reason: `Nothing was published: ${messageOf(error)}` }
  }
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
