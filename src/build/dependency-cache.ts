import { createHash } from 'node:crypto'
import { messageOf } from '../errors.ts'
import type { Builder } from './build.ts'
import { cargoCache } from './cargo-cache.ts'
import type { CacheTools, CargoFolders, LanguageCache, NoDependencyCache } from './language-cache.ts'
import { findLockFile, type LockFile } from './lock-file.ts'
import { nodeCache } from './node-cache.ts'
import { nugetCache } from './nuget-cache.ts'
import type { ModuleProject } from './project.ts'

/** What of a project's dependencies and intermediate results is worth keeping from run to run, and by which key. */
export type DependencyCache = {
  readonly kind: 'cache'
  /** Absolute; what is not there is left out. */
  readonly paths: readonly string[]
  /** The beginning of its keys: for this system, toolchain and way to build. The lock file's hash follows. */
  readonly prefix: string
  /** What must not get into it; `undefined` when nothing of the project's own can be in it. */
  readonly cargo?: CargoFolders
}

export type CacheQuery = {
  readonly project: ModuleProject
  readonly builder: Builder | 'auto'
  readonly debug: boolean
}

/** What to cache for a project. Throws nothing: what can't be found out means that there is no cache. */
export async function dependencyCacheOf(
  query: CacheQuery,
  tools: CacheTools
): Promise<DependencyCache | NoDependencyCache> {
  try {
    const lock = await findLockFile(query.project, tools.workspace)
    const found = await languageCache(query, lock, tools)
    if ('reason' in found) return found
    const { toolchain, ...rest } = found
    const made = digest([toolchain, query.builder, query.debug ? 'debug' : 'release'].join('\n'))
    return {
      kind: 'cache',
      ...rest,
      prefix: `stdb-${query.project.language}-${process.platform}-${process.arch}-${made}-`
    }
  } catch (error) {
    return { kind: 'none', reason: messageOf(error) }
  }
}

/** The key for the lock file as it is now: a build may make one, or change it. */
export async function cacheKey(
  { prefix }: DependencyCache,
  project: ModuleProject,
  workspace: string
): Promise<string> {
  const lock = await findLockFile(project, workspace)
  return `${prefix}${lock?.sha256.slice(0, 32) ?? 'unlocked'}`
}

async function languageCache(
  { project, debug }: CacheQuery,
  lock: LockFile | undefined,
  tools: CacheTools
): Promise<LanguageCache | NoDependencyCache> {
  switch (project.language) {
    case 'rust':
      return cargoCache(project, debug ? 'debug' : 'release', tools)
    case 'typescript':
      return nodeCache(project, lock, tools)
    case 'csharp':
      return nugetCache(project, tools)
    case 'cpp':
      return { kind: 'none', reason: 'C++ modules have no dependencies that are downloaded' }
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
