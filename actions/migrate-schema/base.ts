import { join } from 'node:path'
import { openConnection, openPublicConnection } from '../../src/action/connection.ts'
import { inputsAndState, withoutVariables } from '../../src/action/hidden-variables.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { loadDescribedModule, manifestName } from '../../src/build/manifest.ts'
import { systemClock } from '../../src/clock.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { gitHubApi } from '../../src/github/api.ts'
import { gitHubArtifacts } from '../../src/github/artifacts.ts'
import { fetchBaseArtifact } from '../../src/github/base-artifact.ts'
import type { PlanBase } from '../../src/migration/plan-migration.ts'
import { loadModule } from '../../src/module/load.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { version } from '../../src/version.ts'
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
  { artifactName: name, githubToken: token }: PlanInputs,
  environment: Environment,
  folder: string
): Promise<PlanBase> {
  const { GITHUB_REPOSITORY: own = '', GITHUB_REPOSITORY_ID: id, GITHUB_RUN_ID: runId, GITHUB_API_URL } = environment
  const [owner = '', repository = ''] = own.split('/')
  if (!token || !repository || !id) {
    throw new ConfigurationError(
      '`base-ref` works in a run of GitHub Actions, with `github-token`. Give `base-module` here.'
    )
  }
  const url = GITHUB_API_URL ?? 'https://api.github.com'
  const api = gitHubApi({ url, token, version, clock: systemClock, onRetry: log })
  const query = { owner, repository, repositoryId: Number(id), branch, name, runId: Number(runId), token, folder }
  const artifacts = gitHubArtifacts({ environment, timeout: 60_000 })
  const found = await withoutVariables(inputsAndState, () => fetchBaseArtifact(api, artifacts, query))
  if (found.kind === 'none') {
    log(`Nothing to compare with: ${found.reason}.`)
    return { kind: 'none', name: `branch ${branch}: ${found.reason}` }
  }
  const { module } = await loadDescribedModule(join(folder, manifestName))
  const { commit } = found.artifact
  return { kind: 'module', module, name: `branch ${branch}, commit ${commit.slice(0, 12)}` }
}
