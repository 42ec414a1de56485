import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import type { ModuleHash } from '../../../src/module/hash.ts'
import { moduleFromBytes } from '../../../src/module/load.ts'
import type { ModuleKind } from '../../../src/module/module.ts'
import type { Identity } from '../../../src/spacetimedb/identity.ts'
import type { ServerState } from '../../embedded/control.ts'
import type { DatabaseRecord } from '../../embedded/database.ts'
import { LogBook } from '../../embedded/log-book.ts'
import { describeProgram } from '../../embedded/program.ts'
import { Statistics } from '../../embedded/statistics.ts'
import type { SigningKeys } from '../../embedded/tokens.ts'
import { WorkerPool } from '../../embedded/worker-pool.ts'

type KeptDatabase = Pick<DatabaseRecord, 'tables' | 'sequences' | 'hostType'> & {
  readonly identity: Identity
  readonly owner: Identity
  readonly initialProgram: ModuleHash
  readonly module: Uint8Array
}

type Kept = Pick<ServerState, 'names' | 'nameOwners' | 'locked'> & { readonly databases: readonly KeptDatabase[] }

/** Writes databases, names and locks into a file; logs and statistics are not kept. */
export function keepState(path: string, { names, nameOwners, locked, databases }: ServerState): void {
  const kept: Kept = {
    names,
    nameOwners,
    locked,
    databases: [...databases.values()].map(
      ({ identity, owner, initialProgram, hostType, tables, sequences, program }) => ({
        ...{ identity, owner, initialProgram, hostType, tables, sequences },
        module: program.module.bytes
      })
    )
  }
  writeFileSync(`${path}.part`, serialize(kept))
  renameSync(`${path}.part`, path)
}

/** What an earlier server left in that file; `undefined` when there was none. */
export async function keptState(path: string, keys: SigningKeys): Promise<ServerState | undefined> {
  if (!existsSync(path)) return undefined
  const { databases, ...kept } = deserialize(readFileSync(path)) as Kept
  const workers = new WorkerPool(60_000)
  try {
    const records = await Promise.all(databases.map((database) => recordOf(database, workers)))
    return { ...kept, keys, databases: new Map(records.map((record) => [record.identity, record])) }
  } finally {
    await workers.close()
  }
}

async function recordOf({ module, ...kept }: KeptDatabase, workers: WorkerPool): Promise<DatabaseRecord> {
  const kind: ModuleKind = kept.hostType
  const program = await describeProgram(moduleFromBytes(new Uint8Array(module), kind), workers)
  return { ...kept, program, log: new LogBook(), statistics: new Statistics() }
}
