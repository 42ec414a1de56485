import { basename, join } from 'node:path'
import * as core from '@actions/core'
import { wrapCli } from '../../src/setup/cli-config.ts'
import { insistOnGoing, SetupFailure } from '../../src/setup/failure.ts'
import type { Installed } from '../../src/setup/install.ts'
import { type Starting, statedVersion } from '../../src/setup/programs.ts'

type CommandRequest = {
  readonly installed: Installed
  readonly version: string
  /** Of the CLI, when it is logged in. */
  readonly config: string | undefined
  readonly root: string
  readonly isWindows: boolean
}

/**
 * Has later steps find the CLI as `spacetime`, logged in where it is. Throws a `SetupFailure` when that isn't the CLI
 * of the wanted version.
 */
export async function addToPath({ installed, version, config, root, isWindows }: CommandRequest, starting: Starting) {
  const folders = installed.folder === undefined ? [] : [installed.folder]
  let program = installed.folder && join(installed.folder, `spacetime${isWindows ? '.exe' : ''}`)
  const isNamed = installed.folder !== undefined || /^spacetime(\.exe)?$/.test(basename(installed.cli))
  if (config !== undefined || !isNamed) {
    const folder = join(root, 'bin')
    program = await wrapCli(folder, installed.cli, config, isWindows)
    folders.push(folder)
  }
  if (program !== undefined) await insistOnVersion(program, version, starting)
  // What is added last is found first.
  for (const folder of folders) core.addPath(folder)
}

async function insistOnVersion(program: string, version: string, starting: Starting): Promise<void> {
  const stated = await statedVersion(program, starting)
  insistOnGoing(starting.signal)
  if (stated.kind === 'version' && stated.version === version) return
  const problem = stated.kind === 'version' ? `it says that it is ${stated.version}` : stated.reason
  throw new SetupFailure('unusable release', `SpacetimeDB ${version} was installed as ${program}, but ${problem}.`)
}
