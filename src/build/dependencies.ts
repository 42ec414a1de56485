import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigurationError } from '../errors.ts'
import type { javaScriptLockFiles } from '../lock-files.ts'
import { ProgramMissing } from '../process.ts'
import { exists, installed } from './javascript-project.ts'
import { endOf, type Job } from './job.ts'
import { findLockFile } from './lock-file.ts'

/**
 * Installs the packages of a TypeScript module as its lock file says, when they are not installed. Answers why that
 * failed. Throws a `ConfigurationError` when the package manager is missing.
 */
export async function installDependencies(job: Job): Promise<string | undefined> {
  if ((await installed(job, 'spacetimedb/package.json')) !== undefined) return undefined
  const { folder, program, args, lock } = await installation(job)
  if (lock === undefined) {
    job.say(
      'There is no lock file: the packages may differ from build to build. Commit the one that `npm install` makes.'
    )
  }
  try {
    const ran = await job.run(program, args, { folder })
    await job.noteVersion(program)
    if (ran.exitCode !== 0)
      return `The packages of the module could not be installed. ${endOf([program, ...args].join(' '), ran)}`
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error
    throw new ConfigurationError(
      `The module's packages are locked by ${lock ?? 'no file'}, and \`${program}\` is not installed. Install it, or the packages, in an ` +
        'earlier step of the job.'
    )
  }
  if ((await installed(job, 'spacetimedb/package.json')) !== undefined) return undefined
  if (await exists(join(folder, '.pnp.cjs'))) {
    return (
      "The packages were installed by Yarn's Plug'n'Play, and what builds modules looks for them in `node_modules`. Add " +
      '`nodeLinker: node-modules` to .yarnrc.yml.'
    )
  }
  return 'The packages were installed, and `spacetimedb` is not among them. Add it to `dependencies` in package.json.'
}

type Installation = {
  readonly folder: string
  readonly program: string
  readonly args: readonly string[]
  /** Its name. */
  readonly lock: string | undefined
}

async function installation({ project, tools }: Job): Promise<Installation> {
  const lock = await findLockFile(project, tools.workspace)
  const manager = lock && packageManagers[lock.name]
  if (lock === undefined || manager === undefined) {
    return {
      folder: project.folder,
      lock: undefined,
      program: 'npm',
      args: ['install', '--no-package-lock', ...quietly]
    }
  }
  const args = manager.args(await readFile(lock.path, 'utf8'))
  return { folder: dirname(lock.path), lock: lock.name, program: manager.program, args }
}

const quietly = ['--no-audit', '--no-fund']

type PackageManager = {
  readonly program: string
  /** That install what the lock file says, and change nothing of it. */
  readonly args: (lockText: string) => readonly string[]
}

const npm: PackageManager = { program: 'npm', args: () => ['ci', ...quietly] }
const bun: PackageManager = { program: 'bun', args: () => ['install', '--frozen-lockfile'] }

/** By the name of the lock file. */
const packageManagers: Readonly<Record<string, PackageManager>> = {
  'pnpm-lock.yaml': { program: 'pnpm', args: () => ['install', '--frozen-lockfile'] },
  'yarn.lock': {
    program: 'yarn',
    args: (text) => ['install', /^__metadata:/m.test(text) ? '--immutable' : '--frozen-lockfile']
  },
  'bun.lock': bun,
  'bun.lockb': bun,
  'package-lock.json': npm,
  'npm-shrinkwrap.json': npm
} satisfies Record<(typeof javaScriptLockFiles)[number], PackageManager>
