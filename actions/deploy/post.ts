import { openConnection } from '../../src/action/connection.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { loadModule } from '../../src/module/load.ts'
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
  const { server } = await openConnection(inputs, step.environment)
  const ending = await recover(server, inputs.database, left, loadModule, systemClock)
  await writeSummary(renderRecovery(server.url, inputs.database, left, ending), step.environment)
  return { outputs: {}, ...failureOf(ending, inputs.database) }
}
