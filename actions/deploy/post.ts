import { openConnection } from '../../src/action/connection.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import { loadModule } from '../../src/module/load.ts'
import type { Checkpoint } from '../../src/release/checkpoint.ts'
import type { Ending } from '../../src/release/deployment.ts'
import { recover } from '../../src/release/recover.ts'
import { renderRecovery } from '../../src/release/summary.ts'
import { failureOf } from './report.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

/** Finishes or undoes what the main step began, when it was cut off. */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const left = checkpoint.read(step.environment)
  if (left === undefined || left.phase === 'settled') {
    log('Nothing was cut off.')
    return { outputs: {} }
  }
  const ending = await finish(inputs, step, left)
  if (ending === undefined) {
    log('There is nothing to add to what the deploy said of its publish.')
    return { outputs: {} }
  }
  await writeSummary(renderRecovery(left, ending), step.environment)
  return { outputs: {}, ...failureOf(ending, left.database) }
}

/** Whatever stands in the way, the reader is told in which state the database may be. */
async function finish(
  inputs: Inputs<typeof spec>,
  step: Step<typeof spec>,
  left: Checkpoint
): Promise<Ending | undefined> {
  try {
    const { server } = await openConnection(inputs, step.environment)
    return await recover(server, left, loadModule, systemClock)
  } catch (error) {
    return { result: 'unknown', live: { kind: 'unknown' }, reason: messageOf(error) }
  }
}
