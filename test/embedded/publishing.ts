import { type ModuleHash, planToken } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import type { Schema } from '../../src/module/schema.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import { lifecycleReducer } from './callable.ts'
import type { Control } from './control.ts'
import {
  Database,
  type DatabaseRecord,
  emptyData,
  fatalError,
  keyed,
  noConnection,
  type Requester
} from './database.ts'
import type { StoredData } from './datastore.ts'
import { HttpError } from './http-error.ts'
import { LogBook } from './log-book.ts'
import { applyProblems, serverPlan } from './plan.ts'
import { describeProgram, type Program, startProgram } from './program.ts'
import { Statistics } from './statistics.ts'
import { storedRows } from './stored-rows.ts'
import type { WorkerPool } from './worker-pool.ts'

export type Policy = { readonly kind: 'compatible' } | { readonly kind: 'break-clients'; readonly token: string }

/**
 * Makes a database and runs its `init`. Throws the 500 when the module doesn't load or its `init` fails: then there is
 * none, though the name stays claimed; or when somebody else was faster. `isAbandoned` is asked before the database exists.
 */
export async function createDatabase(
  control: Control,
  identity: Identity,
  owner: Requester,
  module: Module,
  workers: WorkerPool,
  isAbandoned: () => Promise<boolean>
): Promise<void> {
  const database = await newDatabase(identity, owner, module, workers, isAbandoned)
  if (control.running.has(identity)) {
    await database.stop()
    throw new HttpError(500, `database with identity ${identity} already exists`)
  }
  put(control, database)
}

/**
 * Throws all data of a database away and makes it anew with this module, as `clear=true` does. When that can't be
 * done (500), the database stays as it was.
 */
export async function clearDatabase(
  control: Control,
  database: Database,
  owner: Requester,
  module: Module,
  workers: WorkerPool
): Promise<void> {
  put(control, await newDatabase(database.record.identity, owner, module, workers, async () => false))
  await database.retire()
}

function put(control: Control, database: Database): void {
  control.running.set(database.record.identity, database)
  control.state.databases.set(database.record.identity, database.record)
}

/** What the server would do to publish the module. */
export async function planUpdate(
  database: Database,
  module: Module,
  style: 'NoColor' | 'AnsiColor',
  workers: WorkerPool
) {
  const { identity, program: live } = database.record
  const program = await describeProgram(module, workers)
  const plan = serverPlan(live.schema, program.schema, style)
  if ('ManualMigrate' in plan) return plan
  return { AutoMigrate: { ...plan.AutoMigrate, token: planToken(identity, live.module.hash, module.hash) } }
}

/** Publishes another module to a database that exists. Throws the 400 when that is refused: nothing was changed. */
export async function updateDatabase(
  database: Database,
  module: Module,
  policy: Policy,
  workers: WorkerPool
): Promise<void> {
  const { record } = database
  const program = await describeProgram(module, workers)
  if (module.hash === record.program.module.hash) return
  const { data, breaksClients } = migrate(database, program, policy)
  const { worker } = await startProgram(module, record.identity, workers)
  const steps = migrationSteps(record.program.schema, program.schema)
  await database.replaceProgram(program, worker, data)
  if (breaksClients) database.disconnectAll()
  else for (const subscriber of database.subscribers) subscriber.hearOfProgram()
  record.log.fromServer('Info', `Updated program to ${module.hash}`)
  for (const step of steps) record.log.fromServer('Info', step)
  record.log.fromServer('Info', 'Database updated')
}

async function newDatabase(
  identity: Identity,
  owner: Requester,
  module: Module,
  workers: WorkerPool,
  isAbandoned: () => Promise<boolean>
): Promise<Database> {
  const { program, worker } = await startProgram(module, identity, workers)
  if (await isAbandoned()) {
    await workers.giveBack(worker)
    throw new HttpError(499, 'the connection ended')
  }
  const data = emptyData(program.schema)
  const record: DatabaseRecord = {
    identity,
    owner: owner.identity,
    log: new LogBook(),
    program,
    initialProgram: module.hash,
    hostType: module.kind,
    tables: keyed(data),
    sequences: data.sequences,
    statistics: new Statistics()
  }
  const database = new Database(record, workers)
  await database.replaceProgram(program, worker, data)
  await initialise(database, owner)
  return database
}

