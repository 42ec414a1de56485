import { describe, expect, test } from '@jest/globals'
import { checkConditions, unmetTexts } from '../../src/migration/check-conditions.ts'
import { diffSchemas, verdictOf } from '../../src/migration/diff.ts'
import { judge } from '../../src/migration/judgement.ts'
import type { Condition } from '../../src/migration/verdict.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { type MatrixCase, matrixCases, matrixModule, matrixSchema } from '../fixtures.ts'
import { prepareWorld } from '../server/world.ts'

const world = prepareWorld()

const conditional = matrixCases().filter((item) => item.withRows && item.conditional)

function conditionsOf({ from, to }: MatrixCase) {
  const changes = diffSchemas(schemaFromJson(matrixSchema(from, 10)), schemaFromJson(matrixSchema(to, 10)))
  return { isPossible: verdictOf(changes) !== 'manual', conditions: judge(changes).conditions }
}

describe('conditions, asked of a database', () => {
  test.each(conditional.map((item) => [`${item.id} ${item.direction}, rows: ${item.rows}`, item] as const))(
    '%s: are met just if the server then carries the migration out',
    async (_, item) => {
      const { isPossible, conditions } = conditionsOf(item)
      const database = await world.create(moduleFromBytes(matrixModule(item.from)))
      for (let n = 1; n <= item.rows; n++) {
        expect(await world.owner.client.call(database, 'fill', [n])).toMatchObject({ kind: 'ok' })
      }
      const checked = await checkConditions(world.owner.client, database, conditions)
      expect(checked.map(({ state }) => state)).not.toContain('unknown')
      expect(isPossible && checked.every(({ state }) => state === 'met')).toBe(item.applies)
      expect(unmetTexts(checked)).toHaveLength(checked.filter(({ state }) => state === 'unmet').length)
    }
  )

  test.each<[string, Condition]>([
    ['a table that is not there', { kind: 'table-empty', table: 'nope' }],
    ['a name that is no name', { kind: 'table-empty', table: 'a"; DELETE FROM counter; --' }],
    ['a column that is not there', { kind: 'values-distinct', table: 'counter', columns: ['nope'] }]
  ])('%s: nothing is known, and nothing is changed', async (_, condition) => {
    const database = await world.shared('counter')
    const [checked] = await checkConditions(world.owner.client, database, [condition])
    expect(checked).toMatchObject({ condition, state: 'unknown' })
    expect(await world.owner.client.sql(database, 'SELECT COUNT(*) AS n FROM counter')).toMatchObject({ rows: [[1]] })
  })

  test("a private table is the owner's to ask", async () => {
    const database = await world.shared('rich')
    const condition = { kind: 'table-empty', table: 'secret' } as const
    expect(await checkConditions(world.owner.client, database, [condition])).toMatchObject([{ state: 'met' }])
    expect(await checkConditions(world.other.client, database, [condition])).toMatchObject([{ state: 'unknown' }])
  })

  test('values are compared whole: columns together, and integers that no double can hold', async () => {
    const database = await world.create('counter')
    const insert = async (id: number, value: string) =>
      world.owner.client.sql(database, `INSERT INTO counter (id, value) VALUES (${id}, ${value})`)
    await insert(101, '9007199254740993')
    await insert(102, '9007199254740992')
    const distinct = { kind: 'values-distinct', table: 'counter', columns: ['value'] } as const
    expect(await checkConditions(world.owner.client, database, [distinct])).toMatchObject([{ state: 'met' }])
    await insert(103, '9007199254740992')
    const both = { ...distinct, columns: ['id', 'value'] }
    expect(await checkConditions(world.owner.client, database, [distinct, both])).toMatchObject([
      { state: 'unmet', detail: '1 of 4 rows repeat the values of another' },
      { state: 'met' }
    ])
  })
})
