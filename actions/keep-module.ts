import { dirname } from 'node:path'
import { inputsAndState, withoutVariables } from '../src/action/hidden-variables.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import type { ModuleHash } from '../src/module/hash.ts'
import type { Deployment } from '../src/release/deployment.ts'

/** The name of the artifact that keeps the module of a hash: whoever knows the hash finds it, whatever run kept it. */
export function keptModuleName(hash: ModuleHash): string {
  return `stdb-module-${hash.slice(0, 32)}`
}

/**
 * Keeps the module that was saved before publishing as an artifact of this run, for a rollback of later runs. Best effort:
 * when it can't be kept, the log says so.
 */
export async function keepSavedModule(path: string, hash: ModuleHash, environment: Environment): Promise<void> {
  const { gitHubArtifacts } = await import('../src/github/artifacts.ts')
  const artifacts = gitHubArtifacts({ environment, timeout: 60_000 })
  const name = keptModuleName(hash)
  const artifact = { name, files: [path], folder: dirname(path) }
  const uploaded = await withoutVariables(inputsAndState, () => artifacts.upload(artifact))
  // Another job of this run has kept the same bytes.
  const isKept = uploaded.kind === 'uploaded' || uploaded.problem === 'name-taken'
  if (isKept) log(`The module that was live is kept as the artifact ${name}.`)
  else log(`The module that was live could not be kept as an artifact: ${uploaded.reason}`)
}

/** What is asked of a deployment that is over. */
export type Replacing = Pick<Deployment, 'live' | 'release' | 'ledgerWarning' | 'previousModulePath' | 'previousHash'>

/**
 * Keeps what a release has replaced: who finds it in the ledger finds its bytes, and where that could not be written, who
 * knows its hash. Where no ledger is wanted, nothing is kept.
 */
export async function keepReplacedModule(
  { live, release, ledgerWarning, previousModulePath, previousHash }: Replacing,
  environment: Environment
): Promise<void> {
  const isUnwritten = release === undefined && ledgerWarning !== undefined && live.kind !== 'previous'
  if (release === undefined && !isUnwritten) return
  if (previousModulePath === undefined || previousHash === undefined) return
  await keepSavedModule(previousModulePath, previousHash, environment)
}
