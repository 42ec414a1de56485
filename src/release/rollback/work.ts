import type { Journal } from '../../journal.ts'
import type { ModuleHash } from '../../module/hash.ts'
import type { Module } from '../../module/module.ts'
import type { Identity } from '../../spacetimedb/identity.ts'
import type { RecordedRelease } from '../ledger/ledger.ts'
import type { ReleaseNotes, ReleaseRecord } from '../ledger/record.ts'
import type { ModuleSource, TriedSource } from '../module-sources.ts'
import type { DeployRequest, DeployTools } from '../work.ts'
import type { Target } from './target.ts'

/** What is asked of a rollback. */
export type RollbackRequest = Omit<
  DeployRequest,
  'module' | 'modulePath' | 'create' | 'approved' | 'onFailure' | 'steps' | 'notes'
> & {
  readonly goal: Goal
  readonly notes: ReleaseNotes
}

/** What to go back to. */
export type Goal =
  /** `previous`, or what names a release: its id, its commit, its tag, or the hash of its module. */
  | { readonly kind: 'release'; readonly to: string }
  | { readonly kind: 'module'; readonly module: Module; readonly path: string }

/** What a rollback works with. */
export type RollbackTools = DeployTools & {
  /** Where the bytes of a release's module may be; without a record, of a module of which only the hash is known. */
  readonly sourcesFor: (record: ReleaseRecord | undefined) => readonly ModuleSource[]
}

/** What was found out on the way. */
export type RollbackFindings = {
  readonly server: string
  readonly database: string
  readonly identity: Identity
  readonly goal: Goal
  /** Why somebody goes back, in their words. */
  readonly why?: string | undefined
  databaseIdentity?: Identity
  /** Of the module that was live; `undefined` when nobody can read it. */
  liveHash?: ModuleHash
  /** The release of the ledger that made it live, as far as known. */
  liveRelease?: RecordedRelease
  /** Whether the ledger could be read, so that what it has no release of is in none. */
  isLedgerRead?: boolean
  /** What is to be restored. */
  target?: Target
  /** Where its bytes were found. */
  source?: string
  /** Where they were looked for in vain. */
  tried: readonly TriedSource[]
}

/** A rollback that is under way. */
export type RollbackWork = {
  readonly request: RollbackRequest
  readonly tools: RollbackTools
  readonly journal: Journal
  readonly findings: RollbackFindings
}
