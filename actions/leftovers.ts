import { randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import * as z from 'zod'
import { warn } from '../src/action/annotations.ts'
import { inputsAndState, withoutVariables } from '../src/action/hidden-variables.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import type { State } from '../src/action/state.ts'
import { systemClock } from '../src/clock.ts'
import { messageOf } from '../src/errors.ts'
import { artifactName, gitHubArtifacts } from '../src/github/artifacts.ts'
import { endOfLog, redactLog } from '../src/setup/local-server.ts'
import { type ServerProcess, serverProcessSchema, stopProcess } from '../src/setup/server-process.ts'
import { repositoryCache } from './archive-caches.ts'

/** What the main step leaves for the post step to end, to keep or to remove. */
export const leftoversSchema = z.object({
  /** A folder of this step alone. */
  root: z.string(),
  server: serverProcessSchema.optional(),
  /** A downloaded archive, for the cache. */
  archive: z.object({ key: z.string(), name: z.string(), file: z.string() }).optional()
})

export type Leftovers = z.output<typeof leftoversSchema>

/** Saves each thing that is left as soon as it is there, so that the post step finds it even after a kill. */
export class LeftoversKeeper {
  readonly root: string
  readonly #state: State<Leftovers>
  #all: Leftovers

  /** `root` is a folder of this step alone, which need not be there yet. */
  constructor(root: string, state: State<Leftovers>) {
    this.root = root
    this.#state = state
    this.#all = { root }
    state.save(this.#all)
  }

  add(more: Omit<Partial<Leftovers>, 'root'>): void {
    this.#all = { ...this.#all, ...more }
    this.#state.save(this.#all)
  }

  /** Ends the server, if one runs. */
  async endServer(): Promise<void> {
    const { server, ...others } = this.#all
    if (server === undefined) return
    tellEnding(await stopProcess(server, systemClock))
    this.#all = others
    this.#state.save(this.#all)
  }

  /** Ends and removes all of it, after a failure: nothing is left for anybody. */
  async remove(): Promise<void> {
    if (this.#all.server) await stopProcess(this.#all.server, systemClock)
    await rm(this.root, { recursive: true, force: true })
    this.#all = { root: this.root }
    this.#state.save(this.#all)
  }
}

/** A folder of a step alone, beside those of the job's other steps. */
export function leftoversFolder(prefix: string, { RUNNER_TEMP }: Environment): string {
  return join(RUNNER_TEMP ?? tmpdir(), 'stdb-actions', `${prefix}-${randomUUID().slice(0, 8)}`)
}

/** In a post step: stops the server, shows its log where that is wanted, keeps the archive, and removes all else. */
export async function tidyUp(
  left: Leftovers,
  { action, showLog, environment }: { action: string; showLog: boolean; environment: Environment }
): Promise<void> {
  const { root, server, archive } = left
  try {
    if (server) {
      tellEnding(await stopProcess(server, systemClock))
      if (showLog) await showAndKeepLog(server, root, environment)
    }
    if (archive) {
      await repositoryCache(environment.RUNNER_TEMP ?? tmpdir()).save(archive.key, archive.name, archive.file)
    }
  } catch (error) {
    warn(action, `Not all could be tidied up: ${messageOf(error)}`)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

function tellEnding(ending: Awaited<ReturnType<typeof stopProcess>>): void {
  const how = { stopped: 'was stopped', killed: 'did not stop and was killed', gone: 'had ended before' }[ending]
  log(`The server ${how}.`)
}

/** The end of a server's log, folded, in the step's log. */
export async function showEndOfLog(logFile: string): Promise<void> {
  core.startGroup('The end of the log of the server')
  log((await endOfLog(logFile, 200)) || '(it is empty)')
  core.endGroup()
}

async function showAndKeepLog({ logFile }: ServerProcess, root: string, environment: Environment): Promise<void> {
  await showEndOfLog(logFile)
  const file = join(root, 'spacetimedb.log')
  await writeFile(file, redactLog(await readFile(logFile, 'utf8')))
  const name = artifactName(`spacetimedb-log-${environment.GITHUB_JOB ?? 'job'}-${root.slice(-8)}`)
  const artifacts = gitHubArtifacts({ environment, timeout: 120_000 })
  const uploaded = await withoutVariables(inputsAndState, () => artifacts.upload({ name, files: [file], folder: root }))
  if (uploaded.kind === 'uploaded') log(`All of it is in the artifact ${name}.`)
  else log(`It could not be attached to the run: ${uploaded.reason}`)
}
