import { spawn } from 'node:child_process'
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
  /** When a line is this, the run is cancelled. */
  readonly cancelAt: ((line: ActLine) => boolean) | undefined
}

/** Runs act to its end. Throws when it takes too long. */
export async function runAct(options: ActOptions): Promise<ActLine[]> {
  const { program, args, folder, env, deadline, cancelAt } = options
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: ActLine[] = []
  let isCancelled = false
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, deadline)
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const text of createInterface({ input: stream })) {
      const line = readLine(text)
      lines.push(line)
      if (isCancelled || !cancelAt?.(line)) continue
      isCancelled = true
      child.kill('SIGINT')
    }
  }
  await Promise.all([once(child, 'exit'), read(child.stdout), read(child.stderr)])
  clearTimeout(timer)
  if (isLate)
    throw new Error(`act still ran after ${deadline} ms:\n${lines.map(({ msg }) => msg.trimEnd()).join('\n')}`)
  if (cancelAt !== undefined && !isCancelled) throw new Error('nothing came at which the run was to be cancelled')
  return lines
}
