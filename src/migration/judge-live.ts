import { ConfigurationError, messageOf } from '../errors.ts'
import type { Journal } from '../journal.ts'
import { isTokenOf, type ModuleHash } from '../module/hash.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import { type Server, ServerFailure } from '../spacetimedb/server.ts'
import { judgeSchemas } from './judge-schemas.ts'
import type { MigrationJudgement, UsablePlan } from './judgement.ts'

/** A database that is there, and the module that is to replace the one it runs. */
export type LiveRequest = {
  readonly server: Server
  readonly database: string
  readonly identity: Identity
  readonly module: Module
  /** What the module declares. It is awaited before the server, which has no limits, is given the module. */
  readonly described: Promise<Schema>
  /** Whether the server is asked for its plan too, which it gives to the owner alone. */
  readonly asOwner: boolean
}

export type LiveTools = {
  /** Describes a module offline, contained. */
  readonly describe: (module: Module) => Promise<Schema>
  readonly journal: Journal
}

export type JudgedLive = {
  readonly kind: 'unchanged' | 'judged'
  /** `undefined` when the live module lets nobody read it: then there is nothing to go back to. */
  readonly live: Module | undefined
} & (
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'judged'; readonly judgement: MigrationJudgement; readonly schemas: Schemas }
)

/** What was compared. */
export type Schemas = { readonly before: Schema; readonly after: Schema }

const rounds = 3

/**
 * Reads the live module and judges what the new one does to it. The server's plan must be for the module that was
 * read: when somebody publishes between the two, both are made again. Throws a `ConfigurationError` for a module that
 * can't be described or that the server can't load, and the server's failures.
 */
export async function judgeLive(request: LiveRequest, tools: LiveTools): Promise<JudgedLive> {
  const { module, identity } = request
  for (let round = 1; round <= rounds; round++) {
    const live = await readLive(request, tools.journal)
    if (live?.hash === module.hash) {
      await request.described
      return { kind: 'unchanged', live }
    }
    const { judgement, schemas } = await plan(request, live, tools)
    const { serverPlan } = judgement
    if (serverPlan === undefined) return { kind: 'judged', live, judgement, schemas }
    const isTokenFrom = (hash: ModuleHash) =>
      serverPlan.kind === 'automatic' && isTokenOf(serverPlan.token, identity, hash, module.hash)
    if (live === undefined && isTokenFrom(module.hash)) return { kind: 'unchanged', live }
    if (live === undefined || isTokenFrom(live.hash) || (await isStill(request, live.hash))) {
      return { kind: 'judged', live, judgement, schemas }
    }
    tools.journal.warn('Somebody else published while this plan was made. It is made again.')
  }
  throw new Error('The database keeps changing: somebody else publishes to it all the time. Nothing was changed.')
}

/** The live module; `undefined` when it lets nobody read it, which is a warning. */
export async function readLive(
  { server, database, module }: Pick<LiveRequest, 'server' | 'database' | 'module'>,
  journal: Journal
): Promise<Module | undefined> {
  return journal.step('Read the live module', async (step) => {
    try {
      const live = await server.liveModule(database)
      const hash = live.hash.slice(0, 12)
      step.detail(live.hash === module.hash ? `${hash} is live already` : `${hash}, ${live.bytes.length} bytes`)
      return live
    } catch (failure) {
      if (!(failure instanceof ServerFailure) || failure.kind !== 'forbidden') throw failure
      step.fail('the live module lets nobody read it')
      journal.warn(`The live module can't be read, so there will be nothing to go back to. ${failure.message}`)
      return undefined
    }
  })
}

function plan(
  { server, database, module, described, asOwner }: LiveRequest,
  live: Module | undefined,
  tools: LiveTools
): Promise<{ judgement: MigrationJudgement; schemas: Schemas }> {
  return tools.journal.step('Plan', async (step) => {
    const describedLive = describeLive(server, database, live, tools)
    describedLive.catch(() => {})
    // Only a module that could be described, with limits, is given to the server, which has none.
    const after = await described
    const [serverPlan, before] = await Promise.all([
      asOwner ? planOfServer(server, database, module) : undefined,
      describedLive
    ])
    const judgement = judgeSchemas({ before, after, canGoBack: live !== undefined, serverPlan })
    step.detail(`verdict ${judgement.verdict}, reversible ${judgement.wayBack.reversible}`)
    return { judgement, schemas: { before, after } }
  })
}

async function planOfServer(server: Server, database: string, module: Module): Promise<UsablePlan> {
  const plan = await server.plan(database, module)
  if (plan.kind === 'bad-module') throw new ConfigurationError(`The server can't load the module: ${plan.reason}`)
  return plan
}

/** What runs on the server is described offline as well, since its own answer leaves parts out. */
async function describeLive(
  server: Server,
  database: string,
  live: Module | undefined,
  { describe, journal }: LiveTools
): Promise<Schema> {
  if (live === undefined) return server.schema(database)
  try {
    return await describe(live)
  } catch (error) {
    journal.warn(`The live module could not be described offline (${messageOf(error)}): the server's word is taken.`)
    return server.schema(database)
  }
}

/** For a server that makes its plans' tokens in a way that this version doesn't know, or has no token to give. */
async function isStill({ server, database }: LiveRequest, live: ModuleHash): Promise<boolean> {
  return (await server.live(database)).hash === live
}
