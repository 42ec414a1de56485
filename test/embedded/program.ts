import { messageOf } from '../../src/errors.ts'
import { describeRawModule } from '../../src/module/describe.ts'
import type { Module } from '../../src/module/module.ts'
import { decodeRawModuleDef, type RawModuleDef } from '../../src/module/raw-module-def.ts'
import type { Schema } from '../../src/module/schema.ts'
import { schemaFromRaw } from '../../src/module/schema-from-raw.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { WorkerHandle } from './worker-handle.ts'
import type { WorkerPool } from './worker-pool.ts'

/** A module that loads, and what it declares. */
export type Program = {
  readonly module: Module
  /** What it declares in its own words. */
  readonly raw: RawModuleDef
  readonly schema: Schema
}

/** A module that the server can't load; the message is the server's text. */
export class BadProgram extends Error {
  override readonly name = 'BadProgram'
}

const described = new Map<string, Program>()

/** What a module declares, in its own words, asked once. Throws BadProgram. */
export async function describeProgram(module: Module, workers: WorkerPool): Promise<Program> {
  const known = described.get(module.kind + module.hash)
  if (known !== undefined) return known
  const { program, worker } = await startProgram(module, '0'.repeat(64) as Identity, workers)
  await workers.giveBack(worker)
  return program
}

/**
 * Loads a module in a worker of its own, which runs it as that database's; a JavaScript module is only described.
 * Throws BadProgram.
 */
export async function startProgram(
  module: Module,
  database: Identity,
  workers: WorkerPool
): Promise<{ readonly program: Program; readonly worker: WorkerHandle }> {
  const worker = await workers.take()
  try {
    const { raw, unknownParts } =
      module.kind === 'js' ? await describeRawModule(module) : await load(worker, module, database)
    const schema = schemaFromRaw(raw, 'module', unknownParts)
    if (schema.unknownParts.length > 0)
      throw new Error(
        `the embedded server does not support what the module declares: ${schema.unknownParts.join(', ')}`
      )
    const program = { module, raw, schema }
    described.set(module.kind + module.hash, program)
    return { program, worker }
  } catch (error) {
    await workers.giveBack(worker)
    throw new BadProgram(messageOf(error), { cause: error })
  }
}

async function load(worker: WorkerHandle, module: Module, database: Identity) {
  const { done } = await worker.run({ kind: 'load', module: module.bytes, identity: database })
  if (done.kind !== 'loaded') throw new Error(done.kind === 'bad-module' ? done.reason : `unexpected ${done.kind}`)
  return decodeRawModuleDef(done.description)
}

/** The names by which a module's code asks for its indexes, where they are not the server's. */
export function indexAliases({ raw, schema }: Program): ReadonlyMap<string, string> {
  if (raw.version !== 10) return new Map()
  const tables = raw.def.sections.flatMap((section) => (section.kind === 'Tables' ? section.value : []))
  return new Map(
    tables.flatMap((table, t) =>
      table.indexes.flatMap(({ source_name: source }, i) => {
        const name = schema.tables[t]?.indexes[i]?.name
        return source === undefined || name === undefined ? [] : [[source, name] as const]
      })
    )
  )
}
