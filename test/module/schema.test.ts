import { beforeAll, describe, expect, test } from '@jest/globals'
import { describeModule } from '../../src/module/describe.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import { decodeRawModuleDef } from '../../src/module/raw-module-def.ts'
import type { Schema } from '../../src/module/schema.ts'
import { schemaFromRaw } from '../../src/module/schema-from-raw.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { fixtureModule, matrixModule, matrixNames, matrixSchema, recordings } from '../fixtures.ts'
import { comparable } from './comparable.ts'
import { definitionOf } from './definition-of.ts'

describe('a module described offline has the schema that a server says it has', () => {
  for (const version of [9, 10] as const) {
    test.each(matrixNames().map((name) => [name]))(`%s, by schema version ${version}`, (name) => {
      const described = schemaFromRaw(decodeRawModuleDef(definitionOf(matrixModule(name))).raw, 'module')
      expect(comparable(described, version)).toEqual(comparable(schemaFromJson(matrixSchema(name, version)), version))
    })
  }

  test.each([
    ['09-schema-9', 'counter.wasm', 9],
    ['10-schema-10', 'counter.wasm', 10],
    ['81-schema-rich-10', 'rich.wasm', 10]
  ] as const)('recording %s of %s', async (id, name, version) => {
    const answer = recordings().find((recording) => recording.id === id)?.response.body ?? ''
    const described = await describeModule(moduleFromBytes(fixtureModule(name)))
    expect(comparable(described, version)).toEqual(comparable(schemaFromJson(JSON.parse(answer)), version))
  })
})

describe('names that a server changes', () => {
  let schema: Schema

  beforeAll(async () => {
    schema = await describeModule(moduleFromBytes(fixtureModule('odd-names.wasm')))
  })

  test('of tables, unless they are given', () => {
    expect(schema.tables.map(({ name, accessor }) => [accessor, name]).sort()).toEqual([
      ['level2Data', 'level_2_data'],
      ['private_log', 'KeptAsIs2'],
      ['tick_timer', 'tick_timer']
    ])
  })

  test('of columns, indexes, constraints and sequences', () => {
    const table = schema.tables.find(({ accessor }) => accessor === 'level2Data')
    expect(table?.columns.map(({ name }) => name)).toEqual([
      'level_id',
      'some_url',
      'hp_2',
      'owner_id',
      'mood',
      'path',
      'blob_2_x',
      'took',
      'ratio',
      'is_live'
    ])
    expect(table?.primaryKey).toBe('level_id')
    expect(table?.indexes.map(({ name }) => name).sort()).toEqual([
      'level_2_data_level_id_idx_btree',
      'level_2_data_owner_id_hp_2_idx_btree',
      'level_2_data_some_url_idx_btree'
    ])
    expect(table?.uniqueConstraints.map(({ name }) => name).sort()).toEqual([
      'level_2_data_level_id_key',
      'level_2_data_some_url_key'
    ])
    expect(table?.sequences).toEqual([{ name: 'level_2_data_level_id_seq', column: 'level_id', increment: 1n }])
    expect(table?.columns.flatMap(({ name, defaultValue }) => (defaultValue ? [[name, defaultValue]] : []))).toEqual([
      ['ratio', '0000c03f'],
      ['is_live', '01']
    ])
  })

  test('of functions, but not of their parameters', () => {
    expect(schema.reducers.find(({ name }) => name === 'do_thing_2')?.parameters.map(({ name }) => name)).toEqual([
      'someArg',
      'moods'
    ])
    expect(schema.lifecycle).toEqual([{ event: 'client_connected', reducer: 'on_connect' }])
    expect(schema.tables.find(({ name }) => name === 'tick_timer')?.schedule).toEqual({
      name: 'tick_timer_sched',
      column: 'scheduled_at',
      functionName: 'on_tick_2'
    })
  })

  test('of types and their parts', () => {
    const typeNamed = (name: string) => schema.typespace[schema.types.find((type) => type.name === name)?.ref ?? -1]
    expect(schema.types.map(({ name }) => name).sort()).toEqual([
      'Dummy',
      'Level2Data',
      'Mood2',
      'Point3D',
      'TickTimer'
    ])
    expect(typeNamed('Mood2')).toMatchObject({
      variants: [{ name: 'happy' }, { name: 'veryHappy' }, { name: 'other' }]
    })
    expect(typeNamed('Point3D')).toMatchObject({ elements: [{ name: 'x_1' }, { name: 'y_pos' }] })
  })

  test('only the server calls lifecycle and scheduled functions', () => {
    expect(schema.reducers.map(({ name, visibility }) => [name, visibility]).sort()).toEqual([
      ['do_thing_2', 'client'],
      ['on_connect', 'private'],
      ['on_tick_2', 'private']
    ])
  })
})
