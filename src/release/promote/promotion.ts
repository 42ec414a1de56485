import * as z from 'zod'
import { conditionSchema } from '../../migration/plan-file.ts'
import { verdicts } from '../../migration/verdict.ts'
import type { ModuleHash } from '../../module/hash.ts'
import { countsOf } from '../../smoke/check-report.ts'
import type { Identity } from '../../spacetimedb/identity.ts'
import { type Deployment, type Ending, isSuccess, type ReleaseJudgement, type Result, results } from '../deployment.ts'
import { hasBeenChecked } from '../ledger/record-of.ts'

const moduleHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((digits) => digits as ModuleHash)

const liveState = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['new', 'previous', 'none', 'unknown']) }),
  z.object({ kind: z.literal('other'), hash: moduleHash.exactOptional() })
])

/**
 * What became of one database of a promotion: of a deployment what is shown and handed on, and no more, since there may
 * be hundreds. It is kept in a file too, for a post step.
 */
export const promotedSchema = z.object({
  database: z.string(),
  databaseIdentity: z.string().exactOptional(),
  result: z.enum(results),
  live: liveState,
  reason: z.string().exactOptional(),
  isConfiguration: z.boolean().exactOptional(),
  stepsRan: z.boolean().exactOptional(),
  isCutOff: z.boolean().exactOptional(),
  isClaimed: z.boolean().exactOptional(),
  unmet: z.array(conditionSchema).exactOptional(),
  /** What was live before. */
  before: moduleHash.exactOptional(),
  verdict: z.enum(verdicts).exactOptional(),
  wayBack: z
    .object({ reversible: z.enum(['yes', 'conditional', 'no']), conditions: z.array(conditionSchema) })
    .exactOptional(),
  /** How many checks ended in each way; not there when none were run. */
  checks: z.object({ passed: z.int(), failed: z.int(), skipped: z.int() }).exactOptional(),
  /** The reducer or procedure that was asked for its health. */
  healthCheck: z.string().exactOptional(),
  /** Whether anything was asked of the module there, and all of it was as it should be. */
  isChecked: z.boolean(),
  planPath: z.string().exactOptional(),
  previousModulePath: z.string().exactOptional(),
  /** From its first step to its last. */
  milliseconds: z.number()
})

export type Promoted = Readonly<z.output<typeof promotedSchema>>

/** A database whose turn did not come. */
export type NotBegun = { readonly database: string; readonly result: 'not-begun' }

/** Why databases are left that were not begun. */
export type Stop =
  /** The first of several failed. */
  | { readonly kind: 'canary'; readonly database: string }
  | { readonly kind: 'failure'; readonly database: string }
  | { readonly kind: 'cancelled' }

/** A migration that databases had in common, by the module that they ran before. */
export type SharedPlan = {
  readonly before: ModuleHash | undefined
  readonly judgement: ReleaseJudgement
  readonly databases: readonly string[]
}

/** The whole report of a promotion. */
export type Promotion = {
  readonly server: string
  /** Who we are to the server. */
  readonly identity: Identity
  readonly moduleHash: ModuleHash
  readonly isDryRun: boolean
  /** In the order in which they were given. */
  readonly databases: readonly (Promoted | NotBegun)[]
  readonly stop?: Stop
  readonly plans: readonly SharedPlan[]
  /** In the ledger; several where one has no room for all databases. */
  readonly releases?: readonly { readonly id: number; readonly url?: string }[]
  /** What could not be written down. */
  readonly ledgerWarning?: string
}

/** Whether all that was asked for was done. */
export function hasSucceeded({ databases }: Pick<Promotion, 'databases'>): boolean {
  return databases.every((each) => each.result !== 'not-begun' && isSuccess(each.result))
}

/** How a promotion ended: of several databases the worst. */
export function resultOf({ databases }: Pick<Promotion, 'databases'>): Result {
  const ended = databases.map(({ result }) => (result === 'not-begun' ? 'failed' : result))
  return worstFirst.find((result) => ended.includes(result)) ?? 'failed'
}

const worstFirst: readonly Result[] = [
  'unknown',
  'rollback-failed',
  'unhealthy',
  'rolled-back',
  'failed',
  'refused',
  'planned',
  'updated',
  'created',
  'unchanged'
]

/** A promotion as a file for other programs: what became of each database, without the plans. */
export function promotionJson(promotion: Promotion): string {
  const { server, identity, moduleHash, isDryRun, stop, databases } = promotion
  const about = { version: 1, result: resultOf(promotion), isDryRun, server, identity, moduleHash }
  return `${JSON.stringify({ ...about, ...(stop && { stop }), databases }, undefined, 2)}\n`
}

/** The databases that came to an end which is not what was asked for, and those whose turn did not come. */
export function failuresIn({ databases }: Pick<Promotion, 'databases'>): readonly Promoted[] {
  return databases.filter(wasBegun).filter(({ result }) => !isSuccess(result))
}

/** Whether a database's turn came. */
export function wasBegun(each: Promoted | NotBegun): each is Promoted {
  return each.result !== 'not-begun'
}

/** What a database runs afterwards; `undefined` where there is none, or it is not known. */
export function hashAfter({ live, before }: Promoted, promoted: ModuleHash): ModuleHash | undefined {
  if (live.kind === 'new') return promoted
  if (live.kind === 'previous') return before
  return live.kind === 'other' ? live.hash : undefined
}

/** What is kept of a deployment. */
export function promotedOf(deployment: Deployment): Promoted {
  const { judgement, smoke, steps, previousHash: before, exists } = deployment
  const { database, databaseIdentity, healthCheck, planPath, previousModulePath } = deployment
  const about = { database, databaseIdentity, before, healthCheck, planPath, previousModulePath }
  return promoted({
    ...endingIn(deployment),
    ...about,
    verdict: judgement?.verdict ?? (exists === false ? 'none' : undefined),
    wayBack: judgement?.wayBack,
    checks: smoke && countsOf(smoke),
    isChecked: hasBeenChecked(deployment, deployment),
    milliseconds: steps.reduce((sum, step) => sum + step.milliseconds, 0)
  })
}

/** What is kept of a database whose deployment came to another ending after all; `known` is what is known of it otherwise. */
export function endedOtherwise(known: Omit<Promoted, 'result' | 'live'>, ending: Ending): Promoted {
  const { database, databaseIdentity, before, verdict, wayBack, healthCheck, planPath, previousModulePath } = known
  const about = { database, databaseIdentity, before, verdict, wayBack, healthCheck, planPath, previousModulePath }
  const { checks, milliseconds } = known
  return promoted({ ...about, ...endingIn(ending), checks, isChecked: false, milliseconds })
}

function promoted(known: Readonly<Record<string, unknown>>): Promoted {
  return promotedSchema.parse(Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)))
}

/** Texts of a server can be of any length. */
function endingIn({ result, live, reason, isConfiguration, stepsRan, isCutOff, isClaimed, unmet }: Ending) {
  return { result, live, reason: reason && shortened(reason), isConfiguration, stepsRan, isCutOff, isClaimed, unmet }
}

/** In characters. */
const longestReason = 2_000

function shortened(text: string): string {
  return text.length <= longestReason ? text : `${text.slice(0, longestReason)}… (cut)`
}
