import { isTokenOf, type ModuleHash, planToken } from '../../module/hash.ts'
import type { Module } from '../../module/module.ts'
import type { Identity } from '../../spacetimedb/identity.ts'
import type { Server, ServerPlan } from '../../spacetimedb/server.ts'

/**
 * A server of which many databases are asked that mostly run the same module, to replace it by the same one: that module
 * is fetched once and known by the hash that each database states, and the server plans once from each. At most `limit`
 * bytes of modules are kept. `mayDiffer`: whether the server may let us change one database and not another, so that it
 * has to be asked for each plan.
 */
export function sharingModules(
  server: Server,
  promoted: Module,
  { mayDiffer, limit = defaultLimit }: { readonly mayDiffer: boolean; readonly limit?: number }
): Server {
  const liveModule = sharingLiveModules(server, promoted, limit)
  const plan = mayDiffer ? undefined : sharingPlans(server, promoted)
  return {
    ...server,
    resolve: async (database) => {
      const found = await server.resolve(database)
      if (found.kind === 'exists') plan?.isIdentity(database, found.identity)
      return found
    },
    liveModule: async (database) => {
      const module = await liveModule(database)
      plan?.isLive(database, module.hash)
      return module
    },
    plan: plan?.ask ?? server.plan
  }
}

function sharingLiveModules(server: Server, promoted: Module, limit: number): Server['liveModule'] {
  const fetched = new Map<ModuleHash, Promise<Module | undefined>>()

  function fetchShared(hash: ModuleHash, database: string): Promise<Module | undefined> {
    // Who fails says so by a request of its own.
    const fetching = server.liveModule(database).catch(() => undefined)
    fetched.set(hash, fetching)
    void fetching.then(async (module) => {
      if (module?.hash !== hash) fetched.delete(hash)
      await keepWithin(fetched, limit)
    })
    return fetching
  }

  return async (database) => {
    const { hash } = await server.live(database)
    if (hash === promoted.hash) return promoted
    const module = await (fetched.get(hash) ?? fetchShared(hash, database))
    // Somebody may have published between the two questions.
    return module?.hash === hash ? module : server.liveModule(database)
  }
}

/** In bytes. */
const defaultLimit = 128 << 20

/** Forgets what was fetched first. */
async function keepWithin(fetched: Map<ModuleHash, Promise<Module | undefined>>, limit: number): Promise<void> {
  let used = 0
  for (const [hash, fetching] of [...fetched].reverse()) {
    used += (await fetching)?.bytes.length ?? 0
    if (used > limit) fetched.delete(hash)
  }
}

/**
 * The server's plan from one module to another is the same for all databases but for its token, which is made of the two
 * and the database's identity (docs/server-behaviour.md, "Compare and swap"). It is taken over only right after the live
 * module was read, and from a plan that has the token which is expected. A token that is wrong all the same is refused by
 * the server when the module is published.
 */
function sharingPlans(server: Server, promoted: Module) {
  const identities = new Map<string, Identity>()
  const live = new Map<string, ModuleHash>()
  const made = new Map<ModuleHash, Promise<AutomaticPlan | undefined>>()

  async function firstPlan(database: string, identity: Identity, hash: ModuleHash): Promise<AutomaticPlan | undefined> {
    const plan = await server.plan(database, promoted).catch(() => undefined)
    const isKnown = plan?.kind === 'automatic' && isTokenOf(plan.token, identity, hash, promoted.hash)
    return isKnown ? plan : undefined
  }

  return {
    isIdentity: (database: string, identity: Identity) => identities.set(database, identity),
    isLive: (database: string, hash: ModuleHash) => live.set(database, hash),
    ask: async (database: string, module: Module): Promise<ServerPlan> => {
      const identity = identities.get(database)
      const hash = live.get(database)
      live.delete(database)
      if (identity === undefined || hash === undefined || module.hash !== promoted.hash) {
        return server.plan(database, module)
      }
      const making = made.get(hash) ?? firstPlan(database, identity, hash)
      made.set(hash, making)
      const plan = await making
      if (plan === undefined) return server.plan(database, module)
      return { ...plan, token: planToken(identity, hash, module.hash) }
    }
  }
}

type AutomaticPlan = Extract<ServerPlan, { kind: 'automatic' }>

/** Saves each module once, however many databases run it. */
export function savingOnce(save: (module: Module) => Promise<string>): (module: Module) => Promise<string> {
  const saved = new Map<ModuleHash, Promise<string>>()
  return (module) => {
    const earlier = saved.get(module.hash)
    if (earlier !== undefined) return earlier
    const saving = save(module)
    saved.set(module.hash, saving)
    saving.catch(() => saved.delete(module.hash))
    return saving
  }
}
