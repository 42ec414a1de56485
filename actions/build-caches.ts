import * as z from 'zod'
import { isFromFork } from '../src/action/event.ts'
import { inputsAndState, withoutVariables } from '../src/action/hidden-variables.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { defineState } from '../src/action/state.ts'
import { localCrates, removeCrates } from '../src/build/cargo-cache.ts'
import { cacheKey, type DependencyCache, dependencyCacheOf } from '../src/build/dependency-cache.ts'
import type { PlannedBuild } from '../src/build/plan.ts'
import type { ProducedModule } from '../src/build/produce.ts'
import { messageOf } from '../src/errors.ts'
import { gitHubCache, type Restored } from '../src/github/cache.ts'
import type { Workbench } from './build-workbench.ts'

/** What the post step keeps in the cache. Saved by a main step that succeeded, so that nothing is kept of another. */
export const toKeep = defineState(
  'build_module',
  z.array(
    z.object({
      key: z.string(),
      paths: z.array(z.string()),
      /** Where cargo's results lie, and what of them is the project's own. */
      cargo: z
        .object({
          folders: z.array(z.string()),
          crates: z.array(z.string()),
          modules: z.array(z.object({ size: z.int(), sha256: z.string() }))
        })
        .optional()
    })
  )
)

type ToKeep = NonNullable<ReturnType<typeof toKeep.read>>

/** What is known of the cache of one build. */
export type BuildCache = {
  readonly build: PlannedBuild
  readonly cache: DependencyCache | undefined
  /** The key of what was restored. */
  readonly restored: string | undefined
  /** A few words. */
  readonly text: string
}

export async function restoreCache(
  build: PlannedBuild,
  builder: 'auto' | 'cli' | 'toolchain',
  bench: Workbench
): Promise<BuildCache> {
  const cache = await dependencyCacheOf({ project: build.project, builder, debug: build.options.debug }, bench)
  if (cache.kind === 'none') {
    return { build, cache: undefined, restored: undefined, text: `not cached: ${cache.reason}` }
  }
  const key = await cacheKey(cache, build.project, bench.workspace)
  const restored = await withoutVariables(inputsAndState, () => gitHubCache().restore(cache.paths, key, [cache.prefix]))
  const text = restoredText(restored)
  log(`Cache of dependencies, ${key}: ${text}.`)
  return { build, cache, restored: restored.kind === 'hit' ? restored.key : undefined, text }
}

function restoredText(restored: Restored): string {
  switch (restored.kind) {
    case 'hit':
      return restored.exact
        ? 'restored from the cache'
        : `restored from the cache of another lock file (${restored.key})`
    case 'miss':
      return 'not in the cache yet'
    case 'unavailable':
      return 'there is no cache where this runs'
    case 'failed':
      return `the cache could not be used: ${restored.reason}`
  }
}

/** What of the caches is new after the builds, for the post step. */
export async function newToKeep(
  caches: readonly BuildCache[],
  modules: readonly ProducedModule[],
  bench: Workbench
): Promise<ToKeep> {
  const kept: ToKeep = []
  for (const { build, cache, restored } of caches) {
    if (cache === undefined) continue
    const key = await cacheKey(cache, build.project, bench.workspace)
    if (key === restored || kept.some((each) => each.key === key)) continue
    try {
      const crates = cache.cargo && (await localCrates(build.project, bench))
      const published = modules.map(({ manifest: { module } }) => ({ size: module.size, sha256: module.sha256 }))
      const cargo = cache.cargo && { folders: [...cache.cargo.folders], crates: crates ?? [], modules: published }
      kept.push({ key, paths: [...cache.paths], ...(cargo && { cargo }) })
    } catch (error) {
      log(`Dependencies will not be cached, because the project's own crates are not known: ${messageOf(error)}`)
    }
  }
  return kept
}

/** In a post step: keeps what the main step left for later runs. It is never what a job fails by. */
export async function keepCaches(environment: Environment): Promise<void> {
  const caches = toKeep.read(environment) ?? []
  if (caches.length > 0 && (await isFromFork(environment))) {
    return log('Nothing is kept in the cache: the code of this run is from a fork.')
  }
  for (const cache of caches) {
    await keep(cache).catch((error) => log(`Dependencies are not kept in the cache: ${messageOf(error)}`))
  }
}

/** Saves one cache, without anything of the project's own. */
async function keep({ key, paths, cargo }: ToKeep[number]): Promise<void> {
  if (cargo) await removeCrates(cargo, cargo.crates, cargo.modules)
  const saved = await withoutVariables(inputsAndState, () => gitHubCache().save(paths, key))
  if (saved.kind === 'saved') log(`Dependencies are kept in the cache as ${key}.`)
  if (saved.kind === 'there-already') log(`Another job has kept ${key} in the cache meanwhile.`)
  if (saved.kind === 'not-saved') log(`Dependencies are not kept in the cache: ${saved.reason}.`)
}
