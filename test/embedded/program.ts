import { messageOf } from '../../src/errors.ts'
import type { Module } from '../../src/module/module.ts'
import { decodeRawModuleDef, type RawModuleDef } from '../../src/module/raw-module-def.ts'
import type { Schema } from '../../src/module/schema.ts'
import { schemaFromRaw } from '../../src/module/schema-from-raw.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import { WorkerHandle } from './worker-handle.ts'

/** A module that loads, and what it declares. */
export type Program = {
  readonly module: Module
  /** In the module's own words; JavaScript modules are not asked for them. */
  readonly raw?: RawModuleDef
  readonly schema: Schema
}

export type Started =
  | { readonly kind: 'started'; readonly program: Program; readonly worker: WorkerHandle }
  /** The reason is the server's text. */
  | { readonly kind: 'bad-module'; readonly reason: string }

/** Loads a module in a worker of its own and lets it describe itself, within a deadline in milliseconds. */
export async function startProgram(module: Module, identity: Identity, deadline: number): Promise<Started> {
  if (module.kind === 'js') return { kind: 'bad-module', reason: 'the embedded server does not run JavaScript modules' }
  const worker = await WorkerHandle.start()
  try {
    const done = await worker.run({ kind: 'load', module: module.bytes, identity }, deadline)
    if (done.kind === 'bad-module') throw new Error(done.reason)
    if (done.kind !== 'loaded') throw new Error(`unexpected ${done.kind}`)
    const { raw, unknownParts } = decodeRawModuleDef(done.description)
    return { kind: 'started', program: { module, raw, schema: schemaFromRaw(raw, 'module', unknownParts) }, worker }
  } catch (error) {
    await worker.stop()
    return { kind: 'bad-module', reason: messageOf(error) }
  }
}

/** The names by which a module's code asks for its indexes, where they are not the server's. */
export function indexAliases({ raw, schema }: Program): ReadonlyMap<string, string> {
  if (raw?.version !== 10) return new Map()
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
