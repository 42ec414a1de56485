import type { Outcome } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import type { spec } from './spec.ts'

export async function main(_inputs: Inputs<typeof spec>): Promise<Outcome<typeof spec>> {
  return { outputs: {}, failure: { title: 'deploy: not there yet', message: 'This action does nothing so far.' } }
}
