import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fixtureModule } from '../fixtures.ts'
import { Job, type JobOptions, type RunningStep, type Step, type StepResult } from './runner.ts'
import { dist } from './stage.ts'

/** What the stand-in for docker is told: programs/docker.mjs. */
export type DockerSettings = {
  readonly driver?: string
  /** What a command fails with, by its name. */
  readonly fails?: Readonly<Record<string, string>>
  /** A command that never ends. */
  readonly hangs?: string
  /** Where a container's server is. */
  readonly port?: number
  /** Of a container, as `docker inspect` tells it. */
  readonly state?: object
  /** What a build prints. */
  readonly prints?: string
}

/** A call of docker, as the stand-in noted it. */
export type DockerCall = {
  readonly what: string
  readonly args: readonly string[]
  /** Names of variables that hold what is the runner's or the action's. */
  readonly variables: readonly string[]
  readonly configMode?: number
  readonly configHolds?: readonly string[]
  readonly passwordHash?: string
  readonly secrets?: readonly string[]
  readonly context?: readonly string[]
}

export type ImageOptions = JobOptions & {
  readonly inputs?: Readonly<Record<string, string>>
  /** `none`: there is no program docker. */
  readonly docker?: DockerSettings | 'none'
  /** What registries have already: digests by names. */
  readonly registry?: Readonly<Record<string, string>>
  /** A command of docker at which the step is killed, once it runs. */
  readonly killAt?: string
}

/** A run that is over, post step included. */
export type ImagePublished = {
  readonly main: StepResult
  readonly post: StepResult
  readonly calls: readonly DockerCall[]
  /** What registries have now. */
  readonly registry: Readonly<Record<string, string>>
}

/** Runs the built action on the runner, on a machine whose docker is a stand-in. The module is the fixture `counter`. */
export async function publishImage(options: ImageOptions): Promise<ImagePublished> {
  const { inputs = {}, docker = {}, registry = {}, killAt, env, ...others } = options
  shipDocker()
  const machine = realpathSync(mkdtempSync(join(tmpdir(), 'docker-')))
  if (docker !== 'none') installDocker(machine, docker, registry)
  const job = new Job({ dist, env: { PATH: machine, ...env }, ...others })
  writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule('counter.wasm'))
  try {
    const step: Step = { action: 'docker-publish', inputs: { module: 'module.wasm', version: '2.8.3', ...inputs } }
    const running = job.start(step)
    if (killAt !== undefined) await killOnce(running, () => callsIn(machine).some(({ what }) => what === killAt))
    const main = await running.result
    const [post] = await job.post()
    if (post === undefined) throw new Error('docker-publish has no post step')
    return { main, post, calls: callsIn(machine), registry: registryIn(machine) }
  } finally {
    job.end()
    rmSync(machine, { recursive: true, force: true })
  }
}

/** Kills a step as soon as something is so, unless it ends before. */
async function killOnce(running: RunningStep, isSo: () => boolean): Promise<void> {
  let hasEnded = false
  const ended = running.result.then(() => {
    hasEnded = true
  })
  while (!hasEnded && !isSo()) await Promise.race([ended, setTimeout(20)])
  running.kill()
}

/** A release has `docker` beside `dist`. */
export function shipDocker(): void {
  const shipped = resolve(dist, '../docker')
  const folder = resolve(import.meta.dirname, '../../docker')
  mkdirSync(shipped, { recursive: true })
  for (const name of ['Dockerfile', 'entrypoint.sh']) cpSync(join(folder, name), join(shipped, name))
}

/** Puts the stand-in for docker into a folder, for PATH. */
export function installDocker(folder: string, settings: DockerSettings, registry: object = {}): void {
  const program = resolve(import.meta.dirname, '../stand-ins/programs/docker.mjs')
  cpSync(program, join(folder, 'docker.mjs'))
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\nexec "${process.execPath}" "${join(folder, 'docker.mjs')}" "$@"\n`)
  chmodSync(join(folder, 'docker'), 0o755)
  const state = { Status: 'running', ExitCode: 0, Health: { Status: 'healthy', Log: [] } }
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ driver: 'docker-container', state, ...settings }))
  writeFileSync(join(folder, 'registry.json'), JSON.stringify(registry))
}

/** What the stand-in in a folder was called with. */
export function callsIn(folder: string): DockerCall[] {
  const path = join(folder, 'calls.jsonl')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DockerCall)
}

/** What registries have by the names that docker was told, as the stand-in in a folder has kept it. */
export function registryIn(folder: string): Record<string, string> {
  const path = join(folder, 'registry.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
}
