import type { Clock } from '../clock.ts'
import type { Journal, Narrator } from '../journal.ts'
import type { Plan } from '../migration/plan-file.ts'
import type { ModuleHash } from '../module/hash.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import type { CheckReport } from '../smoke/check-report.ts'
import type { HealthChoice, HealthReport } from '../smoke/health.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import type { Server } from '../spacetimedb/server.ts'
import type { Step } from '../steps/steps-file.ts'
import type { Approved } from './approved.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { ReleaseChecks } from './checks.ts'
import type { Findings } from './deployment.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { ReleaseNotes } from './ledger/record.ts'
import type { Recorder } from './ledger/recorder.ts'
import type { Allowed, Readied } from './ready.ts'

/** What is asked of a deploy. */
export type DeployRequest = {
  /** A name or an identity. */
  readonly database: string
  readonly module: Module
  /** The file that the module is from, for a post step that has to read it again. */
  readonly modulePath: string
  readonly create: boolean
  /** The module that has been found live, and that the choice of `module` rests on: over another one it is not published. */
  readonly foundLive?: ModuleHash | undefined
  /** A name that is claimed and holds nothing is nothing to warn of: databases come and go under it. */
  readonly isClaimExpected?: boolean
  readonly organization?: string | undefined
  readonly allowBreakingClients: boolean
  readonly allowIrreversible: boolean
  /** Ids of changes, there or back, that somebody has agreed to. */
  readonly acknowledged?: readonly string[]
  /** The plan that is to be carried out; without one, it is made and judged here. */
  readonly approved?: Approved | undefined
  readonly healthCheck: HealthChoice
  /** Milliseconds. */
  readonly healthTimeout: number
  /** What else has to be as it should be for the release to be kept. */
  readonly checks?: ReleaseChecks | undefined
  readonly onFailure: 'rollback' | 'keep'
  /** Plan and judge only. */
  readonly dryRun: boolean
  /** What the ledger is to say of the release, besides what is found out. */
  readonly notes?: ReleaseNotes | undefined
  /** What to do when something else is live than the ledger says: stop, or write down what is live and go on. */
  readonly onDrift?: 'fail' | 'adopt' | undefined
  /** What is done to the data around the publish. Those after it run again when the module is live already. */
  readonly steps?: { readonly before: readonly Step[]; readonly after: readonly Step[] }
  /** Fills a database that this deploy has created, before anything of it is checked. Throws nothing. */
  readonly fill?: ((journal: Journal, schema: Schema) => Promise<HealthReport>) | undefined
}

/** What a deploy works with. */
export type DeployTools = {
  readonly server: Server
  /** The same server, asked as somebody new. */
  readonly anonymous: Server
  /** Who we are. */
  readonly identity: Identity
  /** Describes a module offline, contained. */
  readonly describe: (module: Module) => Promise<Schema>
  readonly clock: Clock
  readonly narrator: Narrator
  /** Told of each check of the release as it is over. */
  readonly onReport?: ((report: CheckReport) => void) | undefined
  /** Where the live module and the plan are saved. */
  readonly folder: string
  /** Saves the live module in another way than in a file of its database: answers the path. */
  readonly save?: ((module: Module) => Promise<string>) | undefined
  /** Where the deploy comes from, for whoever reads the plan. */
  readonly origin: NonNullable<Plan['metadata']>
  /** Where releases are written down; nowhere without it. */
  readonly ledger?: Ledger | undefined
  /** What is done when the release is allowed, right before anything is changed; it may take its time. */
  readonly beforeChange?: ((allowed: Allowed) => Promise<Readied>) | undefined
  /** Remembers, before anything is changed, what a cut-off deploy needs to be finished or undone. */
  readonly remember: (checkpoint: Checkpoint) => void
  /** The job is being cancelled: stop where nothing is lost. */
  readonly cancelled: AbortSignal
}

/** A deploy that is under way. */
export type Work = {
  readonly request: DeployRequest
  readonly tools: DeployTools
  readonly journal: Journal
  readonly findings: Findings
  /** Of the ledger, where there is one. */
  readonly recorder?: Recorder | undefined
}

/** The module that was live before, and the file that it is saved in. */
export type Previous = { readonly module: Module; readonly path: string }
