import type { Environment } from '../../src/action/inputs.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { finishCutOff } from '../releasing.ts'
import type { spec } from './spec.ts'
import { checkpoint } from './state.ts'

/** Finishes or undoes what the main step began, when it was cut off, and removes and keeps what it left. */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const { environment } = step
  // The main step may have found the server in a file that has changed since.
  const server = inputs.server ?? checkpoint.read(environment)?.server ?? ''
  const finished = await finishCutOff('deploy', checkpoint, { ...inputs, server }, step)
  await tidyUpAfter(inputs, environment)
  return { outputs: {}, ...finished }
}

/** Of what only some deploys do. */
async function tidyUpAfter(inputs: Inputs<typeof spec>, environment: Environment): Promise<void> {
  if (inputs.publishImage !== undefined) {
    const { removeLeftImage } = await import('../image-leftovers.ts')
    await removeLeftImage(environment)
  }
  if (inputs.rehearse === 'live') {
    const [{ leftovers }, { tidyUp }] = await Promise.all([import('./leftovers.ts'), import('../leftovers.ts')])
    const left = leftovers.read(environment)
    // Its log may tell of rows that were copied from the live database.
    if (left !== undefined) await tidyUp(left, { action: 'deploy', showLog: false, environment })
  }
  if (inputs.module === undefined && inputs.artifact === undefined && inputs.fromImage === undefined) {
    const { keepCaches } = await import('../build-caches.ts')
    await keepCaches(environment)
  }
}
