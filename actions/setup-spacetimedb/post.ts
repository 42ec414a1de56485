import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { warn } from '../../src/action/annotations.ts'
import { inputsAndState, withoutVariables } from '../../src/action/hidden-variables.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import { artifactName, gitHubArtifacts } from '../../src/github/artifacts.ts'
import { endOfLog, redactLog } from '../../src/setup/local-server.ts'
import { type ServerProcess, stopProcess } from '../../src/setup/server-process.ts'
import { repositoryCache } from './caches.ts'
import type { spec } from './spec.ts'
import { type Leftovers, leftovers } from './state.ts'

/** Stops the server, shows its log where the job failed, keeps the archive, and removes all else. */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const left = leftovers.read(step.environment)
  if (left === undefined) return { outputs: {} }
  try {
    if (left.server) await endServer(left.server, left.root, inputs.jobStatus, step)
    if (left.archive) await keepArchive(left.archive, step)
  } catch (error) {
    warn('setup-spacetimedb', `Not all could be tidied up: ${messageOf(error)}`)
  } finally {
    await rm(left.root, { recursive: true, force: true })
  }
  return { outputs: {} }
}

async function endServer(
  server: ServerProcess,
  root: string,
  jobStatus: Inputs<typeof spec>['jobStatus'],
  step: Step<typeof spec>
): Promise<void> {
  const ending = await stopProcess(server, systemClock)
  const how = { stopped: 'was stopped', killed: 'did not stop and was killed', gone: 'had ended before' }[ending]
  log(`The server ${how}.`)
  if (jobStatus === 'failure' || jobStatus === 'cancelled') await showLog(server, root, step)
}

async function showLog({ logFile }: ServerProcess, root: string, { environment }: Step<typeof spec>): Promise<void> {
  core.startGroup('The end of the log of the server')
  log((await endOfLog(logFile, 200)) || '(it is empty)')
  core.endGroup()
  const file = join(root, 'spacetimedb.log')
  await writeFile(file, redactLog(await readFile(logFile, 'utf8')))
  const name = artifactName(`spacetimedb-log-${environment.GITHUB_JOB ?? 'job'}-${root.slice(-8)}`)
  const artifacts = gitHubArtifacts({ environment, timeout: 120_000 })
  const uploaded = await withoutVariables(inputsAndState, () => artifacts.upload({ name, files: [file], folder: root }))
  if (uploaded.kind === 'uploaded') log(`All of it is in the artifact ${name}.`)
  else log(`It could not be attached to the run: ${uploaded.reason}`)
}

async function keepArchive(
  { key, name, file }: Exclude<Leftovers['archive'], undefined>,
  { environment }: Step<typeof spec>
): Promise<void> {
  await repositoryCache(environment.RUNNER_TEMP ?? tmpdir()).save(key, name, file)
}
