import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { finishCutOff } from '../releasing.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

/** Finishes or undoes what the main step began, when it was cut off. */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  return { outputs: {}, ...(await finishCutOff('deploy', checkpoint, inputs, step)) }
}
