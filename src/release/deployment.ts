import type { Step } from '../journal.ts'
import type { MigrationJudgement, UsablePlan } from '../migration/judgement.ts'
import type { Condition } from '../migration/verdict.ts'
import type { ModuleHash } from '../module/hash.ts'
import type { SmokeReport } from '../smoke/check-report.ts'
import type { Objection } from '../smoke/preflight.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import type { Drift } from './ledger/history.ts'
import type { Made } from './ready.ts'

/** How a deploy ended (docs/deploy.md, "Results"). */
export const results = [
  'created',
  'updated',
  'unchanged',
  'planned',
  'refused',
  'unhealthy',
  'rolled-back',
  'rollback-failed',
  'failed',
  'unknown'
] as const

export type Result = (typeof results)[number]

/** Whether a job that ended so has done what it was asked to do. */
export function isSuccess(result: Result): boolean {
  return ['created', 'updated', 'unchanged', 'planned'].includes(result)
}

/** What the database runs when a deploy is over, as far as it was found out. */
export type LiveState =
  | { readonly kind: 'new' }
  | { readonly kind: 'previous' }
  | OtherModule
  /** There is no database of that name. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' }

/** Somebody else's module, whose hash is not always to be had. */
export type OtherModule = { readonly kind: 'other'; readonly hash?: ModuleHash }

/** What was judged of a release of which the server made a plan. */
export type ReleaseJudgement = MigrationJudgement & {
  readonly serverPlan: UsablePlan
  /** A picture of the tables that change, as Markdown. */
  readonly diagram: string
}

/** What was found out on the way, whatever the end. */
export type Findings = {
  readonly server: string
  readonly database: string
  readonly identity: Identity
  readonly moduleHash: ModuleHash
  databaseIdentity?: Identity
  /** Whether the database was there before. */
  exists?: boolean
  previousHash?: ModuleHash
  /** The file that the module which was live before is saved in. */
  previousModulePath?: string
  judgement?: ReleaseJudgement
  /** What was made of the module, besides publishing it. */
  made?: Made
  planPath?: string
  /** SHA-256 in hex. */
  planDigest?: string
  /** The reducer that said whether the release is healthy; `undefined` when none did. */
  healthCheck?: string
  /** What the checks of the release found; `undefined` when none were run. */
  smoke?: SmokeReport
  /** What stands against checks as they are written. */
  objections?: readonly Objection[]
  /** What the ledger has of the release: the id of its record, and its page. */
  release?: { readonly id: number; readonly url?: string }
  /** Something else was live than the ledger says. */
  drift?: Drift
  /** Why the ledger could not be read or written, or not all of it. */
  ledgerWarning?: string
}

export type Ending = {
  readonly result: Result
  readonly live: LiveState
  /** One sentence or more on why it ended so; always there when the job fails. */
  readonly reason?: string
  /** Whether `reason` is something that the user's own configuration can mend. */
  readonly isConfiguration?: boolean
  /** Whether steps before the publish have run, or a part of them may: what they did to the data stays. */
  readonly stepsRan?: boolean
  /** Whether an approved plan is not for what is there now. */
  readonly isPlanStale?: boolean
  /** Whether it was refused since something else is live than the ledger says. */
  readonly isDrift?: boolean
  /** What the data did not meet, when that alone stood in the way. */
  readonly unmet?: readonly Condition[]
  /** Whether the job was cut off before the new module's health was known: nothing speaks against the module. */
  readonly isCutOff?: boolean
  /** Whether the new module is live by somebody else's publish, and not by this one. */
  readonly wasLive?: boolean
  /** Whether the database was deleted in between, and this publish has made it anew: it is empty. */
  readonly isAnew?: boolean
  /** Whether the name is claimed now and holds nothing, so that anybody can take it. */
  readonly isClaimed?: boolean
}

/** The whole report of a deploy. */
export type Deployment = Readonly<Findings> & Ending & { readonly steps: readonly Step[] }
