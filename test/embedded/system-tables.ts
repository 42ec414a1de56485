import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { encode, type Value } from '../../src/module/bsatn.ts'
import { algebraicType } from '../../src/module/raw-types.ts'
import type { Datastore } from './datastore.ts'
import type { Caller } from './module-instance.ts'
import type { LiveProgram } from './protocol.ts'
import type { Relation } from './sql-scope.ts'
import { inlined } from './values.ts'

/** The system tables that the embedded server has: they tell of the module, of user tables and of who is connected. */
export function systemTables(live: LiveProgram, store: Datastore, clients: readonly Connected[]): readonly Relation[] {
  return [stModule(live), stTable(store), stColumn(store), stClient(clients)]
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
      [
        BigInt(`0x${database}`),
        BigInt(`0x${owner}`),
        kind === 'wasm' ? 0 : 1,
        integerOf(Buffer.from(hash, 'hex')),
        bytes,
        '0.0.1'
      ]
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
      { name: 'table_access', type: { kind: 'string' } },
      { name: 'table_primary_key', type: optionOf(listOf('u16')) }
    ],
    rows: () =>
      store.tables.map((table) => {
        const { name, access, primaryKey } = table.declaration
        const key = primaryKey === undefined ? none : { tag: 0, value: [table.position(primaryKey)] }
        return [table.id, name, 'user', access, key]
      })
  }
}

function stColumn(store: Datastore): Relation {
  return {
    name: 'st_column',
    isPublic: true,
    columns: [
      { name: 'table_id', type: { kind: 'u32' } },
      { name: 'col_pos', type: { kind: 'u16' } },
      { name: 'col_name', type: { kind: 'string' } },
      { name: 'col_type', type: listOf('u8') }
    ],
    rows: () =>
      store.tables.flatMap(({ id, declaration, typespace }) =>
        declaration.columns.map(({ name, type }, position) => [
          id,
          position,
          name,
          encode(algebraicType, inlined(type, typespace))
        ])
      )
  }
}

type Connected = Pick<Caller, 'identity' | 'connection'>

function stClient(clients: readonly Connected[]): Relation {
  return {
    name: 'st_client',
    isPublic: true,
    columns: [
      { name: 'identity', type: { kind: 'u256' } },
      { name: 'connection_id', type: { kind: 'u128' } }
    ],
    rows: () => clients.map(({ identity, connection }) => [integerOf(identity), integerOf(connection)])
  }
}

/** The integer whose little-endian bytes these are. */
export function integerOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function listOf(kind: 'u8' | 'u16'): AlgebraicType {
  return { kind: 'array', element: { kind } }
}

function optionOf(type: AlgebraicType): AlgebraicType {
  const unit: AlgebraicType = { kind: 'product', elements: [] }
  return {
    kind: 'sum',
    variants: [
      { name: 'some', type },
      { name: 'none', type: unit }
    ]
  }
}

const none: Value = { tag: 1, value: [] }
