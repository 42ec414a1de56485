import type { Command, RunProgram } from '../process.ts'

/**
 * When a commit was made, in seconds since the epoch, as Git in that folder knows it; `undefined` when it does not know
 * it or there is no Git.
 */
export async function commitTime(
  commit: string,
  git: { readonly run: RunProgram; readonly folder: string; readonly environment: Command['environment'] }
): Promise<number | undefined> {
  const { run, folder, environment } = git
  const args = ['show', '--no-patch', '--format=%ct', commit]
  const ran = await run({ program: 'git', args, folder, environment }, { timeout: 30_000 }).catch(() => undefined)
  const seconds = /^\d+$/.exec(ran?.stdout.trim() ?? '')?.[0]
  return ran?.exitCode === 0 && seconds !== undefined ? Number(seconds) : undefined
}
