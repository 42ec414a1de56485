import { join } from 'node:path'
import { inputsAndState, withoutVariables } from '../src/action/hidden-variables.ts'
import type { Environment } from '../src/action/inputs.ts'
import { loadDescribedModule, manifestName } from '../src/build/manifest.ts'
import { ConfigurationError } from '../src/errors.ts'
import { gitHubArtifacts } from '../src/github/artifacts.ts'
import { fetchBaseArtifact } from '../src/github/base-artifact.ts'
import type { Module } from '../src/module/module.ts'
import { ownRepository } from './own-repository.ts'

/** The module that `build-module` kept for a branch, or why there is none yet. */
export type BaseModule =
  | { readonly kind: 'module'; readonly module: Module; readonly name: string }
  | { readonly kind: 'none'; readonly name: string; readonly reason: string }

export type BaseModuleRequest = {
  readonly branch: string
  /** Of the artifact. */
  readonly artifactName: string
  readonly githubToken: string | undefined
  /** What it is unpacked into. */
  readonly folder: string
  /** For messages: the input that asks for a branch, and what to give where there is no run of GitHub Actions. */
  readonly input: string
  readonly instead: string
}

/**
 * The newest module that a branch's runs of `build-module` kept. A branch that has none yet is no error. Throws a
 * `ConfigurationError` outside of a run of GitHub Actions or without a token, and for an artifact that holds no module.
 */
export async function fetchBaseModule(request: BaseModuleRequest, environment: Environment): Promise<BaseModule> {
  const { branch, artifactName: name, githubToken: token, folder, input, instead } = request
  const own = ownRepository(environment, token)
  if (own === undefined) {
    throw new ConfigurationError(`${input} works in a run of GitHub Actions, with \`github-token\`. ${instead}`)
  }
  const query = { ...own, branch, name, runId: Number(environment.GITHUB_RUN_ID), folder }
  const artifacts = gitHubArtifacts({ environment, timeout: 60_000 })
  const found = await withoutVariables(inputsAndState, () => fetchBaseArtifact(own.api, artifacts, query))
  if (found.kind === 'none') return { kind: 'none', name: `branch ${branch}: ${found.reason}`, reason: found.reason }
  const { module } = await loadDescribedModule(join(folder, manifestName))
  return { kind: 'module', module, name: `branch ${branch}, commit ${found.artifact.commit.slice(0, 12)}` }
}
