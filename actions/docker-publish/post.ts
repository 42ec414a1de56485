import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { dockerIn } from './docker-program.ts'
import type { spec } from './spec.ts'
import { left, removeLeft } from './state.ts'

/** Removes the login, the build secrets and the container, where the main step was cut off before it did. */
export async function post(_: Inputs<typeof spec>, { environment }: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const all = left.read(environment)
  if (all !== undefined) {
    await removeLeft(all, dockerIn(all.root, environment))
    log('The login and what else was only for this step are removed.')
  }
  return { outputs: {} }
}
