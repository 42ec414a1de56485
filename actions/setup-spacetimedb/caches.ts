import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { allSecrets, inputsAndState, withoutVariables } from '../../src/action/hidden-variables.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import { gitHubCache } from '../../src/github/cache.ts'
import type { ArchiveCache } from '../../src/setup/archive-cache.ts'
import type { ToolCache } from '../../src/setup/install.ts'

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
export function repositoryCache(temporary: string): ArchiveCache {
  const cache = gitHubCache({ timeout: 120_000 })
  const placeOf = (name: string) => join(temporary, 'stdb-actions', 'archives', name)
  return {
    restore: async (key, name, file) => {
      const restored = await withoutVariables(inputsAndState, () => cache.restore([placeOf(name)], key))
      if (restored.kind === 'failed') log(`The cache could not be used: ${restored.reason}.`)
      if (restored.kind !== 'hit') return false
      await rename(placeOf(name), file)
      return true
    },
    save: async (key, name, file) => {
      await mkdir(join(temporary, 'stdb-actions', 'archives'), { recursive: true })
      await rename(file, placeOf(name))
      const saved = await withoutVariables(inputsAndState, () => cache.save([placeOf(name)], key))
      await rm(placeOf(name), { force: true })
      if (saved.kind === 'saved') log(`Kept for later runs in the cache, as ${key}.`)
      if (saved.kind === 'not-saved') log(`Not kept in the cache: ${saved.reason}.`)
    }
  }
}
