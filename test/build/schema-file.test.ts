import { describe, expect, test } from '@jest/globals'
import { formatSchema } from '../../src/build/schema-file.ts'
import { describeModule } from '../../src/module/describe.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import type { Schema } from '../../src/module/schema.ts'
import { fixtureModule } from '../fixtures.ts'

const schemaOf = (name: string) => describeModule(moduleFromBytes(fixtureModule(name)))

const reversed = <T>(list: readonly T[]): T[] => [...list].reverse()

/** The same schema: the order of these lists means nothing. */
function shuffled(schema: Schema): Schema {
  return {
    ...schema,
    tables: reversed(schema.tables).map((table) => ({ ...table, indexes: reversed(table.indexes) })),
    reducers: reversed(schema.reducers),
    views: reversed(schema.views),
    types: reversed(schema.types),
    lifecycle: reversed(schema.lifecycle)
  }
}

describe.each(['counter.wasm', 'rich.wasm', 'odd-names.wasm'])('the schema of %s', (name) => {
  test('is the same text whatever the order in which it was declared', async () => {
    const schema = await schemaOf(name)
    expect(formatSchema(shuffled(schema))).toBe(formatSchema(schema))
  })

  test('is JSON with all that the module declares', async () => {
    const schema = await schemaOf(name)
    const json = JSON.parse(formatSchema(schema))
    expect(json.format).toBe(1)
    for (const part of ['tables', 'reducers', 'views', 'procedures', 'types', 'lifecycle'] as const) {
      expect(json[part]).toHaveLength(schema[part].length)
    }
    for (const table of schema.tables) {
      const found = json.tables.find((each: { name: string }) => each.name === table.name)
      expect(found.columns.map((column: { name: string }) => column.name)).toEqual(
        table.columns.map((each) => each.name)
      )
    }
  })
})

test('integers that no double holds are texts', async () => {
  const schema = await schemaOf('counter.wasm')
  const [table] = schema.tables
  if (!table) throw new Error('counter has no table')
  const sequence = { name: 's', column: table.columns[0]?.name ?? '', increment: 1n, maxValue: 2n ** 127n - 1n }
  const json = JSON.parse(formatSchema({ ...schema, tables: [{ ...table, sequences: [sequence] }] }))
  expect(json.tables[0].sequences).toEqual([{ ...sequence, increment: '1', maxValue: `${2n ** 127n - 1n}` }])
})
