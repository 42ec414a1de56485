import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { detectLanguage } from '../../src/module-language.ts'
import { runProgram } from '../../src/process.ts'
import { cacheKeyOf } from '../../src/setup/archive.ts'
import { type ChosenVersion, chooseVersion } from '../../src/setup/choose-version.ts'
import { plainEnvironment } from '../../src/setup/environment.ts'
import { SetupFailure } from '../../src/setup/failure.ts'
import { type Installed, install } from '../../src/setup/install.ts'
import { downloadPatience, type Network } from '../../src/setup/network.ts'
import { projectVersion } from '../../src/setup/project-version.ts'
import { stopProcess } from '../../src/setup/server-process.ts'
import { githubReleases, parseSha256 } from '../../src/setup/releases.ts'
import { targetFor } from '../../src/setup/target.ts'
import { parseVersionRequest } from '../../src/setup/version-request.ts'
import { createTransport } from '../../src/spacetimedb/transport.ts'
import { version as ownVersion } from '../../src/version.ts'
import { repositoryCache, runnerToolCache } from './caches.ts'
import { addToPath } from './command.ts'
import { type Login, loginOf, serveAndLogin } from './login.ts'
import type { spec } from './spec.ts'
import { type Leftovers, leftovers } from './state.ts'

export async function main(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const temporary = step.environment.RUNNER_TEMP ?? tmpdir()
  const left = keepLeftovers(join(temporary, 'stdb-actions', `setup-${randomUUID().slice(0, 8)}`))
  try {
    const login = loginOf(inputs)
    const { chosen, installed } = await choose(inputs, step, temporary, left.all.root)
    if (installed.downloaded) {
      const { downloaded } = installed
      const key = cacheKeyOf(downloaded)
      if (inputs.cache) left.add({ archive: { key, name: `${chosen.version}-${downloaded.asset}`, file: downloaded.file } })
    }
    const loggedIn = await logIn(inputs, step, installed, login, left)
    await addToPath({ installed, chosen, config: loggedIn.cliConfig, root: left.all.root, environment: step.environment })
    const outputs = { version: chosen.version, source: installed.source, cli: installed.cli, ...loggedIn }
    return { outputs }
  } catch (error) {
    await left.remove()
    if (!(error instanceof SetupFailure)) throw error
    return { outputs: {}, failure: { title: `setup-spacetimedb: ${error.kind}`, message: error.message } }
  }
}
