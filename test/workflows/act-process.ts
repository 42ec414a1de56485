import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type ActLine, readLine } from './act-log.ts'

export type ActOptions = {
  readonly program: string
  readonly args: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds after which it is killed. */
  readonly deadline: number
  readonly interruption: Interruption | undefined
}

/** What happens to a run at the first line that is so. */
export type Interruption = {
  readonly at: (line: ActLine) => boolean
  /**
   * `cancel`: the run is cancelled, and act kills the step at once, where GitHub first asks it to end. `ask`: the step is
   * asked to end as GitHub asks, and act takes it for one that failed. Or act stands still while this is done.
   */
  readonly what: 'cancel' | 'ask' | (() => Promise<unknown>)
}

/** Runs act to its end. Throws when it takes too long, or nothing came at which it was to be interrupted. */
export async function runAct(options: ActOptions): Promise<ActLine[]> {
  const { program, args, folder, env, deadline, interruption } = options
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: ActLine[] = []
  let interrupted: Promise<void> | undefined
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGTERM')
  }, deadline)
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const text of createInterface({ input: stream })) {
      const line = readLine(text)
      lines.push(line)
      if (interrupted === undefined && interruption?.at(line)) interrupted = interrupt(child, interruption)
    }
  }
  await Promise.all([once(child, 'exit'), read(child.stdout), read(child.stderr)])
  clearTimeout(timer)
  await interrupted
  if (isLate)
    throw new Error(`act still ran after ${deadline} ms:\n${lines.map(({ msg }) => msg.trimEnd()).join('\n')}`)
  if (interruption && !interrupted) throw new Error('nothing came at which the run was to be interrupted')
  return lines
}

async function interrupt(child: ChildProcess, { what }: Interruption): Promise<void> {
  if (what === 'cancel') return void child.kill('SIGINT')
  if (what === 'ask') {
    for (const pid of childrenOf(child.pid)) process.kill(pid, 'SIGINT')
    return
  }
  child.kill('SIGSTOP')
  try {
    await what()
  } finally {
    child.kill('SIGCONT')
  }
}

/** Jobs run one after the other, and so do their steps: it is the step's program. */
function childrenOf(pid: number | undefined): number[] {
  const found = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return found.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Number(line)]))
}
