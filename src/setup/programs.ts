import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { messageOf } from '../errors.ts'
import { isWithin } from '../paths.ts'
import type { Command, RunProgram } from '../process.ts'
import type { Environment } from './environment.ts'
import type { Target } from './target.ts'

/** What starts programs: they get `environment`, which has no secrets, and end with the signal. */
export type Starting = {
  readonly run: RunProgram
  readonly environment: Environment
  readonly signal?: AbortSignal | undefined
}

/** The CLI and the server of one installation. Paths are absolute. */
export type Programs = { readonly cli: string; readonly server: string | undefined }

/** What a program says of itself. Reasons have no end. */
export type Stated =
  | { readonly kind: 'version'; readonly version: string; readonly path: string | undefined }
  | { readonly kind: 'unusable'; readonly reason: string }

/** The paths of the programs of an installed release, whether they are there or not. */
export function programsIn(folder: string, { exe }: Target): { readonly cli: string; readonly server: string } {
  return { cli: join(folder, `spacetimedb-cli${exe}`), server: join(folder, `spacetimedb-standalone${exe}`) }
}

/** Why the programs of a folder are not the release that they should be; `undefined` when they are. */
export async function problemOf(
  folder: string,
  version: string,
  target: Target,
  starting: Starting
): Promise<string | undefined> {
  const { cli, server } = programsIn(folder, target)
  for (const program of [cli, server]) {
    if (!isExecutable(program)) return `there is no program ${nameOf(program)} in it`
    const stated = await statedVersion(program, starting)
    if (stated.kind === 'unusable') return stated.reason
    if (stated.version !== version) return `${nameOf(program)} in it says that it is ${stated.version}, not ${version}`
  }
  return undefined
}

/**
 * The CLI of a version that is in PATH as `spacetime` or `spacetimedb-cli`, with the server beside it if there is one.
 * What the official installer puts there as `spacetime` starts another program, whose path it tells. What lies below
 * `setups`, the folder of this job's setups, is left out: a script of an earlier one is logged in.
 */
export async function programsOnPath(
  version: string,
  target: Target,
  starting: Starting,
  setups: string
): Promise<Programs | undefined> {
  for (const name of ['spacetime', 'spacetimedb-cli']) {
    const cli = findInPath(`${name}${target.exe}`, starting.environment, setups)
    if (cli === undefined) continue
    const stated = await statedVersion(cli, starting)
    if (stated.kind !== 'version' || stated.version !== version) continue
    const places = [stated.path, realpathSync(cli)].flatMap((path) => (path ? [dirname(path)] : []))
    const servers = places.map((folder) => programsIn(folder, target).server)
    return { cli, server: servers.find(isExecutable) }
  }
  return undefined
}

/** Asks a program of SpacetimeDB for its version by `--version`. */
export async function statedVersion(program: string, starting: Starting): Promise<Stated> {
  const { run, environment, signal } = starting
  const command: Command = { program, args: ['--version'], environment }
  try {
    const ran = await run(command, { signal, timeout: 30_000 })
    const version = /\btool version (\d+\.\d+\.\d+[\w.+-]*)/.exec(ran.stdout)?.[1]
    if (ran.exitCode === 0 && version !== undefined) {
      return { kind: 'version', version, path: /\bPath: (.+)$/m.exec(ran.stdout)?.[1]?.trim() }
    }
    const end = ran.endedFor === 'timeout' ? 'did not end within 30 s' : `ended with ${ran.exitCode ?? 'a signal'}`
    const said = `${ran.stderr}${ran.stdout}`.replace(/\s+/g, ' ').trim().slice(0, 300)
    return { kind: 'unusable', reason: `\`${nameOf(program)} --version\` ${end}: ${said || 'it printed nothing'}` }
  } catch (error) {
    const hint =
      process.platform === 'linux'
        ? " (SpacetimeDB is built for glibc: Alpine Linux and others with musl can't run it)"
        : ''
    return { kind: 'unusable', reason: `${nameOf(program)} can't be started here: ${messageOf(error)}${hint}` }
  }
}

function findInPath(name: string, environment: Environment, leftOut: string): string | undefined {
  const path = Object.entries(environment).find(([variable]) => variable.toUpperCase() === 'PATH')?.[1] ?? ''
  const places = path.split(delimiter).filter((folder) => folder !== '' && !isWithin(leftOut, folder))
  return places.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function nameOf(program: string): string {
  return program.split(/[\\/]/).at(-1) ?? program
}
