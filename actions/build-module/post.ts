import { isFromFork } from '../../src/action/event.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { messageOf } from '../../src/errors.ts'
import { keep } from './caches.ts'
import type { spec } from './spec.ts'
import { toKeep } from './state.ts'

/** Keeps dependencies for later runs. It is never what a job fails by. */
export async function post(_inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const caches = toKeep.read(step.environment) ?? []
  if (caches.length > 0 && (await isFromFork(step.environment))) {
    log('Nothing is kept in the cache: the code of this run is from a fork.')
    return { outputs: {} }
  }
  for (const cache of caches) {
    await keep(cache).catch((error) => log(`Dependencies are not kept in the cache: ${messageOf(error)}`))
  }
  return { outputs: {} }
}
