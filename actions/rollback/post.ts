import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { renderRollbackRecovery, rollbackHeadline } from '../../src/release/rollback/summary.ts'
import { nameOf } from '../../src/release/rollback/target.ts'
import { finishCutOff, type Telling } from '../releasing.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

/** Finds out how a rollback ended that was cut off. What it restored is kept: it is what was asked for. */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  return { outputs: {}, ...(await finishCutOff('rollback', checkpoint, inputs, step, telling)) }
}

const telling: Telling = {
  summary: renderRollbackRecovery,
  headline: ({ database, next }, ending) => rollbackHeadline(ending, database, nameOf(next))
}
