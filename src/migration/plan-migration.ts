import type { Clock } from '../clock.ts'
import { ConfigurationError } from '../errors.ts'
import type { Journal } from '../journal.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { type Identity, isIdentity } from '../spacetimedb/identity.ts'
import type { Server } from '../spacetimedb/server.ts'
import { judgeLive, type Schemas } from './judge-live.ts'
import { judgeSchemas } from './judge-schemas.ts'
import type { MigrationJudgement } from './judgement.ts'
import { makePlan } from './make-plan.ts'
import type { Plan } from './plan-file.ts'

/** What a module is compared with. */
export type PlanBase =
  | {
      readonly kind: 'database'
      readonly server: Server
      readonly database: string
      /** Who we are; `undefined` without a credential: then the server is not asked for its plan. */
      readonly identity: Identity | undefined
      /** Named where an organization that we act for owns the database: whether we do, the server knows. */
      readonly organization?: string | undefined
    }
  /** Another module, and where it is from, for the reader. */
  | { readonly kind: 'module'; readonly module: Module; readonly name: string }
  /** A module that could have been there and isn't, such as that of a branch which has not been built yet. */
  | { readonly kind: 'none'; readonly name: string }

export type PlanTools = {
  readonly describe: (module: Module) => Promise<Schema>
  readonly clock: Clock
  readonly journal: Journal
  readonly origin: NonNullable<Plan['metadata']>
}

/** A plan, and what it was made from. */
export type PlannedMigration = {
  readonly plan: Plan
  /** None when there is nothing to compare with, or nothing differs. */
  readonly judgement?: MigrationJudgement
  readonly schemas?: Schemas
}

/**
 * Finds out what a release would do, and changes nothing. Throws a `ConfigurationError` for a module that can't be
 * described, and for an identity that no database has; and the server's failures.
 */
export async function planMigration(module: Module, base: PlanBase, tools: PlanTools): Promise<PlannedMigration> {
  const described = tools.describe(module)
  described.catch(() => {})
  const about = { moduleHash: module.hash, origin: tools.origin, now: tools.clock.now() }
  switch (base.kind) {
    case 'database':
      return planForDatabase(module, base, described, tools)
    case 'module':
      return compareModules(module, base, described, tools)
    case 'none':
      await described
      return { plan: makePlan({ ...about, exists: false, base: base.name }) }
  }
}

type DatabaseBase = Extract<PlanBase, { kind: 'database' }>

async function planForDatabase(
  module: Module,
  { server, database, identity, organization }: DatabaseBase,
  described: Promise<Schema>,
  tools: PlanTools
): Promise<PlannedMigration> {
  const { journal, describe } = tools
  const found = await journal.step('Find the database', async (step) => {
    const resolution = await server.resolve(database)
    step.detail(resolution.kind === 'exists' ? resolution.identity : 'there is none of this name yet')
    return resolution
  })
  const about = { moduleHash: module.hash, origin: tools.origin, now: tools.clock.now() }
  const target = { server: server.url, database }
  if (found.kind !== 'exists') {
    if (isIdentity(database)) throw new ConfigurationError(`There is no database ${database} on ${server.url}.`)
    await described
    return { plan: makePlan({ ...about, target, exists: false }) }
  }
  const isNamed = organization !== undefined && (!isIdentity(organization) || organization === found.owner)
  const asOwner = identity !== undefined && (identity === found.owner || isNamed)
  if (identity !== undefined && !asOwner) {
    journal.warn(
      `The database "${database}" belongs to identity ${found.owner}, and this job is ${identity}: the server gives its ` +
        'plan to the owner alone, so this plan is made from the two modules, and can not be applied.'
    )
  }
  const live = { server, database, identity: found.identity, module, described, asOwner }
  const judged = await judgeLive(live, { describe, journal })
  const known = {
    ...about,
    target: { ...target, databaseIdentity: found.identity },
    exists: true,
    previousHash: judged.live?.hash
  }
  if (judged.kind === 'unchanged') return { plan: makePlan({ ...known, previousHash: module.hash }) }
  const { judgement, schemas } = judged
  return { plan: makePlan({ ...known, judgement }), judgement, schemas }
}

async function compareModules(
  module: Module,
  base: Extract<PlanBase, { kind: 'module' }>,
  described: Promise<Schema>,
  { describe, journal, origin, clock }: PlanTools
): Promise<PlannedMigration> {
  return journal.step('Compare the modules', async (step) => {
    const [before, after] = await Promise.all([describe(base.module), described])
    const judgement = judgeSchemas({ before, after, canGoBack: true })
    step.detail(`verdict ${judgement.verdict}, reversible ${judgement.wayBack.reversible}`)
    const { name } = base
    const hashes = { previousHash: base.module.hash, moduleHash: module.hash }
    const plan = makePlan({ ...hashes, base: name, exists: true, judgement, origin, now: clock.now() })
    return { plan, judgement, schemas: { before, after } }
  })
}
