import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModuleLanguage } from '../module-language.ts'
import { foldersUp } from '../paths.ts'
import { sha256Of } from './manifest.ts'
import type { ModuleProject } from './project.ts'

/** The file that says which dependencies a project is built with. */
export type LockFile = {
  /** Absolute. */
  readonly path: string
  readonly name: string
  /** In hex. */
  readonly sha256: string
}

/** By language, in the order in which they are looked for in a folder. C++ has none. */
const names: Readonly<Record<ModuleLanguage, readonly string[]>> = {
  rust: ['Cargo.lock'],
  typescript: ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'],
  csharp: ['packages.lock.json'],
  cpp: []
}

/**
 * The lock file of a project as it is now: in its folder, or in the nearest folder above it (a workspace), but not above
 * `topmost`, which is absolute. `undefined` where there is none.
 */
export async function findLockFile(
  { folder, language }: ModuleProject,
  topmost: string
): Promise<LockFile | undefined> {
  for (const place of foldersUp(folder, topmost)) {
    const found = await firstThere(place, names[language])
    if (found !== undefined) return found
  }
  return undefined
}

async function firstThere(folder: string, candidates: readonly string[]): Promise<LockFile | undefined> {
  for (const name of candidates) {
    const path = join(folder, name)
    const isThere = await access(path).then(
      () => true,
      () => false
    )
    if (isThere) return { path, name, sha256: sha256Of(await readFile(path)) }
  }
  return undefined
}
