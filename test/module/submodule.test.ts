import { describe, expect, test } from '@jest/globals'
import { decodeRawModuleDef, encodeRawModuleDef } from '../../src/module/raw-module-def.ts'
import type { RawModuleDefV10 } from '../../src/module/raw-module-def-v10.ts'
import { schemaFromRaw } from '../../src/module/schema-from-raw.ts'
import { schemaFromJson, schemaJson } from '../../src/module/schema-json.ts'
import { fixtureModule } from '../fixtures.ts'
import { definitionOf } from './definition-of.ts'

const definition = (name: string) => decodeRawModuleDef(definitionOf(fixtureModule(name))).raw.def as RawModuleDefV10

/** A module that mounts another, which mounts a third. */
const nested: RawModuleDefV10 = mounting(
  definition('counter.wasm'),
  'game',
  mounting(definition('rich.wasm'), 'logs', odd())
)

function mounting(root: RawModuleDefV10, namespace: string, module: RawModuleDefV10): RawModuleDefV10 {
  return { sections: [...root.sections, { kind: 'Submodules', value: [{ namespace, module }] }] }
}

/** Its names change, and it refers to its own types. */
function odd(): RawModuleDefV10 {
  return definition('odd-names.wasm')
}

describe('submodules', () => {
  const schema = schemaFromRaw({ version: 10, def: nested }, 'module')
  const alone = schemaFromRaw({ version: 10, def: odd() }, 'module')

  test('are read as they were written', () => {
    const raw = { version: 10, def: nested } as const
    expect(decodeRawModuleDef(encodeRawModuleDef(raw))).toEqual({ raw, unknownParts: [] })
    expect(schemaFromJson(schemaJson(raw))).toEqual(schemaFromRaw(raw, 'server'))
  })

  test('have names below their namespace, canonical as everywhere', () => {
    expect(schema.tables.map(({ name }) => name).sort()).toEqual([
      'counter',
      'game.logs.KeptAsIs2',
      'game.logs.level_2_data',
      'game.logs.tick_timer',
      'game.player',
      'game.secret',
      'game.tick'
    ])
    expect(schema.reducers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['increment_counter', 'game.seed', 'game.logs.do_thing_2'])
    )
    expect(schema.tables.find(({ name }) => name === 'game.logs.tick_timer')).toMatchObject({
      accessor: 'game.logs.tick_timer',
      schedule: { name: 'game.logs.tick_timer_sched', column: 'scheduled_at', functionName: 'game.logs.on_tick_2' },
      indexes: [{ name: 'game.logs.tick_timer_scheduled_id_idx_btree', columns: ['scheduled_id'] }]
    })
  })

  test('keep their types', () => {
    const mounted = schema.types.find(({ name }) => name === 'game.logs.Point3D')
    const own = alone.types.find(({ name }) => name === 'Point3D')
    expect(schema.typespace[mounted?.ref ?? -1]).toEqual(alone.typespace[own?.ref ?? -1])

    const table = schema.tables.find(({ name }) => name === 'game.logs.level_2_data')
    const path = table?.columns.find(({ name }) => name === 'path')
    expect(path?.type).toEqual({ kind: 'array', element: { kind: 'ref', ref: mounted?.ref } })
    expect(schema.typespace[table?.rowType ?? -1]).toMatchObject({
      elements: expect.arrayContaining([{ name: 'path', type: path?.type }])
    })

    const reducer = schema.reducers.find(({ name }) => name === 'game.logs.do_thing_2')
    expect(reducer?.parameters[0]?.type).toMatchObject({ variants: [{ type: { kind: 'ref', ref: mounted?.ref } }, {}] })
  })

  test('an unknown section of one is noted, and nothing after it can be read', () => {
    const marker = { kind: 'RowLevelSecurity', value: [{ sql: 'SELECT' }] } as const
    const unknown = { sections: [...odd().sections, marker] }
    const bytes = encodeRawModuleDef({ version: 10, def: mounting({ sections: [] }, 'newer', unknown) })
    bytes[bytes.length - 'SELECT'.length - 9] = 200 // the section's tag
    expect(decodeRawModuleDef(bytes)).toEqual({
      raw: { version: 10, def: mounting({ sections: [] }, 'newer', odd()) },
      unknownParts: ['section 200']
    })
  })
})
