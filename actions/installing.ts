import { tmpdir } from 'node:os'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { planBuilds } from '../src/build/plan.ts'
import { systemClock } from '../src/clock.ts'
import { ConfigurationError } from '../src/errors.ts'
import { gitHubApi } from '../src/github/api.ts'
import { runProgram } from '../src/process.ts'
import { cacheKeyOf, cacheNameOf } from '../src/setup/archive.ts'
import { chooseVersion } from '../src/setup/choose-version.ts'
import { downloadPatience } from '../src/setup/download.ts'
import { plainEnvironment } from '../src/setup/environment.ts'
import { type Installed, install } from '../src/setup/install.ts'
import type { Starting } from '../src/setup/programs.ts'
import { type ProjectVersion, projectVersion } from '../src/setup/project-version.ts'
import { githubReleases, parseSha256 } from '../src/setup/releases.ts'
import { targetFor } from '../src/setup/target.ts'
import { parseVersionRequest } from '../src/setup/version-request.ts'
import type { Network } from '../src/spacetimedb/network.ts'
import { createTransport } from '../src/spacetimedb/transport.ts'
import { version as ownVersion } from '../src/version.ts'
import { repositoryCache, runnerToolCache } from './archive-caches.ts'
import type { LeftoversKeeper } from './leftovers.ts'

/** The inputs by which SpacetimeDB is brought to this machine. */
export type InstallInputs = {
  readonly version: string
  readonly sha256: string | undefined
  readonly releasesUrl: string | undefined
  readonly githubToken: string | undefined
  readonly cache: boolean
}

export type Surroundings = {
  readonly environment: Environment
  readonly signal: AbortSignal
  /** A downloaded archive is added to it. */
  readonly left: LeftoversKeeper
}

/** A version of SpacetimeDB that is on this machine. */
export type Brought = { readonly version: string; readonly installed: Installed }

/**
 * Chooses the version, says why, and brings it to this machine. `versionOfModule` is asked with `version: auto`. Throws a
 * `ConfigurationError` or a `SetupFailure`.
 */
export async function bring(
  inputs: InstallInputs,
  request: { readonly withServer: boolean; readonly versionOfModule: () => Promise<ProjectVersion> },
  { environment, signal, left }: Surroundings
): Promise<Brought> {
  const wanted = parseVersionRequest(inputs.version)
  const target = targetFor(process.platform, process.arch)
  const network: Network = {
    transport: createTransport(`stdb-actions/${ownVersion}`),
    clock: systemClock,
    patience: downloadPatience,
    onRetry: log,
    signal
  }
  const releases = releasesFor(inputs, environment, signal)
  const chosen = await chooseVersion(wanted, request.versionOfModule, releases, target)
  log(`SpacetimeDB ${chosen.version}: ${chosen.reason}.`)
  const installed = await install(
    {
      ...chosen,
      target,
      sha256: inputs.sha256 === undefined ? undefined : parseSha256(inputs.sha256),
      releasesUrl: inputs.releasesUrl?.replace(/\/+$/, ''),
      withServer: request.withServer,
      root: left.root
    },
    {
      network,
      releases,
      starting: startingIn(environment, signal),
      toolCache: runnerToolCache(environment),
      archiveCache: inputs.cache ? repositoryCache(environment.RUNNER_TEMP ?? tmpdir()) : undefined,
      tell: log
    }
  )
  const { downloaded } = installed
  if (downloaded && inputs.cache) {
    left.add({ archive: { key: cacheKeyOf(downloaded), name: cacheNameOf(downloaded), file: downloaded.file } })
  }
  log(`SpacetimeDB ${chosen.version} is at ${installed.cli} (source: ${installed.source}).`)
  return { version: chosen.version, installed }
}

/** On a server of one's own (GHES) github.com is asked too, without the token. */
function releasesFor({ githubToken: token }: InstallInputs, environment: Environment, signal: AbortSignal) {
  const publicUrl = 'https://api.github.com'
  const url = (environment.GITHUB_API_URL || publicUrl).replace(/\/+$/, '')
  const apiAt = (url: string, token?: string) =>
    gitHubApi({ url, token, version: ownVersion, clock: systemClock, patience: downloadPatience, onRetry: log })
  const apis = url === publicUrl ? [apiAt(url, token)] : [apiAt(url, token), apiAt(publicUrl)]
  return githubReleases({ apis, hasToken: token !== undefined, signal })
}

/** What starts programs without any of the job's secrets. */
export function startingIn(environment: Environment, signal: AbortSignal): Starting {
  return { run: runProgram, environment: plainEnvironment(environment), signal }
}

/**
 * The version that the modules of a repository are for: those that build-module would build there. `path` is from the
 * workspace. Throws a `ConfigurationError` when there is none, or when they are for several.
 */
export async function versionOfModules(path: string | undefined, workspace: string): Promise<ProjectVersion> {
  const { builds } = await planBuilds({ path, environment: undefined, workspace })
  const folders = [...new Set(builds.map(({ project }) => project.folder))]
  const versions = await Promise.all(folders.map((folder) => projectVersion(folder, workspace)))
  const [first] = versions
  if (first === undefined) {
    throw new ConfigurationError(
      'The spacetime.json names only modules that are built already, which do not tell the version of SpacetimeDB. Give the input `version`, such as `2.8.3`.'
    )
  }
  if (new Set(versions.map(textOf)).size === 1) return first
  throw new ConfigurationError(
    `The modules of this repository are for several versions of SpacetimeDB: ${versions.map(({ reason }) => reason).join('; ')}. Give the input \`version\`, or one module's folder by the input \`path\`.`
  )
}

function textOf(version: ProjectVersion): string {
  return version.kind === 'exact' ? version.version : version.range
}
