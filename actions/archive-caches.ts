import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { allSecrets, inputsAndState, withoutVariables } from '../src/action/hidden-variables.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { messageOf } from '../src/errors.ts'
import { type Cache, gitHubCache } from '../src/github/cache.ts'
import type { ArchiveCache } from '../src/setup/archive-cache.ts'
import type { ToolCache } from '../src/setup/install.ts'

/** The runner's tool cache (https://github.com/actions/toolkit/tree/main/packages/tool-cache), where it has one. */
export function runnerToolCache(environment: Environment): ToolCache {
  const tool = 'spacetimedb'
  return {
    find: async (version, target) => {
      if (!environment.RUNNER_TOOL_CACHE) return undefined
      const { find } = await import('@actions/tool-cache')
      return find(tool, version, target.triple) || undefined
    },
    keep: async (folder, version, target) => {
      const { cacheDir } = await import('@actions/tool-cache')
      return cacheDir(folder, tool, version, target.triple)
    },
    extract: async (archive, folder) => {
      const { extractTar, extractZip } = await import('@actions/tool-cache')
      const extract = archive.endsWith('.zip') ? extractZip : extractTar
      await withoutVariables(allSecrets, () => extract(archive, folder))
    }
  }
}

/** The repository's cache, for archives. A file has to be at the same path when it is saved and when it is restored. */
export function repositoryCache(temporary: string, cache: Cache = gitHubCache({ timeout: 120_000 })): ArchiveCache {
  const placeOf = (name: string) => join(temporary, 'stdb-actions', 'archives', name)
  return {
    restore: async (key, name, file) => {
      const restored = await withoutVariables(inputsAndState, () => cache.restore([placeOf(name)], key))
      if (restored.kind === 'failed') log(`The cache could not be used: ${restored.reason}.`)
      if (restored.kind !== 'hit') return false
      // After a cancellation nobody waits for this, and the file's folder is gone.
      const problem = await problemOf(rename(placeOf(name), file))
      if (problem !== undefined) log(`What the cache had could not be used: ${problem}.`)
      return problem === undefined
    },
    save: async (key, name, file) => {
      const problem = await problemOf(
        mkdir(join(temporary, 'stdb-actions', 'archives'), { recursive: true }).then(() => rename(file, placeOf(name)))
      )
      if (problem !== undefined) return log(`Not kept in the cache: ${problem}.`)
      const saved = await withoutVariables(inputsAndState, () => cache.save([placeOf(name)], key))
      await problemOf(rm(placeOf(name), { force: true }))
      if (saved.kind === 'saved') log(`Kept for later runs in the cache, as ${key}.`)
      if (saved.kind === 'not-saved') log(`Not kept in the cache: ${saved.reason}.`)
    }
  }
}

/** Why something with files failed; `undefined` when it did not. */
function problemOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(() => undefined, messageOf)
}
