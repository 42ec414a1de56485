import { randomBytes } from 'node:crypto'
import { messageOf } from '../../src/errors.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import type { Schema } from '../../src/module/schema.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { StoredData } from './datastore.ts'
import type { LogBook } from './log-book.ts'
import type { Caller, CallOutcome, HttpOutcome } from './module-instance.ts'
import { indexAliases, type Program, startProgram } from './program.ts'
import type { Committed, Finished, Job } from './protocol.ts'
import type { Statistics } from './statistics.ts'
import type { Run, Subscriber } from './subscriber.ts'
import { binary } from './table.ts'
import { TransactionRows } from './transaction-rows.ts'
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

/** A call of a reducer or procedure, by its position in the schema. */
export type Call = {
  readonly kind: 'reducer' | 'procedure'
  readonly id: number
  readonly requester: Requester
  readonly connection: Uint8Array
  /** The arguments in BSATN. */
  readonly args: Uint8Array
  /** The arguments as they were sent, in JSON. */
  readonly argsText?: string
  readonly requestId?: number
  readonly onStart?: () => void
  /** Who hears of the call whatever becomes of it. */
  readonly answers?: Subscriber | undefined
}

export type CallAnswer = {
  readonly outcome: CallOutcome
  readonly micros: number
  /** When it began, in microseconds since the epoch. */
  readonly timestamp: bigint
}

/** A database that runs: its module in a worker, which is started when it is needed. */
export class Database {
  readonly record: DatabaseRecord
  /** Who is connected by WebSocket. */
  readonly subscribers = new Set<Subscriber>()
  readonly #workers: WorkerPool
  #worker: Promise<WorkerHandle> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #lastAlone: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #isGone = false

  constructor(record: DatabaseRecord, workers: WorkerPool) {
    this.record = record
    this.#workers = workers
  }

  /** How many wait for their turn. */
  get queueLength(): number {
    return this.#waiting
  }

