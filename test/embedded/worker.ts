import { parentPort } from 'node:worker_threads'
import { messageOf } from '../../src/errors.ts'
import { algebraicType } from '../../src/module/raw-types.ts'
import { Datastore } from './datastore.ts'
import { BadModule, ModuleInstance } from './module-instance.ts'
import type { Done, FromWorker, Job, LiveProgram, ToWorker } from './protocol.ts'
import { type Json, optionJson, stringify, valueJson } from './sats-json.ts'
import { runSql, type SqlRows } from './sql-run.ts'
import { SqlError } from './sql-statement.ts'
import { systemTables } from './system-tables.ts'
import { inlined } from './values.ts'
import { viewRelations } from './views.ts'

/** Runs a database's module and keeps its tables, apart from everything else: a module may never return. */
let instance: ModuleInstance | undefined
let store: Datastore | undefined
let live: LiveProgram | undefined

/** The function that runs. */
let running: string | undefined

parentPort?.on('message', (jobs: ToWorker) => {
  const finished = jobs.map((job) => {
    const done = run(job)
    return { done, transactions: store?.takeTransactions() ?? [], sequences: store?.takeSequences() }
  })
  send({ kind: 'done', finished })
})

function run(job: Job): Done {
  switch (job.kind) {
    case 'load':
      return load(job)
    case 'forget':
      instance = store = live = undefined
      return { kind: 'forgotten' }
    case 'open':
      live = job.live
      store = new Datastore(job.schema, job.data, job.indexAliases)
      instance?.open(store)
      return { kind: 'opened' }
    case 'sql':
      return answerSql(job)
    case 'http':
      return handle(job)
    default:
      return call(job)
  }
}

function load({ module, identity }: Job & { kind: 'load' }): Done {
  try {
    instance = new ModuleInstance(module, Buffer.from(identity, 'hex').reverse(), (record) =>
      send({ kind: 'log', record, running, frames: wasmFrames() })
    )
    return { kind: 'loaded', description: instance.describe() }
  } catch (error) {
    if (error instanceof BadModule) return { kind: 'bad-module', reason: error.message }
    return { kind: 'bad-module', reason: messageOf(error) }
  }
}

function call({ kind, id, name, caller, args }: Job & { kind: 'reducer' | 'procedure' }): Done {
  if (instance === undefined) throw new Error('no module was loaded')
  const startedAt = performance.now()
  running = name
  const outcome = kind === 'reducer' ? instance.callReducer(id, caller, args) : instance.callProcedure(id, caller, args)
  running = undefined
  return { kind: 'called', outcome, micros: since(startedAt) }
}

function handle({ id, name, timestamp, request, body }: Job & { kind: 'http' }): Done {
  if (instance === undefined) throw new Error('no module was loaded')
  const startedAt = performance.now()
  running = name
  const outcome = instance.callHttpHandler(id, timestamp, request, body)
  running = undefined
  return { kind: 'handled', outcome, micros: since(startedAt) }
}

function answerSql({ sql, caller, isOwner, clients }: Job & { kind: 'sql' }): Done {
  if (store === undefined || live === undefined) throw new Error('no database was opened')
  const startedAt = performance.now()
  try {
    const views = instance === undefined ? [] : viewRelations(instance, store, caller)
    const identity = Buffer.from(caller.identity).reverse().toString('hex')
    const rows = runSql(sql, store, [...systemTables(live, store, clients), ...views], { identity, isOwner })
    return { kind: 'answered', status: 200, body: rowsBody(rows, store, since(startedAt)), micros: since(startedAt) }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    return { kind: 'answered', status: 400, body: error.message, micros: since(startedAt) }
  }
}

function rowsBody(
  { columns, rows, inserted, deleted, updated }: SqlRows,
  { schema }: Datastore,
  micros: number
): string {
  const elements = columns.map(({ name, type }) => ({
    name: optionJson(name),
    algebraic_type: algebraicType.toJson(inlined(type, schema.typespace)) as Json
  }))
  const values = rows.map((row) => columns.map(({ type }, i) => valueJson(row[i] ?? false, type, schema.typespace)))
  const stats = { rows_inserted: inserted, rows_deleted: deleted, rows_updated: updated }
  return stringify([{ schema: { elements }, rows: values, total_duration_micros: micros, stats }])
}

function since(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1000)
}

/** How deep in the module's own code we are. */
function wasmFrames(): number {
  return (new Error().stack ?? '').split('\n').filter((line) => line.includes('wasm://')).length
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message)
}

Error.stackTraceLimit = 64
