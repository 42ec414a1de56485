import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { foldersUp } from '../paths.ts'
import type { Job } from './job.ts'
import type { ModuleProject } from './project.ts'

/** Where the CLI puts the bundle of a TypeScript module. */
export function bundleFile({ folder }: ModuleProject): string {
  return join(folder, 'dist', 'bundle.js')
}

/** A path below `node_modules` of the project, or of a folder above it in the workspace, as Node looks for packages. */
export async function installed(job: Job, path: string): Promise<string | undefined> {
  for (const folder of foldersUp(job.project.folder, job.tools.workspace)) {
    const place = join(folder, 'node_modules', path)
    if (await exists(place)) return place
  }
  return undefined
}

/** Notes the version of a package that is installed. */
export async function noteInstalled(job: Job, name: string): Promise<void> {
  const manifest = await installed(job, `${name}/package.json`)
  if (manifest === undefined) return
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version?: unknown }
  if (typeof version === 'string') job.versions[name] = version
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}
