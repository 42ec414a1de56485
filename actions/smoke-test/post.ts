import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { tidyUp } from '../leftovers.ts'
import type { spec } from './spec.ts'
import { leftovers } from './state.ts'

/** Ends the throw-away server where the main step was cut off before it did, and shows its log; keeps the archive. */
export async function post(
  { rehearse }: Inputs<typeof spec>,
  { environment }: Step<typeof spec>
): Promise<Outcome<typeof spec>> {
  const left = leftovers.read(environment)
  // A log may tell of rows that were copied from a live database.
  const showLog = rehearse !== 'live'
  if (left !== undefined) await tidyUp(left, { action: 'smoke-test', showLog, environment })
  return { outputs: {} }
}
