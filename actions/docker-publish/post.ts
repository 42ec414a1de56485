import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { removeLeftImage } from '../image-leftovers.ts'
import type { spec } from './spec.ts'

/** Removes what was only for the main step, where that was cut off before it did. */
export async function post(_: Inputs<typeof spec>, { environment }: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  await removeLeftImage(environment)
  return { outputs: {} }
}
