import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../src/errors.ts'
import { decodeRawModuleDef, encodeRawModuleDef, type RawModuleDef } from '../../src/module/raw-module-def.ts'
import { schemaFromRaw } from '../../src/module/schema-from-raw.ts'
import { fixtureModule, matrixModule, matrixNames } from '../fixtures.ts'
import { definitionOf } from './definition-of.ts'

const definition = definitionOf(fixtureModule('odd-names.wasm'))

/** What the 1.x bindings send; there is no such module at hand. */
const version9: RawModuleDef = {
  version: 9,
  def: {
    typespace: {
      types: [
        {
          kind: 'product',
          elements: [
            { name: 'Id', type: { kind: 'u64' } },
            { name: 'at', type: { kind: 'string' } }
          ]
        }
      ]
    },
    tables: [
      {
        name: 'Timer2',
        product_type_ref: 0,
        primary_key: [0],
        indexes: [
          { name: undefined, accessor_name: 'Id', algorithm: { kind: 'Hash', value: [0] } },
          { name: 'by_both', accessor_name: undefined, algorithm: { kind: 'BTree', value: [1, 0] } },
          { name: undefined, accessor_name: undefined, algorithm: { kind: 'Direct', value: 0 } }
        ],
        constraints: [{ name: undefined, data: { kind: 'Unique', value: { columns: [1, 0] } } }],
        sequences: [
          {
            name: undefined,
            column: 0,
            start: 5n,
            min_value: -(2n ** 127n),
            max_value: 2n ** 127n - 1n,
            increment: -1n
          }
        ],
        schedule: { name: undefined, reducer_name: 'runTimer', scheduled_at_column: 1 },
        table_type: { kind: 'User', value: {} },
        table_access: { kind: 'Private', value: {} }
      }
    ],
    reducers: [
      {
        name: 'runTimer',
        params: { elements: [{ name: 'Arg', type: { kind: 'ref', ref: 0 } }] },
        lifecycle: undefined
      },
      { name: 'Bye', params: { elements: [] }, lifecycle: { kind: 'OnDisconnect', value: {} } }
    ],
    types: [{ name: { scope: ['my', 'Scope'], name: 'timer2' }, ty: 0, custom_ordering: true }],
    misc_exports: [
      { kind: 'ColumnDefaultValue', value: { table: 'Timer2', col_id: 1, value: Uint8Array.of(0, 0, 0, 0) } },
      { kind: 'Procedure', value: { name: 'Ask', params: { elements: [] }, return_type: { kind: 'bool' } } },
      {
        kind: 'View',
        value: {
          name: 'Mine',
          index: 0,
          is_public: true,
          is_anonymous: true,
          params: { elements: [] },
          return_type: { kind: 'array', element: { kind: 'ref', ref: 0 } }
        }
      }
    ],
    row_level_security: [{ sql: 'SELECT * FROM Timer2' }]
  }
}

describe('the raw definition of a module', () => {
  test.each(matrixNames().map((name) => [name]))('%s is written as it was read, byte by byte', (name) => {
    const bytes = definitionOf(matrixModule(name))
    const { raw, unknownParts } = decodeRawModuleDef(bytes)
    expect(unknownParts).toEqual([])
    expect(Buffer.from(encodeRawModuleDef(raw)).equals(bytes)).toBe(true)
  })

  test('version 9 is read as it was written, and keeps its names', () => {
    const { raw } = decodeRawModuleDef(encodeRawModuleDef(version9))
    expect(raw).toEqual(version9)
    expect(schemaFromRaw(raw, 'module')).toEqual({
      typespace: version9.def.typespace.types,
      types: [{ name: 'my.Scope.timer2', ref: 0 }],
      tables: [
        {
          name: 'Timer2',
          columns: [
            { name: 'Id', type: { kind: 'u64' } },
            { name: 'at', type: { kind: 'string' }, defaultValue: '00000000' }
          ],
          rowType: 0,
          primaryKey: 'Id',
          uniqueConstraints: [{ name: 'Timer2_at_Id_key', columns: ['Id', 'at'] }],
          indexes: [
            { name: 'Timer2_Id_idx_hash', accessor: 'Id', algorithm: 'hash', columns: ['Id'] },
            { name: 'by_both', algorithm: 'btree', columns: ['at', 'Id'] },
            { name: 'Timer2_Id_idx_direct', algorithm: 'direct', columns: ['Id'] }
          ],
          sequences: [
            {
              name: 'Timer2_Id_seq',
              column: 'Id',
              start: 5n,
              minValue: -(2n ** 127n),
              maxValue: 2n ** 127n - 1n,
              increment: -1n
            }
          ],
          schedule: { name: 'Timer2_sched', column: 'at', functionName: 'runTimer' },
          access: 'private',
          isEvent: false
        }
      ],
      reducers: [
        { name: 'runTimer', parameters: [{ name: 'Arg', type: { kind: 'ref', ref: 0 } }], visibility: 'client' },
        { name: 'Bye', parameters: [], visibility: 'private' }
      ],
      procedures: [{ name: 'Ask', parameters: [], returnType: { kind: 'bool' }, visibility: 'client' }],
      views: [
        {
          name: 'Mine',
          parameters: [],
          returnType: { kind: 'array', element: { kind: 'ref', ref: 0 } },
          isPublic: true,
          isAnonymous: true
        }
      ],
      httpRoutes: [],
      lifecycle: [{ event: 'client_disconnected', reducer: 'Bye' }],
      rowLevelSecurity: ['SELECT * FROM Timer2'],
      unknownParts: []
    })
  })
})

