import type { Schema } from '../../src/module/schema.ts'
import type { Change, StoredData } from './datastore.ts'
import type { ModuleLogRecord } from './host-functions.ts'
import type { Caller, CallOutcome, HttpOutcome } from './module-instance.ts'

/** What the server asks a database's worker to do. A worker does one thing after another. */
export type Job =
  /** Loads a WebAssembly module and lets it describe itself. */
  | { readonly kind: 'load'; readonly module: Uint8Array; readonly identity: string }
  /** Lets go of module and database. */
  | { readonly kind: 'forget' }
  /** Opens the database over what it keeps. */
  | {
      readonly kind: 'open'
      readonly schema: Schema
      readonly indexAliases: ReadonlyMap<string, string>
      readonly data: StoredData
      readonly live: LiveProgram
    }
  | {
      readonly kind: 'reducer' | 'procedure'
      readonly id: number
      readonly name: string
      readonly caller: Caller
      readonly args: Uint8Array
    }
  /** Lets a handler answer an HTTP request; request and answer are BSATN, their bodies apart. */
  | {
      readonly kind: 'http'
      readonly id: number
      readonly name: string
      readonly timestamp: bigint
      readonly request: Uint8Array
      readonly body: Uint8Array
    }
  | {
      readonly kind: 'sql'
      readonly sql: string
      readonly caller: Caller
      readonly isOwner: boolean
      /** All that are connected, the caller too. */
      readonly clients: readonly Pick<Caller, 'identity' | 'connection'>[]
    }

/** What st_module says. */
export type LiveProgram = {
  readonly database: string
  readonly owner: string
  readonly kind: 'wasm' | 'js'
  /** keccak256 in the usual byte order. */
  readonly hash: string
  readonly bytes: Uint8Array
}

export type Done =
  | { readonly kind: 'loaded'; readonly description: Uint8Array }
  | { readonly kind: 'bad-module'; readonly reason: string }
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'called'; readonly outcome: CallOutcome; readonly micros: number }
  | { readonly kind: 'handled'; readonly outcome: HttpOutcome; readonly micros: number }
  /** The answer's body, and its status. */
  | { readonly kind: 'answered'; readonly status: 200 | 400; readonly body: string; readonly micros: number }

/** Jobs that are sent together are done one after another. */
export type ToWorker = readonly Job[]

/** What a worker sends: log lines as they come, and how the jobs that were sent together ended, in their order. */
export type FromWorker = ModuleLogLine | { readonly kind: 'done'; readonly finished: readonly Finished[] }

/** What a module logs, in the function that runs, if one does. */
export type ModuleLogLine = {
  readonly kind: 'log'
  readonly record: ModuleLogRecord
  readonly running: string | undefined
  /** How deep in the module's own code that was. */
  readonly frames: number
}

/** How a job ended, and what it committed. */
export type Finished = { readonly done: Done } & Committed

/** What a job committed. */
export type Committed = {
  /** One list for each transaction that changed rows. */
  readonly transactions: readonly (readonly Change[])[]
  /** The next value of every sequence, by its name, if any has changed. */
  readonly sequences: ReadonlyMap<string, bigint> | undefined
}
