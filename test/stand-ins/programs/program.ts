import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export type Ended = { readonly exitCode: number | null; readonly stdout: string }

/**
 * Runs a program whose errors go where ours go, and whose output is returned, or goes there too. `undefined` when there
 * is no such program.
 */
export async function run(
  program: string,
  args: readonly string[],
  { folder, output }: { folder?: string; output: 'returned' | 'printed' }
): Promise<Ended | undefined> {
  const child = spawn(program, args, {
    stdio: ['ignore', output === 'returned' ? 'pipe' : 'inherit', 'inherit'],
    ...(folder !== undefined && { cwd: folder })
  })
  try {
    const [[exitCode], stdout] = await Promise.all([
      once(child, 'close') as Promise<[number | null]>,
      child.stdout ? text(child.stdout) : ''
    ])
    return { exitCode, stdout }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