  /** Whether it was deleted, or replaced by another. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Does something with the database while nothing else is done. `label`: what waits, for the metrics. */
  exclusively<T>(run: () => Promise<T>, label?: string): Promise<T> {
    const started = this.#enqueue(label)
    const result = this.#last.then(() => {
      started()
      return run()
    })
    this.#last = this.#lastAlone = result.catch(() => undefined)
    return result
  }

  /**
   * Does something with the database while others may do the same. `run` says when what it waits for has begun; `label`
   * is what waits, for the metrics.
   */
  together<T>(run: (started: () => void) => Promise<T>, label: string): Promise<T> {
    const started = this.#enqueue(label)
    const result = this.#lastAlone.then(() => run(started)).finally(started)
    this.#last = Promise.allSettled([this.#last, result])
    return result
  }

  #enqueue(label: string | undefined): () => void {
    const { statistics } = this.record
    const since = performance.now()
    let isWaiting = true
    this.#waiting += 1
    statistics.queueLengths.observe(this.#waiting)
    return () => {
      if (!isWaiting) return
      isWaiting = false
      this.#waiting -= 1
      if (label !== undefined) statistics.countWait(label, (performance.now() - since) * 1000)
    }
  }

  /** Calls a function as the module's own code. */
  async call({ kind, id, requester, connection, args, ...told }: Call): Promise<CallAnswer> {
    const { program, statistics, log } = this.record
    const name = program.schema[`${kind}s`][id]?.name ?? ''
    const caller = { ...callerOf(requester), connection }
    const { answer, transactions } = await this.#call({ kind, id, name, caller, args }, told.onStart)
    const { outcome, micros } = answer
    if (kind === 'reducer') statistics.countRun(name, micros)
    if (outcome.kind === 'crashed') statistics.countCrash(name)
    if (outcome.kind === 'failed') {
      log.fromServer('Error', outcome.message, name)
      statistics.countError(name)
    }
    const run: Run = {
      caller: requester.identity,
      connection,
      timestamp: caller.timestamp,
      micros,
      ...(kind === 'reducer' && { reducer: { name, id } }),
      args: told.argsText ?? '[]',
      requestId: told.requestId ?? 0,
      answers: told.answers
    }
    if (kind === 'procedure') this.#tell(run, transactions)
    else if (outcome.kind === 'returned') this.#tell(run, transactions.length === 0 ? [[]] : transactions)
    else run.answers?.hearFailure(run, outcome.kind === 'failed' ? outcome.message : fatalError)
    return { ...answer, timestamp: caller.timestamp }
  }

  /** Lets a handler of the module answer an HTTP request; request and answer are BSATN, their bodies apart. */
  async handle(id: number, name: string, request: Uint8Array, body: Uint8Array): Promise<HttpOutcome> {
    const timestamp = BigInt(Date.now()) * 1000n
    const { identity, statistics } = this.record
    const { done, transactions } = await this.#run({ kind: 'http', id, name, timestamp, request, body })
    if (done.kind !== 'handled') throw new Error(`unexpected ${done.kind}`)
    if (done.outcome.kind === 'crashed') statistics.countCrash(name)
    const run = { caller: identity, connection: noConnection, timestamp, micros: done.micros, args: '[]', requestId: 0 }
    this.#tell(run, transactions)
    return done.outcome
  }

  /** Runs one statement: the answer's status and body. */
  async sql(
    sql: string,
    requester: Requester,
    connection: Uint8Array
  ): Promise<{ status: number; body: string; micros: number }> {
    const isOwner = requester.identity === this.record.owner
    const caller = { ...callerOf(requester), connection }
    const connected = Array.from(this.subscribers, (client) => ({
      identity: bytesOf(client.identity),
      connection: client.connection
    }))
    const { done, transactions } = await this.#run({
      kind: 'sql',
      sql,
      caller,
      isOwner,
      clients: [...connected, caller]
    })
    if (done.kind !== 'answered') throw new Error(`unexpected ${done.kind}`)
    this.record.statistics.countTransaction('Sql', '', done.status === 200, done.micros)
    const { timestamp } = caller
    const run = { caller: requester.identity, connection, timestamp, micros: done.micros, args: '[]', requestId: 0 }
    this.#tell(run, transactions)
    return done
  }

  /** Stops the module; what was committed is kept in the record. */
  async stop(): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined)
    this.#worker = undefined
    if (worker !== undefined) await this.#workers.giveBack(worker)
  }

  /** Stops the module for good and ends whoever is connected. */
  async retire(): Promise<void> {
    this.#isGone = true
    this.disconnectAll()
    await this.stop()
  }

  /** Ends whoever is connected by WebSocket. */
  disconnectAll(): void {
    for (const subscriber of this.subscribers) subscriber.end('module exited')
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

  async #call(
    job: Job,
    onStart?: () => void
  ): Promise<{ answer: Omit<CallAnswer, 'timestamp'>; transactions: Committed['transactions'] }> {
    try {
      const { done, transactions } = await this.#run(job, onStart)
      if (done.kind !== 'called') throw new Error(`unexpected ${done.kind}`)
      return { answer: done, transactions }
    } catch (error) {
      if (!(error instanceof JobCut)) throw error
      return { answer: { outcome: { kind: 'crashed', message: messageOf(error) }, micros: 0 }, transactions: [] }
    }
  }

  /** Runs a job, and again by itself as long as others are at fault that it comes to nothing. */
  async #run(job: Job, onStart?: () => void, alone?: boolean): Promise<Finished> {
    const worker = await this.#started()
    try {
      const finished = await worker.run(job, onStart, alone)
      this.#keep(finished)
      return finished
    } catch (error) {
      if (!(error instanceof JobCut && error.isOthersFault)) throw error
      return this.#run(job, onStart, true)
    }
  }

  /** The worker, started again when it has ended. */
  async #started(): Promise<WorkerHandle> {
    const before = this.#worker
    const worker = await before?.catch(() => undefined)
    if ((worker === undefined || worker.hasEnded) && this.#worker === before) this.#worker = this.#restart()
    return this.#worker as Promise<WorkerHandle>
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
    await worker.run({ kind: 'open', schema, indexAliases: indexAliases(program), data, live })
    worker.onLog = ({ record, running, frames }) => this.record.log.fromModule(record, running, frames)
    return worker
  }

  #keep({ transactions, sequences }: Committed): void {
    for (const { table, row, kind } of transactions.flat()) {
      const rows = this.record.tables.get(table)
      if (kind === 'insert') rows?.set(binary(row), row)
      else rows?.delete(binary(row))
    }
    if (sequences !== undefined) this.record.sequences = sequences
  }

  #tell(run: Run, transactions: Committed['transactions']): void {
    for (const changes of transactions) {
      this.record.statistics.countTransaction('Update', run.reducer?.name ?? '', true)
      const rows = new TransactionRows(changes, this.record.program.schema)
      for (const subscriber of this.subscribers) subscriber.hear(run, rows)
    }
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
    identity: bytesOf(identity),
    timestamp: BigInt(Date.now()) * 1000n,
    claims
  }
}

/** An identity as a module gets it. */
function bytesOf(identity: Identity): Uint8Array {
  return Uint8Array.from(Buffer.from(identity, 'hex')).reverse()
}

/** What a caller hears of a panic. */
export const fatalError = 'The instance encountered a fatal error.'
