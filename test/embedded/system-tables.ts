import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { Datastore } from './datastore.ts'
import type { LiveProgram } from './protocol.ts'
import type { Relation } from './sql-run.ts'

/** What the system tables say that the embedded server has: modules and tables. */
export function systemTables(live: LiveProgram, store: Datastore): readonly Relation[] {
  return [stModule(live), stTable(store), stColumn(store)]
}

function stModule({ database, owner, kind, hash, bytes }: LiveProgram): Relation {
  return {
    name: 'st_module',
    isPublic: true,
    columns: [
      { name: 'database_identity', type: { kind: 'u256' } },
      { name: 'owner_identity', type: { kind: 'u256' } },
      { name: 'program_kind', type: { kind: 'u8' } },
      { name: 'program_hash', type: { kind: 'u256' } },
      { name: 'program_bytes', type: listOf('u8') },
      { name: 'module_version', type: { kind: 'string' } }
    ],
    rows: () => [
      [BigInt(`0x${database}`), BigInt(`0x${owner}`), kind === 'wasm' ? 0 : 1, reversed(hash), bytes, '0.0.1']
    ]
  }
}

function stTable(store: Datastore): Relation {
  return {
    name: 'st_table',
    isPublic: true,
    columns: [
      { name: 'table_id', type: { kind: 'u32' } },
      { name: 'table_name', type: { kind: 'string' } },
      { name: 'table_type', type: { kind: 'string' } },
      { name: 'table_access', type: { kind: 'string' } }
    ],
    rows: () => store.tables.map(({ id, declaration: { name, access } }) => [id, name, 'user', access])
  }
}

function stColumn(store: Datastore): Relation {
  return {
    name: 'st_column',
    isPublic: true,
    columns: [
      { name: 'table_id', type: { kind: 'u32' } },
      { name: 'col_pos', type: { kind: 'u16' } },
      { name: 'col_name', type: { kind: 'string' } }
    ],
    rows: () =>
      store.tables.flatMap(({ id, declaration }) =>
        declaration.columns.map(({ name }, position) => [id, position, name])
      )
  }
}

/** A hash as the integer whose little-endian bytes it is. */
function reversed(hash: string): bigint {
  return BigInt(`0x${Buffer.from(hash, 'hex').reverse().toString('hex')}`)
}

function listOf(kind: 'u8'): AlgebraicType {
  return { kind: 'array', element: { kind } }
}
