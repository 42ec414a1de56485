import { join } from 'node:path'
import { inputsAndState, withoutVariables } from '../../src/action/hidden-variables.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { manifestName, readManifest } from '../../src/build/manifest.ts'
import type { ProducedModule } from '../../src/build/produce.ts'
import type { Comparison } from '../../src/build/summary.ts'
import { messageOf } from '../../src/errors.ts'
import { artifactName, gitHubArtifacts } from '../../src/github/artifacts.ts'
import { baseBranch, fetchBaseArtifact } from '../../src/github/base-artifact.ts'
import { ownRepository } from '../own-repository.ts'
import type { spec } from './spec.ts'

/** A module's artifact: its name, and what the service said of it. */
export type Kept = { readonly name: string; readonly id: number; readonly digest: string }

export type Keeping =
  | { readonly kind: 'kept'; readonly artifact: Kept }
  | { readonly kind: 'failed'; readonly reason: string }

/** The names of the modules' artifacts: of one the name that was given, of several that and their own. */
export function artifactNames(given: string, modules: readonly ProducedModule[]): string[] {
  return modules.length === 1 ? [given] : modules.map(({ name }) => artifactName(`${given}-${name}`))
}

/** Keeps a module, its schema and its manifest as one artifact. */
export async function keepModule(
  { folder, files }: ProducedModule,
  name: string,
  retentionDays: number | undefined,
  environment: Environment
): Promise<Keeping> {
  const artifacts = gitHubArtifacts({ environment })
  const artifact = { name, files: Object.values(files), folder, retentionDays }
  const uploaded = await withoutVariables(inputsAndState, () => artifacts.upload(artifact))
  if (uploaded.kind === 'failed') return { kind: 'failed', reason: uploaded.reason }
  return { kind: 'kept', artifact: { name, id: uploaded.id, digest: uploaded.digest } }
}

/** What the base branch built last, to compare with. It is never what a step fails by. */
export async function compareWithBase(
  name: string,
  { githubToken: token }: Inputs<typeof spec>,
  scratch: string,
  environment: Environment
): Promise<Comparison> {
  const comparison = await baseModule(name, token, scratch, environment).catch((error): Comparison => {
    return { kind: 'none', reason: messageOf(error) }
  })
  if (comparison.kind === 'none') log(`Not compared with the base branch: ${comparison.reason}`)
  return comparison
}

async function baseModule(
  name: string,
  token: string | undefined,
  scratch: string,
  environment: Environment
): Promise<Comparison> {
  const branch = baseBranch(environment)
  const own = ownRepository(environment, token)
  if (token === undefined) return { kind: 'none', reason: 'there is no `github-token`' }
  if (branch === undefined) return { kind: 'none', reason: 'this run is for no branch' }
  if (own === undefined) return { kind: 'none', reason: 'this is not a run of GitHub Actions' }
  const folder = join(scratch, `base-${name}`)
  const query = { ...own, branch, name, runId: Number(environment.GITHUB_RUN_ID), folder }
  const artifacts = gitHubArtifacts({ environment, timeout: 60_000 })
  const found = await withoutVariables(inputsAndState, () => fetchBaseArtifact(own.api, artifacts, query))
  if (found.kind === 'none') return found
  const { module } = await readManifest(join(folder, manifestName))
  return { kind: 'base', branch, commit: found.artifact.commit, size: module.size, hash: module.hash }
}
