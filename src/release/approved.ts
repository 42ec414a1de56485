import { ConfigurationError } from '../errors.ts'
import { type Plan, planDigest, readPlan } from '../migration/plan-file.ts'
import type { ModuleHash } from '../module/hash.ts'
import type { Identity } from '../spacetimedb/identity.ts'

/** A plan that somebody has agreed to: exactly this is carried out, or nothing. */
export type Approved = {
  readonly plan: Plan
  /** The file that it is in. */
  readonly path: string
  /** How old it may be, in milliseconds. */
  readonly maxAge: number
}

/** What the plan has to be about. */
export type Situation = {
  readonly server: string
  readonly database: string
  readonly identity: Identity
  readonly module: ModuleHash
  /** `undefined` when nobody can read it. */
  readonly live: ModuleHash | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Why an approved plan can't be carried out where there is no database yet, in whole sentences; none when it can. */
export function objectionsToCreating(
  { plan, maxAge }: Approved,
  situation: Omit<Situation, 'identity' | 'live'>
): string[] {
  const { target, exists } = plan
  if (exists) return [`The plan is for a database that is there, and there is no "${situation.database}". ${makeAnew}`]
  const isSame = target?.server === situation.server && target.database === situation.database
  return [
    ...(isSame ? [] : [otherTarget(target, `"${situation.database}" on ${situation.server}`)]),
    ...otherModule(plan, situation),
    ...tooOld(plan, maxAge, situation.now)
  ]
}

/** Why an approved plan can't be carried out as things are, in whole sentences; none when it can. */
export function objectionsTo(approved: Approved, situation: Situation): string[] {
  const { plan, maxAge } = approved
  const foreign = objectionsToSubject(approved, situation)
  if (plan.target === undefined) return foreign
  if (!plan.exists)
    return [`The plan says that there is no database "${plan.target.database}", and there is one. ${makeAnew}`]
  const changed = otherLive(plan, situation)
  const unusable = changed.length > 0 && plan.previousHash === plan.moduleHash ? undefined : unusablePlan(plan)
  if (unusable) return [unusable]
  return [...foreign, ...changed, ...tooOld(plan, maxAge, situation.now)]
}

/** Why an approved plan is not about this database and this module, whatever is live there. */
export function objectionsToSubject({ plan }: Approved, situation: Situation): string[] {
  const { target, exists } = plan
  if (target === undefined) {
    return [`The plan compares two modules (${plan.base ?? 'no database'}): make one with \`server\` and \`database\`.`]
  }
  const here = `"${situation.database}" on ${situation.server} (${situation.identity})`
  const isSame = exists
    ? target.databaseIdentity === situation.identity
    : target.server === situation.server && target.database === situation.database
  return [...(isSame ? [] : [otherTarget(target, here)]), ...otherModule(plan, situation)]
}

function unusablePlan({ serverPlan }: Plan): string | undefined {
  if (serverPlan === undefined) {
    return "The plan was made without the server's own plan: make it with the credential of the database's owner."
  }
  if (serverPlan.kind === 'automatic') return undefined
  return "The plan says that the server can't migrate the database in place: there is nothing to apply."
}

const makeAnew = 'Make a new plan, and have that approved.'

function otherTarget(target: Plan['target'], here: string): string {
  if (target === undefined) return `The plan is for no database, and this is ${here}.`
  const { server, database, databaseIdentity } = target
  return `The plan is for "${database}" on ${server}${databaseIdentity ? ` (${databaseIdentity})` : ''}, and this is ${here}.`
}

function otherModule({ moduleHash }: Plan, { module }: Pick<Situation, 'module'>): string[] {
  if (moduleHash === module) return []
  return [`The plan is for module ${moduleHash}, and the module given is ${module}. Give the one that was planned.`]
}

function otherLive({ previousHash }: Plan, { live }: Situation): string[] {
  if (previousHash === live) return []
  const [then, now] = [previousHash ?? 'one that nobody could read', live ?? 'one that nobody can read']
  return [`Somebody else published since the plan was made: live was ${then}, and is ${now}. ${makeAnew}`]
}

function tooOld({ createdAt }: Plan, maxAge: number, now: number): string[] {
  const age = now - Date.parse(createdAt)
  if (age < -clockSkew) return [`The plan was made at ${createdAt}, which is still to come. ${makeAnew}`]
  if (age <= maxAge) return []
  const hours = (milliseconds: number) => `${Math.round(milliseconds / 36_000) / 100} h`
  return [`The plan is ${hours(age)} old, and may be ${hours(maxAge)} (\`max-plan-age\`). ${makeAnew}`]
}

/** By how much the clocks of two machines may differ, in milliseconds. */
const clockSkew = 5 * 60_000

/**
 * The approved plan in a file. Throws a `ConfigurationError` when it can't be read or is none, or when its digest is not
 * the approved one, where that is given.
 */
export async function readApproved(path: string, maxAge: number, digest?: string): Promise<Approved> {
  const plan = await readPlan(path)
  if (digest !== undefined && planDigest(plan) !== digest.toLowerCase()) {
    throw new ConfigurationError(
      `${path} is not the plan that was approved: its digest is ${planDigest(plan)}, and \`plan-digest\` is ${digest}.`
    )
  }
  return { plan, path, maxAge }
}