describe('definitions of newer bindings', () => {
  test.each([
    [3, /not known \(RawModuleDef tag 3; known are versions 9 and 10\).*use a newer version of this action/],
    [0, /bindings before 1\.0 \(version 8\).*Build it with SpacetimeDB bindings 1\.0 or newer/]
  ])('another version (tag %d) is named', (tag, message) => {
    const decode = () => decodeRawModuleDef(Uint8Array.of(tag, 1, 2, 3))
    expect(decode).toThrow(ConfigurationError)
    expect(decode).toThrow(message)
  })

  test('an unknown section is noted, and what came before it is kept', () => {
    const count = new DataView(definition.buffer, definition.byteOffset).getUint32(1, true)
    const { raw } = decodeRawModuleDef(definition)
    const more = Uint8Array.from([...definition, 99, 1, 2, 3])
    new DataView(more.buffer).setUint32(1, count + 2, true)
    expect(decodeRawModuleDef(more)).toEqual({ raw, unknownParts: ['section 99'] })
    expect(schemaFromRaw(raw, 'module', ['section 99']).unknownParts).toEqual(['section 99'])
  })

  test('an unknown export of version 9 is noted too', () => {
    const withoutExports = { ...version9.def, misc_exports: [], row_level_security: [] }
    const bytes = encodeRawModuleDef({ version: 9, def: withoutExports })
    const more = Uint8Array.from([...bytes.subarray(0, bytes.length - 8), 1, 0, 0, 0, 77, 1, 2, 3])
    expect(decodeRawModuleDef(more)).toEqual({
      raw: { version: 9, def: withoutExports },
      unknownParts: ['misc export 77']
    })
  })
})

describe('definitions that are not to be trusted', () => {
  const readOrRefused = (bytes: Uint8Array) => {
    try {
      decodeRawModuleDef(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError)
      expect((error as Error).message).toMatch(/at byte \d+|tag \d+|version 8/)
    }
  }

  test('any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readOrRefused))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => readOrRefused(Uint8Array.of(2, ...bytes))))
  })

  test('a real definition with some bytes changed', () => {
    const change = fc.tuple(fc.nat(definition.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const bytes = Uint8Array.from(definition)
        for (const [at, byte] of changes) bytes[at] = byte
        readOrRefused(bytes)
      }),
      { numRuns: 500 }
    )
  })

  test('a real definition cut short', () => {
    for (let length = 0; length < definition.length; length++) {
      expect(() => decodeRawModuleDef(definition.subarray(0, length))).toThrow(ConfigurationError)
    }
  })

  test('a type nested without end', () => {
    const arrays = Buffer.concat([Buffer.from([2, 1, 0, 0, 0, 0, 1, 0, 0, 0]), Buffer.alloc(1 << 20, 3)])
    expect(() => decodeRawModuleDef(arrays)).toThrow(/levels deep/)
  })

  test.each<[title: string, change: (def: Record<string, unknown>) => unknown, message: RegExp]>([
    [
      'rows without a type',
      (table) => ({ ...table, product_type_ref: 9 }),
      /rows of the table Timer2 have no product type/
    ],
    ['a key on no column', (table) => ({ ...table, primary_key: [7] }), /the table Timer2 has no column 7/],
    ['two keys', (table) => ({ ...table, primary_key: [0, 1] }), /several primary keys/]
  ])('%s', (_, change, message) => {
    const tables = version9.def.tables.map((table) => change(table)) as typeof version9.def.tables
    expect(() => schemaFromRaw({ version: 9, def: { ...version9.def, tables } }, 'module')).toThrow(message)
  })
})