async function initialise(database: Database, owner: Requester): Promise<void> {
  const { log, program } = database.record
  const { schema } = program
  for (const name of schema.tables.map((table) => table.name).sort())
    log.fromServer('Info', `Creating table \`${name}\``)
  for (const name of schema.views.map((view) => view.name).sort())
    log.fromServer('Info', `Creating table for view \`${name}\``)
  for (const { name, schedule } of schema.tables)
    if (schedule !== undefined) log.fromServer('Warn', `The embedded server runs no schedules: \`${name}\``)
  const init = lifecycleReducer(schema, 'init')
  if (init !== undefined && program.module.kind === 'js') {
    log.fromServer('Warn', 'The embedded server does not run JavaScript modules: `init` was not called')
  } else if (init !== undefined) {
    log.fromServer('Info', 'Invoking `init` reducer')
    const { outcome } = await database.call({
      kind: 'reducer',
      id: init.id,
      requester: owner,
      connection: noConnection,
      args: new Uint8Array()
    })
    if (outcome.kind !== 'returned') {
      await database.stop()
      throw new HttpError(500, outcome.kind === 'failed' ? outcome.message : fatalError)
    }
  }
  log.fromServer('Info', 'Database initialized')
}

function migrate(
  database: Database,
  { schema, module }: Program,
  policy: Policy
): { readonly data: StoredData; readonly breaksClients: boolean } {
  const { identity, program: live } = database.record
  const plan = serverPlan(live.schema, schema, 'NoColor')
  if ('ManualMigrate' in plan) throw new HttpError(400, `Database update rejected: ${plan.ManualMigrate.reason}`)
  const refuse = (why: string) => new HttpError(400, `Failed to create or update the database: ${why}`)
  if (policy.kind === 'break-clients' && !isToken(policy.token, identity, live.module.hash, module.hash))
    throw refuse('Token provided is invalid or does not match expected hash')
  if (policy.kind === 'compatible' && plan.AutoMigrate.break_clients)
    throw refuse('Migration plan contains a client-breaking change which is disallowed under current policy')
  const data = database.data()
  const [problem] = applyProblems(live.schema, schema, storedRows(live.schema, data))
  if (problem !== undefined) throw refuse(problem)
  return { data: migrated(live.schema, schema, data), breaksClients: plan.AutoMigrate.break_clients }
}

function isToken(token: string, identity: Identity, live: ModuleHash, next: ModuleHash): boolean {
  return BigInt(token) === BigInt(planToken(identity, live, next))
}

/** What the log says of a migration: which tables and indexes go and come. */
function migrationSteps(before: Schema, after: Schema): string[] {
  const without = <T extends { name: string }>(from: readonly T[], others: readonly T[]) =>
    from.filter(({ name }) => !others.some((other) => other.name === name))
  const indexes = (schema: Schema, others: Schema) =>
    schema.tables.flatMap((table) => {
      const other = others.tables.find(({ name }) => name === table.name)
      return other === undefined ? [] : without(table.indexes, other.indexes).map((index) => [index.name, table.name])
    })
  return [
    ...indexes(before, after).map(([index, table]) => `Dropping index \`${index}\` on table \`${table}\``),
    ...without(before.tables, after.tables).map(({ name }) => `Dropping table \`${name}\``),
    ...without(after.tables, before.tables).map(({ name }) => `Creating table \`${name}\``),
    ...indexes(after, before).map(([index, table]) => `Creating index \`${index}\` on table \`${table}\``)
  ]
}

/** The data under the new schema: rows keep what they hold and get the defaults of added columns. */
function migrated(before: Schema, after: Schema, data: StoredData): StoredData {
  const tables = after.tables.map((table) => {
    const old = before.tables.find(({ name }) => name === table.name)
    const added = Buffer.from(
      table.columns
        .slice(old?.columns.length ?? 0)
        .map(({ defaultValue }) => defaultValue ?? '')
        .join(''),
      'hex'
    )
    const rows = data.tables.get(table.name) ?? []
    return [table.name, added.length === 0 ? rows : rows.map((row) => Buffer.concat([row, added]))] as const
  })
  const sequences = new Set(after.tables.flatMap((table) => table.sequences.map(({ name }) => name)))
  return { tables: new Map(tables), sequences: new Map([...data.sequences].filter(([name]) => sequences.has(name))) }
}
