import { readFileSync } from 'node:fs'
import * as z from 'zod'
import type { Clock } from '../clock.ts'

/** A process that outlives the step which started it, as another step finds it again. */
export type ServerProcess = z.output<typeof serverProcessSchema>

export const serverProcessSchema = z.object({
  pid: z.int().positive(),
  /** When it was started, as /proc has it (clock ticks since boot); absent where there is no /proc. */
  startTicks: z.string().optional(),
  logFile: z.string()
})

/** The process of a pid that was just started. */
export function processOf(pid: number, logFile: string): ServerProcess {
  const startTicks = statOf(pid)?.startTicks
  return { pid, logFile, ...(startTicks !== undefined && { startTicks }) }
}

/** Milliseconds that a server has to end by itself. */
const grace = 5_000

/**
 * Ends a process, and answers how: `stopped` when asked to, `killed` when it did not end in 5 s, `gone` when it had
 * ended before. A pid that another process has by now is left alone.
 */
export async function stopProcess(process: ServerProcess, clock: Clock): Promise<'stopped' | 'killed' | 'gone'> {
  if (!isRunning(process) || !send(process.pid, 'SIGTERM')) return 'gone'
  if (await ends(process, clock)) return 'stopped'
  send(process.pid, 'SIGKILL')
  await ends(process, clock)
  return 'killed'
}

/** Whether it still runs, and is the one that was started. */
export function isRunning({ pid, startTicks }: ServerProcess): boolean {
  if (!send(pid, 0)) return false
  const stat = statOf(pid)
  if (stat === undefined) return startTicks === undefined
  // One that has ended and whose parent didn't ask is a zombie.
  return stat.state !== 'Z' && stat.state !== 'X' && (startTicks === undefined || stat.startTicks === startTicks)
}

async function ends(process: ServerProcess, clock: Clock): Promise<boolean> {
  const deadline = clock.now() + grace
  while (isRunning(process)) {
    if (clock.now() >= deadline) return false
    await clock.sleep(25)
  }
  return true
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: after the command's name, which may hold anything. */
function statOf(pid: number): { readonly state: string; readonly startTicks: string } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state: fields[0] ?? '', startTicks: fields[19] ?? '' }
  } catch {
    return undefined
  }
}
