import { ConfigurationError } from '../errors.ts'
import { type Command, ProgramMissing, type Ran, type RunProgram } from '../process.ts'
import { explainDocker, type Undertaking } from './docker-errors.ts'

/** The `docker` program, with the environment that all its children get. */
export type Docker = {
  readonly run: RunProgram
  readonly environment: Command['environment']
  /** Where relative paths begin. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
}

export type DockerOptions = {
  /** What it is run for, for the words of an error. */
  readonly undertaking: Undertaking
  /** In milliseconds. */
  readonly timeout: number
  /** Variables for this child alone. */
  readonly environment?: Command['environment']
  /** What it reads from its standard input. */
  readonly input?: string
  readonly onLine?: (line: string) => void
}

/**
 * Runs `docker` and answers what it printed on its standard output. Throws a `ConfigurationError` with the cure when it
 * failed for a reason that is known, else an `Error` with what it said.
 */
export async function runDocker(docker: Docker, args: readonly string[], options: DockerOptions): Promise<string> {
  const ran = await tryDocker(docker, args, options)
  if (ran.exitCode === 0) return ran.stdout
  throw failureOf(ran, args, options)
}

/** Like `runDocker`, for a command that may fail. Throws a `ConfigurationError` without the program. */
export async function tryDocker(docker: Docker, args: readonly string[], options: DockerOptions): Promise<Ran> {
  const { environment, input, onLine, timeout } = options
  const command = {
    program: 'docker',
    args,
    folder: docker.folder,
    environment: { ...docker.environment, ...environment },
    ...(input !== undefined && { input })
  }
  try {
    return await docker.run(command, { timeout, signal: docker.signal, ...(onLine && { onLine }) })
  } catch (error) {
    if (error instanceof ProgramMissing) throw new ConfigurationError(noDocker, { cause: error })
    throw error
  }
}

const noDocker =
  'The program `docker` was not found. Run the job on a runner that has Docker, such as `ubuntu-latest`, or install it in an earlier step and add it to PATH.'

/** What failed, in words that say what to do where that is known. */
export function failureOf(ran: Ran, args: readonly string[], { undertaking, timeout }: DockerOptions): Error {
  const what = `docker ${args.slice(0, args[0] === 'buildx' ? 2 : 1).join(' ')}`
  if (ran.endedFor === 'cancelled') return new Error(`\`${what}\` was ended: the job was cancelled.`)
  if (ran.endedFor === 'timeout') return new Error(`\`${what}\` was ended after ${Math.round(timeout / 1000)} s.`)
  const said = `${ran.stdout}\n${ran.stderr}`
  return (
    explainDocker(said, undertaking) ?? new Error(`\`${what}\` failed (exit code ${ran.exitCode}):\n${lastOf(said)}`)
  )
}

/** The end of what was said, without empty lines. */
function lastOf(said: string): string {
  return said
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-15)
    .join('\n')
}
