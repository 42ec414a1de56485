import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { runProgram } from '../../src/process.ts'
import { cacheKeyOf, cacheNameOf } from '../../src/setup/archive.ts'
import { chooseVersion } from '../../src/setup/choose-version.ts'
import { downloadPatience } from '../../src/setup/download.ts'
import { plainEnvironment } from '../../src/setup/environment.ts'
import { SetupFailure } from '../../src/setup/failure.ts'
import { type Installed, install } from '../../src/setup/install.ts'
import type { Starting } from '../../src/setup/programs.ts'
import { githubReleases, parseSha256 } from '../../src/setup/releases.ts'
import { targetFor } from '../../src/setup/target.ts'
import { parseVersionRequest } from '../../src/setup/version-request.ts'
import type { Network } from '../../src/spacetimedb/network.ts'
import { createTransport } from '../../src/spacetimedb/transport.ts'
import { version as ownVersion } from '../../src/version.ts'
import { repositoryCache, runnerToolCache } from './caches.ts'
import { addToPath } from './command.ts'
import { givenLogin, logIn, startServer } from './login.ts'
import { versionOfModules } from './project.ts'
import type { spec } from './spec.ts'
import { LeftoversKeeper } from './state.ts'

type SetupInputs = Inputs<typeof spec>
type SetupStep = Step<typeof spec>

export async function main(inputs: SetupInputs, step: SetupStep): Promise<Outcome<typeof spec>> {
  const temporary = step.environment.RUNNER_TEMP ?? tmpdir()
  const left = new LeftoversKeeper(join(temporary, 'stdb-actions', `setup-${randomUUID().slice(0, 8)}`))
  try {
    return { outputs: await setUp(inputs, step, temporary, left) }
  } catch (error) {
    await left.remove()
    if (!(error instanceof SetupFailure)) throw error
    return { outputs: {}, failure: { title: `setup-spacetimedb: ${error.kind}`, message: error.message } }
  }
}

async function setUp(inputs: SetupInputs, step: SetupStep, temporary: string, left: LeftoversKeeper) {
  const given = givenLogin(inputs)
  const starting: Starting = {
    run: runProgram,
    environment: plainEnvironment(step.environment),
    signal: step.cancellation.signal
  }
  const { version, installed } = await bring(inputs, step, { temporary, left, starting })
  log(`SpacetimeDB ${version} is at ${installed.cli} (source: ${installed.source}).`)
  const login = inputs.start ? await startServer(installed, step, left) : given
  const loggedIn = login && (await logIn(login, inputs.start, left))
  const isWindows = process.platform === 'win32'
  await addToPath({ installed, version, config: loggedIn?.cliConfig, root: left.root, isWindows }, starting)
  return { version, source: installed.source, cli: installed.cli, ...loggedIn }
}

type Surroundings = {
  readonly temporary: string
  readonly left: LeftoversKeeper
  readonly starting: Starting
}

/** Chooses the version, says why, and brings it to this machine. */
async function bring(
  inputs: SetupInputs,
  { environment, cancellation }: SetupStep,
  { temporary, left, starting }: Surroundings
): Promise<{ readonly version: string; readonly installed: Installed }> {
  const request = parseVersionRequest(inputs.version)
  const target = targetFor(process.platform, process.arch)
  const network: Network = {
    transport: createTransport(`stdb-actions/${ownVersion}`),
    clock: systemClock,
    patience: downloadPatience,
    onRetry: log,
    signal: cancellation.signal
  }
  const apiUrl = environment.GITHUB_API_URL || 'https://api.github.com'
  const releases = githubReleases({ apiUrl, token: inputs.githubToken, network })
  const workspace = environment.GITHUB_WORKSPACE ?? process.cwd()
  const chosen = await chooseVersion(request, () => versionOfModules(inputs.path, workspace), releases, target)
  log(`SpacetimeDB ${chosen.version}: ${chosen.reason}.`)
  const installed = await install(
    {
      ...chosen,
      target,
      sha256: inputs.sha256 === undefined ? undefined : parseSha256(inputs.sha256),
      releasesUrl: inputs.releasesUrl?.replace(/\/+$/, ''),
      withServer: inputs.start,
      root: left.root
    },
    {
      network,
      releases,
      starting,
      toolCache: runnerToolCache(environment),
      archiveCache: inputs.cache ? repositoryCache(temporary) : undefined,
      tell: log
    }
  )
  const { downloaded } = installed
  if (downloaded && inputs.cache) {
    left.add({ archive: { key: cacheKeyOf(downloaded), name: cacheNameOf(downloaded), file: downloaded.file } })
  }
  return { version: chosen.version, installed }
}
