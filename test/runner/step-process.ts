import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { ChildWatch, type ExposedByChild, groupRuns } from './child-processes.ts'

export type ProcessOptions = {
  readonly node: string
  readonly script: string
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  /** Milliseconds from SIGINT to SIGTERM, and from there to SIGKILL, when it is cancelled. */
  readonly grace: Grace
  /** Milliseconds after which it is killed. */
  readonly deadline: number
  readonly onLine: (line: PrintedLine) => void
}

export type Grace = { readonly afterInterrupt: number; readonly afterTerminate: number }

export type PrintedLine = {
  /** Milliseconds since the step started. */
  readonly at: number
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** The process of a step, while it runs. */
export type StepProcess = {
  readonly pid: number
  readonly exit: Promise<Exit>
  /** What the runner does when a run is cancelled: SIGINT, SIGTERM, SIGKILL, with the grace between them. */
  cancel(): void
  /** Ends the process and its children at once, as when a machine dies. */
  kill(): void
  signal(signal: NodeJS.Signals): void
}

export type Exit = {
  /** `null` for a process that was ended by a signal. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** In milliseconds. */
  readonly duration: number
  /** Whether it was killed because it took longer than the deadline. */
  readonly late: boolean
  /** Whether it left children running; they are ended now. */
  readonly leftProcesses: boolean
  /** The arguments and environments of its children. */
  readonly children: readonly ExposedByChild[]
}

/** Starts a script as the runner starts an action's: Node without options, no input, a group of its own. */
export function startProcess(options: ProcessOptions): StepProcess {
  const child = spawn(options.node, [options.script], {
    cwd: options.folder,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32'
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${options.node} could not be started`)
  const timers: NodeJS.Timeout[] = []
  const later = (delay: number, act: () => void) => void timers.push(setTimeout(act, delay))
  return {
    pid,
    exit: watchProcess(child, pid, options).finally(() => timers.forEach(clearTimeout)),
    signal: (signal) => void child.kill(signal),
    kill: () => void endGroup(pid),
    cancel: () => {
      child.kill('SIGINT')
      later(options.grace.afterInterrupt, () => child.kill('SIGTERM'))
      later(options.grace.afterInterrupt + options.grace.afterTerminate, () => endGroup(pid))
    }
  }
}

async function watchProcess(child: ChildProcess, pid: number, { deadline, onLine }: ProcessOptions): Promise<Exit> {
  const startedAt = performance.now()
  const watch = new ChildWatch(pid)
  let late = false
  const timer = setTimeout(() => {
    late = true
    endGroup(pid)
  }, deadline)
  const read = async (stream: PrintedLine['stream'], from: Readable | null) => {
    if (!from) return
    for await (const text of createInterface({ input: from, crlfDelay: Number.POSITIVE_INFINITY })) {
      onLine({ at: performance.now() - startedAt, stream, text })
    }
  }
  const exited = once(child, 'exit').then(async ([exitCode, signal]) => {
    const duration = performance.now() - startedAt
    const leftProcesses = await outlives(pid)
    endGroup(pid)
    return { exitCode: exitCode as number | null, signal: signal as NodeJS.Signals | null, duration, leftProcesses }
  })
  const [exit] = await Promise.all([exited, read('stdout', child.stdout), read('stderr', child.stderr)])
  clearTimeout(timer)
  return { ...exit, late, children: watch.stop() }
}

/** Whether anything of a process's group still runs a moment after the process has ended. */
async function outlives(pid: number): Promise<boolean> {
  for (let look = 0; look < 20; look++) {
    if (!groupRuns(pid)) return false
    await wait(25)
  }
  return true
}

/** Kills what is left of a process's group. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing is left.
  }
}
