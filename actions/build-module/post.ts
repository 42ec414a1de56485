import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { keepCaches } from '../build-caches.ts'
import type { spec } from './spec.ts'

/** Keeps dependencies for later runs. */
export async function post(_: Inputs<typeof spec>, { environment }: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  await keepCaches(environment)
  return { outputs: {} }
}
