import { readdirSync, readFileSync } from 'node:fs'
import type { Exposed } from './secrets.ts'

/** What others can read of a process that another one has started. */
export type ExposedByChild = Exposed & { readonly kind: 'arguments' | 'environment' }

/**
 * Looks every few milliseconds, where the system tells (Linux), at the processes that a process started: their
 * arguments and environment are readable by others and must hold no secret.
 */
export class ChildWatch {
  readonly #parent: number
  readonly #seen = new Map<string, ExposedByChild>()
  readonly #timer: NodeJS.Timeout | undefined

  constructor(parent: number) {
    this.#parent = parent
    if (process.platform === 'linux') this.#timer = setInterval(() => this.#look(this.#parent), 10)
  }

  /** Stops looking; what the children's arguments and environments were. */
  stop(): readonly ExposedByChild[] {
    clearInterval(this.#timer)
    return [...this.#seen.values()]
  }

  #look(pid: number): void {
    for (const child of childrenOf(pid)) {
      const command = read(`/proc/${child}/cmdline`)
      // Between fork and exec a child still shows its parent's arguments and environment.
      if (command === '' || command === read(`/proc/${pid}/cmdline`)) continue
      this.#note('arguments', nameOf(command), command)
      this.#note('environment', nameOf(command), read(`/proc/${child}/environ`))
      this.#look(child)
    }
  }

  #note(kind: ExposedByChild['kind'], name: string, text: string): void {
    const where = `the ${kind} of ${name}`
    this.#seen.set(`${where}\0${text}`, { kind, where, text })
  }
}

/** Whether a process group has a member that runs: one that has ended and waits to be noticed does not. */
export function groupRuns(group: number): boolean {
  if (process.platform !== 'linux') return canSignal(-group)
  return readdirSync('/proc').some((pid) => {
    // After the command's name in parentheses: state, parent, group.
    const [state, , memberOf] = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')
    return Number(memberOf) === group && state !== 'Z' && state !== 'X'
  })
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The processes that a process has started and that have not ended, where the system tells (Linux). */
export function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number)
  )
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** Nothing for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function nameOf(command: string): string {
  return command.split('\0')[0] ?? 'a child process'
}
