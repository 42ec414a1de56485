import { resolve } from 'node:path'
import { ConfigurationError } from '../src/errors.ts'
import { ProgramMissing } from '../src/process.ts'
import type { Workbench } from './build-workbench.ts'

/** The name that is looked for without being asked for. */
const usualCli = 'spacetime'

/**
 * The CLI, when there is one: a name, or an absolute path. Without being asked for it is looked for only where it is
 * needed. Throws a `ConfigurationError` for one that was given and is not there, or does not run, and what the signal is
 * aborted for.
 */
export async function findCli(
  given: string,
  isNeeded: boolean,
  { run, environment, workspace, signal }: Workbench
): Promise<string | undefined> {
  if (given === usualCli && !isNeeded) return undefined
  const cli = /[\\/]/.test(given) ? resolve(workspace, given) : given
  try {
    const ran = await run({ program: cli, args: ['--version'], environment }, { timeout: 60_000, signal })
    signal?.throwIfAborted()
    if (ran.exitCode === 0) return cli
    const said = `${ran.stderr}${ran.stdout}`.trim().split('\n', 1)[0]
    throw new ConfigurationError(
      `Input \`cli\`: \`${cli} --version\` ${ran.endedFor ? 'did not end within a minute' : `failed with exit code ${ran.exitCode}`}` +
        `${said ? ` (${said})` : ''}. Give the CLI of SpacetimeDB, or have \`setup-spacetimedb\` put it on PATH.`
    )
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error
    if (given === usualCli) return undefined
    throw new ConfigurationError(
      `Input \`cli\`: there is no program \`${given}\`. Give a path from the workspace, or leave it out to take \`${usualCli}\` ` +
        'from PATH, where `setup-spacetimedb` puts it.'
    )
  }
}
