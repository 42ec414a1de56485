import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { finishCutOff } from '../releasing.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

/** Finds out how a plan that was being applied ended, when the step was cut off. A plan alone leaves nothing. */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const { server } = inputs
  if (server === undefined) return { outputs: {} }
  return { outputs: {}, ...(await finishCutOff('migrate-schema', checkpoint, { ...inputs, server }, step)) }
}
