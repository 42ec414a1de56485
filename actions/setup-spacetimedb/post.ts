import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { tidyUp } from '../leftovers.ts'
import type { spec } from './spec.ts'
import { leftovers } from './state.ts'

/** Stops the server, shows its log where the job failed, keeps the archive, and removes all else. */
export async function post(
  { jobStatus }: Inputs<typeof spec>,
  { environment }: Step<typeof spec>
): Promise<Outcome<typeof spec>> {
  const left = leftovers.read(environment)
  const showLog = jobStatus === 'failure' || jobStatus === 'cancelled'
  if (left !== undefined) await tidyUp(left, { action: 'setup-spacetimedb', showLog, environment })
  return { outputs: {} }
}
