import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { applyPlan } from './apply.ts'
import { makeAndReportPlan } from './plan.ts'
import type { spec } from './spec.ts'

export async function main(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  return inputs.mode === 'plan' ? makeAndReportPlan(inputs, step) : applyPlan(inputs, step)
}
