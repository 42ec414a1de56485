import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { finishCutOff } from '../releasing.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

/** Finds out how a rollback ended that was cut off. What it restored is kept: it is what was asked for. */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  return { outputs: {}, ...(await finishCutOff('rollback', checkpoint, inputs, step)) }
}
