import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { javaScriptLockFiles } from '../lock-files.ts'
import type { ModuleLanguage } from '../module-language.ts'
import { foldersUp } from '../paths.ts'
import { exists } from './javascript-project.ts'
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
  typescript: javaScriptLockFiles,
  csharp: ['packages.lock.json'],
  cpp: []
}

/**
 * The lock file of a project as it is now: in its folder, or in the nearest one above it that it may belong to, but not
 * above `topmost`, which is absolute. `undefined` where there is none.
 */
export async function findLockFile(
  { folder, language }: ModuleProject,
  topmost: string
): Promise<LockFile | undefined> {
  for (const place of foldersUp(folder, topmost)) {
    if (place !== folder && !(await isSharedFrom(place, language))) continue
    const found = await firstThere(place, names[language])
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether a lock file in a folder above may be for the project. Cargo makes one of its own where none is. */
async function isSharedFrom(folder: string, language: ModuleLanguage): Promise<boolean> {
  switch (language) {
    case 'rust':
      return true
    case 'typescript':
      return isJavaScriptWorkspace(folder)
    // NuGet's is beside the project file.
    case 'csharp':
    case 'cpp':
      return false
  }
}

async function isJavaScriptWorkspace(folder: string): Promise<boolean> {
  if (await exists(join(folder, 'pnpm-workspace.yaml'))) return true
  const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '')
  return /"workspaces"\s*:/.test(manifest)
}

async function firstThere(folder: string, candidates: readonly string[]): Promise<LockFile | undefined> {
  for (const name of candidates) {
    const path = join(folder, name)
    if (await exists(path)) return { path, name, sha256: sha256Of(await readFile(path)) }
  }
  return undefined
}
