import { type ChildProcess, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { PassThrough, type Readable } from 'node:stream'
import spawn from 'cross-spawn'
import { ConfigurationError } from './errors.ts'

/** A program and its arguments, one by one: no shell reads them. */
export type Command = {
  /** A path, or a name that is looked up in the environment's PATH. */
  readonly program: string
  readonly args: readonly string[]
  /** Where it runs; where this process runs without it. */
  readonly folder?: string
  /** All variables that it gets. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What it reads from its standard input: for secrets, which may not be arguments. Nothing without it. */
  readonly input?: string
}

export type RunOptions = {
  /** Told each line when it is printed, without its end. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** Ends the program, and what it has started, when aborted. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which it is ended. */
  readonly timeout?: number
}

/** How a program ended. */
export type Ran = {
  /** `undefined` for a program that was ended by a signal. */
  readonly exitCode: number | undefined
  /** Why it was ended from here, when it was. */
  readonly endedFor?: 'timeout' | 'cancelled'
  /** What it printed, line ends as `\n`; of more than 32 MiB the rest is left out. */
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program to its end, whatever that is. Throws `ProgramMissing` when there is no such program, and an `Error`
 * when it can't be started.
 */
export type RunProgram = (command: Command, options?: RunOptions) => Promise<Ran>

/** A program that is not installed, or not in PATH. */
export class ProgramMissing extends ConfigurationError {
  /** As it was called. */
  readonly program: string

  constructor(program: string) {
    super(`The program \`${program}\` was not found. Install it in an earlier step of the job, or add it to PATH.`)
    this.program = program
  }
}

/**
 * What a program that is started for the user is given of this process' environment: all but an action's inputs and
 * state, the runner's tokens (`ACTIONS_…`) and the files by which outputs, state and variables are set.
 */
export function childEnvironment(environment: Command['environment']): Record<string, string> {
  const given = Object.entries(environment).filter(([name]) => !isOfTheAction(name.toUpperCase()))
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#environment-files */
function isOfTheAction(name: string): boolean {
  return /^(INPUT_|STATE_|ACTIONS_)/.test(name) || /^GITHUB_(ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)$/.test(name)
}

/** Runs a program of this machine. */
export const runProgram: RunProgram = async (command, { onLine, signal, timeout } = {}) => {
  if (signal?.aborted) return { exitCode: undefined, endedFor: 'cancelled', stdout: '', stderr: '' }
  const child = spawn(command.program, [...command.args], {
    cwd: command.folder,
    env: { ...command.environment },
    stdio: [command.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
    // A group of its own, so that what it starts can be ended with it.
    detached: process.platform !== 'win32'
  })
  let endedFor: Ran['endedFor']
  const end = (reason: 'timeout' | 'cancelled') => {
    endedFor ??= reason
    endGroup(child)
  }
  const cancel = () => end('cancelled')
  const leave = () => kill(child, 'SIGKILL')
  const timer = timeout === undefined ? undefined : setTimeout(() => end('timeout'), timeout)
  signal?.addEventListener('abort', cancel)
  process.once('exit', leave)
  child.once('exit', () => {
    clearTimeout(timer)
    closePipesSoon(child)
  })
  // One that ends without reading says so by its exit code.
  child.stdin?.on('error', () => {}).end(command.input)
  try {
    const [exitCode, stdout, stderr] = await Promise.all([
      exitOf(child, command),
      textOf(child.stdout, (line) => onLine?.(line, 'stdout')),
      textOf(child.stderr, (line) => onLine?.(line, 'stderr'))
    ])
    return { exitCode, ...(endedFor && { endedFor }), stdout, stderr }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
    process.off('exit', leave)
  }
}

function exitOf(child: ChildProcess, { program, folder }: Command): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') reject(new ProgramMissing(program))
      else reject(new Error(`${program} could not be started in ${folder ?? '.'}: ${error.message}`, { cause: error }))
    })
    child.once('close', (code) => resolve(code ?? undefined))
  })
}

const mostText = 32 << 20

async function textOf(stream: Readable | null, onLine: (line: string) => void): Promise<string> {
  const lines: string[] = []
  let room = mostText
  if (stream === null) return ''
  // Ends when the stream is closed, too: a line that has no end yet is not lost.
  const input = stream.pipe(new PassThrough())
  stream.once('close', () => input.end())
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    onLine(line)
    room -= line.length + 1
    if (room > 0) lines.push(`${line}\n`)
  }
  return lines.join('')
}

/** Milliseconds for what is in the pipes when the program has ended. */
const lastWords = 1_500

/** Something that the program has started may hold them, outside of its group: nobody waits for that. */
function closePipesSoon(child: ChildProcess): void {
  const timer = setTimeout(() => {
    child.stdout?.destroy()
    child.stderr?.destroy()
  }, lastWords)
  child.once('close', () => clearTimeout(timer))
}

/** A moment to end by itself, so that it leaves no half-written files. */
const grace = 3_000

function endGroup(child: ChildProcess): void {
  kill(child, 'SIGTERM')
  const timer = setTimeout(() => kill(child, 'SIGKILL'), grace)
  child.once('close', () => {
    clearTimeout(timer)
    // What it has started may not have listened.
    kill(child, 'SIGKILL')
  })
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') endTree(child, child.pid)
    else process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}

/** https://learn.microsoft.com/windows-server/administration/windows-commands/taskkill; Windows has no other signal. */
function endTree(child: ChildProcess, pid: number): void {
  // Another program may have the number by now.
  if (child.exitCode !== null || child.signalCode !== null) return
  const args = ['/pid', `${pid}`, '/T', '/F']
  const { error } = spawnSync('taskkill', args, { stdio: 'ignore', windowsHide: true, timeout: 5_000 })
  if (error !== undefined) child.kill('SIGKILL')
}
