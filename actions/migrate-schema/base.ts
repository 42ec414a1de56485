import { openConnection, openPublicConnection } from '../../src/action/connection.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { PlanBase } from '../../src/migration/plan-migration.ts'
import { loadModule } from '../../src/module/load.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { fetchBaseModule } from '../base-module.ts'
import type { spec } from './spec.ts'

type PlanInputs = Inputs<typeof spec>

/**
 * What the inputs say to compare with. A branch that has no module yet is nothing to compare with; throws a
 * `ConfigurationError` when nothing is said, and for what is said and is not there.
 */
export async function baseOf(inputs: PlanInputs, environment: Environment, folder: string): Promise<PlanBase> {
  const { server, database, baseModule } = inputs
  if (server !== undefined && database !== undefined) return databaseBase({ ...inputs, server, database }, environment)
  if (baseModule !== undefined) return { kind: 'module', module: await loadModule(baseModule), name: baseModule }
  const branch = inputs.baseRef ?? environment.GITHUB_BASE_REF
  if (branch) return branchBase(branch, inputs, environment, folder)
  throw new ConfigurationError(
    'There is nothing to compare the module with. Give `server` and `database`, or `base-module` (a file), or `base-ref` (a ' +
      'branch for which `build-module` kept its module). Only on a pull request that branch is known.'
  )
}

async function databaseBase(
  inputs: PlanInputs & { readonly server: string; readonly database: string },
  environment: Environment
): Promise<PlanBase> {
  const database = databaseName(inputs.database)
  if (inputs.token === undefined && inputs.auth === undefined) {
    return { kind: 'database', server: openPublicConnection(inputs.server), database, identity: undefined }
  }
  const { server, credential } = await openConnection(inputs, environment)
  return { kind: 'database', server, database, identity: credential.identity, organization: inputs.organization }
}

async function branchBase(
  branch: string,
  { artifactName, githubToken }: PlanInputs,
  environment: Environment,
  folder: string
): Promise<PlanBase> {
  const request = {
    branch,
    artifactName,
    githubToken,
    folder,
    input: '`base-ref`',
    instead: 'Give `base-module` here.'
  }
  const base = await fetchBaseModule(request, environment)
  if (base.kind === 'none') log(`Nothing to compare with: ${base.reason}.`)
  return base
}
