import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '../errors.ts'
import { foldersUp } from '../paths.ts'
import { ProgramMissing } from '../process.ts'
import { exists, installed } from './javascript-project.ts'
import { endOf, type Job } from './job.ts'

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
  return 'The packages were installed, and `spacetimedb` is not among them. Add it to `dependencies` in package.json.'
}

type Installation = {
  readonly folder: string
  readonly program: string
  readonly args: readonly string[]
  /** Its name. */
  readonly lock: string | undefined
}

/** By the lock file of the project; one above it counts where it is the root of a workspace. */
async function installation({ project, tools }: Job): Promise<Installation> {
  for (const folder of foldersUp(project.folder, tools.workspace)) {
    if (folder !== project.folder && !(await isWorkspaceRoot(folder))) continue
    for (const { lock, program, args } of packageManagers) {
      const file = join(folder, lock)
      if (await exists(file)) return { folder, lock, program, args: args(await readFile(file, 'utf8')) }
    }
  }
  return { folder: project.folder, lock: undefined, program: 'npm', args: ['install', '--no-package-lock', ...quietly] }
}

async function isWorkspaceRoot(folder: string): Promise<boolean> {
  if (await exists(join(folder, 'pnpm-workspace.yaml'))) return true
  const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '')
  return /"workspaces"\s*:/.test(manifest)
}

const quietly = ['--no-audit', '--no-fund']

type PackageManager = {
  readonly lock: string
  readonly program: string
  /** That install what the lock file says, and change nothing of it. */
  readonly args: (lockText: string) => readonly string[]
}

/** In the order in which the CLI looks for lock files (crates/cli/src/spacetime_config.rs, detect_package_manager). */
const packageManagers: readonly PackageManager[] = [
  { lock: 'pnpm-lock.yaml', program: 'pnpm', args: () => ['install', '--frozen-lockfile'] },
  {
    lock: 'yarn.lock',
    program: 'yarn',
    args: (text) => ['install', /^__metadata:/m.test(text) ? '--immutable' : '--frozen-lockfile']
  },
  { lock: 'bun.lock', program: 'bun', args: () => ['install', '--frozen-lockfile'] },
  { lock: 'bun.lockb', program: 'bun', args: () => ['install', '--frozen-lockfile'] },
  { lock: 'package-lock.json', program: 'npm', args: () => ['ci', ...quietly] },
  { lock: 'npm-shrinkwrap.json', program: 'npm', args: () => ['ci', ...quietly] }
]
