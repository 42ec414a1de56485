import type { ModuleHash } from '../module/hash.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import type { Deployment } from '../release/deployment.ts'
import type { DeployRequest, DeployTools } from '../release/work.ts'
import type { Checks } from '../smoke/check.ts'
import type { CheckReport, SmokeReport } from '../smoke/check-report.ts'
import type { CheckPlace } from '../smoke/place.ts'
import type { Objection } from '../smoke/preflight.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import type { Server } from '../spacetimedb/server.ts'
import type { Seed } from './seed-file.ts'

/** The module that the new one takes the place of. */
export type OldModule =
  /** What a live database runs. Only read from. */
  | ({ readonly kind: 'live' } & LiveDatabase)
  /** A module that is at hand, and where it is from, for the reader. */
  | { readonly kind: 'base'; readonly module: Module; readonly name: string }
  /** There is none yet: nothing can be rehearsed. `reason` says why, to be read after a colon. */
  | { readonly kind: 'none'; readonly reason: string }

export type LiveDatabase = {
  readonly server: Server
  /** A name or an identity. */
  readonly database: string
  /** Who reads; `undefined` without a credential. */
  readonly identity: Identity | undefined
}

/** What is to be rehearsed. */
export type RehearsalRequest = {
  readonly old: OldModule
  readonly module: Module
  /** The file that the module is from. */
  readonly modulePath: string
  /** What the database of the rehearsal is called. It must not be there yet. */
  readonly database: string
  /** The release, as production would do it. */
  readonly release: Pick<
    DeployRequest,
    | 'allowBreakingClients'
    | 'allowIrreversible'
    | 'acknowledged'
    | 'healthCheck'
    | 'healthTimeout'
    | 'onFailure'
    | 'steps'
  >
  readonly seed: Seed | undefined
  /** The checks of the new module; `undefined`: those that any module has to pass. */
  readonly checks: Checks | undefined
  /** What is known to stand against them: these are not begun. */
  readonly objections?: readonly Objection[]
  /** Whether somebody wants just this. What keeps it from being begun is a failure then. */
  readonly isAskedFor: boolean
}

/** What a rehearsal works with. The server is one that is thrown away, and nothing of production's is on it. */
export type RehearsalTools = Pick<
  DeployTools,
  'server' | 'identity' | 'describe' | 'clock' | 'narrator' | 'folder' | 'origin' | 'cancelled'
> & {
  /** The same server, asked as somebody new. */
  readonly anonymous: Server
  readonly runChecks: (checks: Checks, place: CheckPlace, options: CheckOptions) => Promise<SmokeReport>
  /** The checks that any module of that schema has to pass, when it is the one that is expected. */
  readonly defaultChecks: (schema: Schema, expectedHash: ModuleHash) => Checks
  /** Told of each check of the new module when it is over. */
  readonly onReport?: (report: CheckReport) => void
}

export type CheckOptions = {
  readonly onReport?: (report: CheckReport) => void
  readonly objections?: readonly Objection[]
}

/** The parts of a rehearsal, in their order. */
export type Stage = 'old module' | 'seed' | 'checks before' | 'migration' | 'checks' | 'way back'

export type RehearsalOutcome =
  | { readonly kind: 'passed' }
  /** There is no old module: what remains is a smoke test of the new one, which the caller does. */
  | { readonly kind: 'nothing-to-rehearse'; readonly reason: string }
  /** Nobody has asked for it, and the old module can't be had or the gate refuses: the caller goes on as above. */
  | { readonly kind: 'not-rehearsed'; readonly reason: string }
  | {
      readonly kind: 'failed'
      readonly stage: Stage
      readonly reason: string
      /** Whether `reason` is something that the user's own configuration can mend. */
      readonly isConfiguration: boolean
    }
  | { readonly kind: 'cancelled'; readonly stage: Stage }

/** A rehearsal that is over. Texts are plain, not escaped. Of copied rows it holds numbers only. */
export type Rehearsal = {
  readonly outcome: RehearsalOutcome
  readonly old: OldFacts
  readonly moduleHash: ModuleHash
  /** The tables of the old module. */
  readonly tables: readonly RehearsedTable[]
  readonly seed: readonly SeedReport[]
  /** The old module, filled: whether it is well before anything is migrated. */
  readonly checksBefore?: SmokeReport
  readonly deployment?: Deployment
  readonly checks?: SmokeReport
  readonly wayBack?: WayBackReport
  /** What this rehearsal could not show, and why, in whole sentences. */
  readonly limits: readonly string[]
  readonly milliseconds: number
}

export type OldFacts = {
  readonly kind: OldModule['kind']
  /** Where it is from: a database and its server, or what the caller says. */
  readonly name: string
  readonly hash?: ModuleHash
}

/** Rows of a table at each point; `undefined` where they could not be counted. */
export type RowCounts = {
  readonly production?: bigint
  /** When it was filled. */
  readonly filled?: bigint
  /** When the new module was published; less than before is a failure, unless steps ran. */
  readonly migrated?: bigint
  /** Right before the way back, and right after. */
  readonly leaving?: bigint
  readonly back?: bigint
}

export type RehearsedTable = {
  readonly name: string
  readonly rows: RowCounts
  /** `undefined` where no copy was asked for. */
  readonly copy?: TableOutcome
}

/** What became of the copy of one table. */
export type TableOutcome =
  | {
      readonly kind: 'copied'
      readonly rows: number
      /** Whether there were more rows than the limit. */
      readonly isCut: boolean
      readonly limit: number
      readonly masked: readonly string[]
      /** Whether negative zeros became zeros. */
      readonly hasNegativeZeros: boolean
    }
  | { readonly kind: 'not-copied'; readonly reason: string }

/** What an entry of the seed did: `call`, `sql`, `copy`. */
export type SeedReport = {
  readonly line: number
  readonly what: string
  readonly detail: string
}

export type WayBackReport =
  /** The old module was published again, and works as well as before the migration. */
  | { readonly kind: 'gone-back'; readonly checks: SmokeReport }
  /** The old module can't be published over the new one. */
  | { readonly kind: 'impossible'; readonly reason: string }
  /** It could, if the data allowed it. */
  | { readonly kind: 'not-now'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly checks?: SmokeReport }
