import { describeModule } from './describe.ts'
import type { ModuleHash } from './hash.ts'
import type { Module } from './module.ts'
import type { Schema } from './schema.ts'

/**
 * Describes modules as `describeModule` does, each once: what was described is known by the module's hash from then on.
 * The hash of a module is not made before it is described, since that would hold up the first question to a server.
 */
export function describeOnce(describe: (module: Module) => Promise<Schema> = describeModule) {
  const begun = new WeakMap<Module, Promise<Schema>>()
  const known = new Map<ModuleHash, Promise<Schema>>()
  return (module: Module): Promise<Schema> => {
    const earlier = begun.get(module) ?? (known.size > 0 ? known.get(module.hash) : undefined)
    if (earlier !== undefined) return earlier
    const described = describe(module)
    begun.set(module, described)
    described.then(
      () => known.set(module.hash, described),
      () => begun.delete(module)
    )
    return described
  }
}
