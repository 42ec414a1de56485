import { expect, test } from '@jest/globals'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { compareRows } from '../../src/smoke/comparison.ts'
import { declaredTables, shapeOf } from '../../src/smoke/table-shapes.ts'
import { matrixSchema } from '../fixtures.ts'

const schema = schemaFromJson(matrixSchema('base', 10))

const columnsOf = (table: string) => shapeOf(table, [], schema).columns.map(({ name }) => name)

test('tables and views that queries name', () => {
  expect(declaredTables(['SELECT * FROM novices'], schema)).toEqual(['novices'])
  expect(declaredTables(['SELECT item.* FROM item JOIN player ON item.owner = player.id'], schema).toSorted()).toEqual([
    'item',
    'player'
  ])
  expect(declaredTables(['SELECT * FROM players'], schema)).toEqual([])
})

test('columns of a table, of a view of rows, and of a view that may have one', () => {
  expect(columnsOf('stall')).toEqual(['id', 'title', 'stock', 'rent'])
  expect(columnsOf('novices')).toEqual(['id', 'name', 'level', 'guild'])
  expect(columnsOf('my_purse')).toEqual(['gold'])
})

test('what the module does not declare has the columns of its first row', () => {
  const shape = shapeOf('st_client', [{ identity: 'x', id: 5 }], schema)
  expect(shape.columns).toEqual([
    { name: 'identity', type: undefined },
    { name: 'id', type: undefined }
  ])
  expect(shapeOf('st_client', [], schema).columns).toEqual([])
})

test('values have the names that their types give them', () => {
  const shape = shapeOf('item', [], schema)
  const values = { rarity: [2, []], effect: [2, 3], runes: [[0, []]], spot: [3, 4] }
  const some = {
    rarity: 'epic',
    effect: '(shield = 3)',
    runes: '[(fire = ())]',
    spot: '(x = 3, y = 4)'
  }
  expect(compareRows({ some }, { shapes: [shape], rows: [{ shape, values }] })).toEqual({ kind: 'holds' })
})
