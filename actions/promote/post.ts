import { openConnection } from '../../src/action/connection.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import { loadModule } from '../../src/module/load.ts'
import type { Checkpoint } from '../../src/release/checkpoint.ts'
import type { Ending } from '../../src/release/deployment.ts'
import { readProgress } from '../../src/release/promote/progress.ts'
import { hasUnsettled, recoverAll } from '../../src/release/promote/recover-all.ts'
import { renderRecoveredPromotion } from '../../src/release/promote/summary.ts'
import { recover } from '../../src/release/recover.ts'
import { failureOfPromotion } from './report.ts'
import type { spec } from './spec.ts'
import { progressFolder } from './state.ts'

/** Finishes or undoes what was under way when the main step was cut off, and says what became of all databases. */
export async function post(
  inputs: Inputs<typeof spec>,
  { environment }: Step<typeof spec>
): Promise<Outcome<typeof spec>> {
  const state = progressFolder.read(environment)
  const left = state && (await readProgress(state.folder))
  if (left === undefined || (state?.isOver && !hasUnsettled(left))) {
    log('Nothing was cut off.')
    return { outputs: {} }
  }
  const promotion = await recoverAll(left, await recovering(inputs, environment))
  if (state?.isOver && promotion.recovered.length === 0) {
    log('There is nothing to add to what was said of the promotion.')
    return { outputs: {} }
  }
  await writeSummary(renderRecoveredPromotion(promotion), environment)
  return { outputs: {}, ...failureOfPromotion(promotion) }
}

/** Whatever stands in the way, the reader is told in which state the databases may be. */
async function recovering(
  inputs: Inputs<typeof spec>,
  environment: Environment
): Promise<(checkpoint: Checkpoint) => Promise<Ending | undefined>> {
  try {
    const { server } = await openConnection(inputs, environment)
    return (checkpoint) => recover(server, checkpoint, loadModule, systemClock)
  } catch (error) {
    const reason = messageOf(error)
    return async () => ({ result: 'unknown', live: { kind: 'unknown' }, reason })
  }
}
