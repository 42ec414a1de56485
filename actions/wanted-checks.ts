import type { CheckInputs } from '../src/action/check-inputs.ts'

/**
 * What reads, tells and reports the checks of a release; `undefined` when the inputs ask for none. It is code that most
 * releases do without.
 */
export async function checkingFor({ checks, inlineChecks, soak }: CheckInputs) {
  const isWanted = checks !== undefined || inlineChecks !== undefined || soak !== undefined
  return isWanted ? import('./release-checks.ts') : undefined
}
