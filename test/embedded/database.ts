import { randomBytes } from 'node:crypto'
import { messageOf } from '../../src/errors.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import type { Schema } from '../../src/module/schema.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { StoredData } from './datastore.ts'
import type { LogBook } from './log-book.ts'
import type { Caller, CallOutcome } from './module-instance.ts'
import { indexAliases, type Program, startProgram } from './program.ts'
import type { FromWorker, Job } from './protocol.ts'
import type { Statistics } from './statistics.ts'
import { binary } from './table.ts'
import { JobCut, type WorkerHandle } from './worker-handle.ts'
import type { WorkerPool } from './worker-pool.ts'

/** What the server knows of a database, its data included. It outlives the server. */
export type DatabaseRecord = {
  readonly identity: Identity
  readonly owner: Identity
  readonly log: LogBook
  program: Program
  /** The first module ever published; only clearing changes it. */
  initialProgram: ModuleHash
  hostType: Module['kind']
  /** Rows in BSATN by table, each by its bytes as a string. */
  tables: Map<string, Map<string, Uint8Array>>
  sequences: ReadonlyMap<string, bigint>
  readonly statistics: Statistics
}

/** Who sends a request. */
export type Requester = { readonly identity: Identity; readonly claims: string }

export type CallAnswer = { readonly outcome: CallOutcome; readonly micros: number }

/** A database that runs: its module in a worker, which is started when it is needed. */
export class Database {
  readonly record: DatabaseRecord
  readonly #workers: WorkerPool
  #worker: Promise<WorkerHandle> | undefined
  #running: string | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(record: DatabaseRecord, workers: WorkerPool) {
    this.record = record
    this.#workers = workers
  }

  /** Does one thing at a time with the database. */
  exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Calls a reducer or procedure as the module's own code, by its position in the schema. */
  async call(
    kind: 'reducer' | 'procedure',
    id: number,
    requester: Requester,
    connection: Uint8Array,
    args: Uint8Array
  ): Promise<CallAnswer> {
    const { program, statistics, log } = this.record
    const name = program.schema[`${kind}s`][id]?.name ?? ''
    const caller = { ...callerOf(requester), connection }
    this.#running = name
    const answer = await this.#call({ kind, id, caller, args })
    this.#running = undefined
    if (kind === 'reducer') statistics.countRun(name, answer.micros)
    if (answer.outcome.kind === 'crashed') statistics.countCrash(name)
    if (answer.outcome.kind === 'failed') log.fromServer('Error', answer.outcome.message, name)
    return answer
  }

  /** Runs one statement: the answer's status and body. */
  async sql(
    sql: string,
    requester: Requester,
    connection: Uint8Array
  ): Promise<{ status: number; body: string; micros: number }> {
    const isOwner = requester.identity === this.record.owner
    const caller = { ...callerOf(requester), connection }
    const done = await this.#run({ kind: 'sql', sql, caller, isOwner })
    if (done.kind !== 'answered') throw new Error(`unexpected ${done.kind}`)
    this.record.statistics.countTransaction('Sql', '', done.status === 200)
    return done
  }

  /** Stops the module; what was committed is kept in the record. */
  async stop(): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined)
    this.#worker = undefined
    if (worker !== undefined) await this.#workers.giveBack(worker)
  }

  /** Goes on with another module over data that fits it. When that can't be opened, nothing has changed. */
  async replaceProgram(program: Program, worker: WorkerHandle, data: StoredData): Promise<void> {
    await this.#open(worker, program, data)
    await this.stop()
    this.record.program = program
    this.record.tables = keyed(data)
    this.record.sequences = data.sequences
    this.#worker = Promise.resolve(worker)
  }

  data(): StoredData {
    const { tables, sequences } = this.record
    return { tables: new Map([...tables].map(([name, rows]) => [name, [...rows.values()]])), sequences }
  }

  async #call(job: Job): Promise<CallAnswer> {
    try {
      const done = await this.#run(job)
      if (done.kind !== 'called') throw new Error(`unexpected ${done.kind}`)
      return done
    } catch (error) {
      if (!(error instanceof JobCut)) throw error
      return { outcome: { kind: 'crashed', message: messageOf(error) }, micros: 0 }
    }
  }

  async #run(job: Job) {
    const worker = await this.#worker?.catch(() => undefined)
    if (worker === undefined || worker.hasEnded) this.#worker = this.#restart()
    return (await (this.#worker as Promise<WorkerHandle>)).run(job)
  }

  async #restart(): Promise<WorkerHandle> {
    const { program, identity } = this.record
    const { worker } = await startProgram(program.module, identity, this.#workers)
    return this.#open(worker, program, this.data())
  }

  async #open(worker: WorkerHandle, program: Program, data: StoredData): Promise<WorkerHandle> {
    const { identity, owner } = this.record
    const { module, schema } = program
    const live = { database: identity, owner, kind: module.kind, hash: module.hash, bytes: module.bytes }
    const job = { kind: 'open', schema, indexAliases: indexAliases(program), data, live } as const
    await worker.run(job)
    worker.onMessage = (message) => this.#take(message)
    return worker
  }

  #take(message: FromWorker): void {
    if (message.kind === 'log') {
      this.record.log.fromModule(message.record, this.#running, message.frames)
      return
    }
    for (const { table, row, kind } of message.changes) {
      const rows = this.record.tables.get(table)
      if (kind === 'insert') rows?.set(binary(row), row)
      else rows?.delete(binary(row))
    }
    this.record.sequences = message.sequences
  }
}

/** Rows by table as a record keeps them. */
export function keyed({ tables }: StoredData): DatabaseRecord['tables'] {
  return new Map([...tables].map(([name, rows]) => [name, new Map(rows.map((row) => [binary(row), row]))]))
}

/** A database without rows. */
export function emptyData(schema: Schema): StoredData {
  return { tables: new Map(schema.tables.map(({ name }) => [name, []])), sequences: new Map() }
}

export function newConnection(): Uint8Array {
  return new Uint8Array(randomBytes(16))
}

/** Calls of the server itself come from no connection. */
export const noConnection = new Uint8Array(16)

function callerOf({ identity, claims }: Requester): Omit<Caller, 'connection'> {
  return {
    identity: Buffer.from(identity, 'hex').reverse(),
    timestamp: BigInt(Date.now()) * 1000n,
    claims
  }
}
