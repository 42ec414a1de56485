import type { Outcome } from '../../src/action/run.ts'
import type { spec } from './spec.ts'

export async function post(): Promise<Outcome<typeof spec>> {
  return { outputs: {} }
}
