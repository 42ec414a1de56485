import type { Step } from '../../src/action/run.ts'
import { deploy } from '../../src/release/deploy.ts'
import type { Deployment } from '../../src/release/deployment.ts'
import type { GivenModule } from '../given-module.ts'
import { deployTools } from '../releasing.ts'
import type { ThrowAway } from '../server-for-module.ts'
import type { spec } from './spec.ts'

/** Publishes the module to a new database, as a first release does it. */
export function publishTo(
  { connection }: ThrowAway,
  { module, path: modulePath }: GivenModule,
  database: string,
  step: Step<typeof spec>
): Promise<Deployment> {
  const request = {
    database,
    module,
    modulePath,
    create: true,
    allowBreakingClients: false,
    allowIrreversible: false,
    healthCheck: { kind: 'none' },
    healthTimeout: 0,
    onFailure: 'keep',
    dryRun: false
  } as const
  // Nothing is left to finish when the step is cut off: the server goes with all that is in it.
  return deploy(
    request,
    deployTools('smoke-test', connection, step, () => {})
  )
}
