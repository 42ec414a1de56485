import { describe, expect, test } from '@jest/globals'
import { diffSchemas, verdictOf } from '../../src/migration/diff.ts'
import { judgeWayBack } from '../../src/migration/way-back.ts'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { Reducer, Schema, Table } from '../../src/module/schema.ts'
import { largeSchema } from './large-schema.ts'

const base = largeSchema({ tables: 1, reducers: 1, columnsPerTable: 4 })
const [table] = base.tables as [Table]
const [reducer] = base.reducers as [Reducer]
const unit: AlgebraicType = { kind: 'product', elements: [] }

function withTable(changed: Partial<Table>, more: Partial<Schema> = {}): Schema {
  return { ...base, tables: [{ ...table, ...changed }], ...more }
}

function withReducer(changed: Partial<Reducer>): Schema {
  return { ...base, reducers: [{ ...reducer, ...changed }] }
}

function summary(before: Schema, after: Schema): readonly string[] {
  return diffSchemas(before, after).map(({ kind, verdict, atServer }) => `${kind} ${verdict} ${atServer}`)
}

/** What no module of the matrix is about. */
describe('the difference of', () => {
  test.each<readonly [string, Schema, Schema, readonly string[]]>([
    [
      'a reducer that becomes private',
      base,
      withReducer({ visibility: 'private' }),
      ['reducer-visibility-changed breaks-clients ignored']
    ],
    [
      'a private reducer that goes',
      withReducer({ visibility: 'private' }),
      { ...base, reducers: [] },
      ['reducer-removed compatible ignored']
    ],
    [
      'a reducer that takes one variant more',
      withReducer({ parameters: [{ type: variants('a') }] }),
      withReducer({ parameters: [{ type: variants('a', 'b') }] }),
      ['reducer-parameters-changed compatible ignored']
    ],
    [
      'a reducer that takes one variant less',
      withReducer({ parameters: [{ type: variants('a', 'b') }] }),
      withReducer({ parameters: [{ type: variants('a') }] }),
      ['reducer-parameters-changed breaks-clients ignored']
    ],
    [
      'a reducer of which the lifecycle takes possession',
      base,
      { ...base, lifecycle: [{ event: 'init', reducer: reducer.name }] },
      ['reducer-removed breaks-clients ignored', 'lifecycle-added compatible ignored']
    ],
    [
      'a variant more in a private table',
      withColumn(variants('a'), 'private'),
      withColumn(variants('a', 'b'), 'private'),
      ['column-type-changed compatible planned']
    ],
    [
      'a variant without fixed size in rows that had one',
      withColumn(sized('u64')),
      withColumn(sized('u64', 'string')),
      ['column-type-changed manual fails']
    ],
    [
      'a variant without fixed size in rows that had none',
      withColumn(sized('u64'), 'public', { kind: 'string' }),
      withColumn(sized('u64', 'string'), 'public', { kind: 'string' }),
      ['column-type-changed breaks-clients planned']
    ],
    [
      'an event table that becomes an ordinary one',
      withTable({ isEvent: true }),
      base,
      ['table-event-changed manual refused']
    ],
    [
      'a view that becomes private',
      { ...base, views: [view(true)] },
      { ...base, views: [view(false)] },
      ['view-access-changed breaks-clients planned']
    ],
    [
      'a sequence that starts elsewhere',
      base,
      withTable({ sequences: table.sequences.map((sequence) => ({ ...sequence, start: 100n })) }),
      ['sequence-changed compatible planned']
    ],
    [
      'parts that are not known',
      { ...base, unknownParts: ['section 99'] },
      { ...base, unknownParts: ['section 99'] },
      ['unknown-parts breaks-clients ignored']
    ]
  ])('%s', (_name, before, after, expected) => {
    expect(summary(before, after)).toEqual(expected)
  })

  test.each([
    ['SELECT * FROM table_0', true],
    ['select "t".* from "table_0" AS "t" where t.id = 1', true],
    ['SELECT o.* FROM other o JOIN table_0 ON o.id = table_0.id', false],
    ['SELECT table_0.* FROM other JOIN table_0 ON other.id = table_0.id', true]
  ])('a table that becomes public and has the rule %s', (rule, isRefused) => {
    const next = withTable({ access: 'public' }, { rowLevelSecurity: [rule] })
    const verdict = verdictOf(diffSchemas(withTable({ access: 'private' }), next))
    expect(verdict).toBe(isRefused ? 'manual' : 'breaks-clients')
  })

  test('an event table in which a column moves before a unique one can not be changed', () => {
    const columns = [...table.columns].reverse()
    expect(verdictOf(diffSchemas(withTable({ isEvent: true }), withTable({ isEvent: true, columns })))).toBe('manual')
  })

  test('a unique constraint on columns of which some are unique already asks nothing of the data', () => {
    const wider = { name: 'wider', columns: ['id', 'spot'] }
    const changes = diffSchemas(base, withTable({ uniqueConstraints: [...table.uniqueConstraints, wider] }))
    expect(changes.flatMap((change) => change.conditions)).toEqual([])
  })

  test('a unique column that is new asks for at most one row', () => {
    const column = { name: 'code', type: { kind: 'u32' }, defaultValue: '00000000' } as const
    const unique = { name: 'code_key', columns: ['code'] }
    const next = withTable({
      columns: [...table.columns, column],
      uniqueConstraints: [...table.uniqueConstraints, unique]
    })
    expect(diffSchemas(base, next).flatMap((change) => change.conditions)).toEqual([
      { kind: 'at-most-one-row', table: table.name }
    ])
  })

  test('a new column that numbers itself is refused, since a server with rows in the table crashes', () => {
    const column = { name: 'code', type: { kind: 'u32' }, defaultValue: '00000000' } as const
    const sequence = { name: 'code_seq', column: 'code', increment: 1n }
    const next = { columns: [...table.columns, column], sequences: [...table.sequences, sequence] }
    expect(verdictOf(diffSchemas(base, withTable(next)))).toBe('manual')
    const asEvents = diffSchemas(withTable({ isEvent: true }), withTable({ ...next, isEvent: true }))
    expect(verdictOf(asEvents)).toBe('breaks-clients')
  })

  test('a sequence asks for the range that it counts in', () => {
    const sequences = [{ name: 's', column: 'id', increment: 1n, minValue: 5n, maxValue: 2n ** 70n }]
    const changes = diffSchemas(withTable({ sequences: [] }), withTable({ sequences }))
    expect(changes.flatMap((change) => change.conditions)).toEqual([
      { kind: 'sequence-range-free', table: table.name, column: 'id', from: '5', to: String(2n ** 70n) }
    ])
  })
})

test('an id is that of the very change', () => {
  const ids = (kind: 'i8' | 'i16') => {
    const parameters = [{ name: 'count', type: { kind } as const }]
    return diffSchemas(base, withReducer({ parameters })).map((change) => change.id)
  }
  expect(ids('i8')).toEqual(ids('i8'))
  expect(ids('i8')).not.toEqual(ids('i16'))
})

test('there is no way back known when parts of the new module are not', () => {
  const { reversible, blockers } = judgeWayBack(base, { ...base, unknownParts: ['section 99'] })
  expect(reversible).toBe('no')
  expect(blockers).toHaveLength(1)
})

function variants(...names: readonly string[]): AlgebraicType {
  return { kind: 'sum', variants: names.map((name) => ({ name, type: unit })) }
}

function sized(...kinds: readonly ('u64' | 'string')[]): AlgebraicType {
  return { kind: 'sum', variants: kinds.map((kind) => ({ name: kind, type: { kind } })) }
}

function withColumn(type: AlgebraicType, access: Table['access'] = 'public', beside?: AlgebraicType): Schema {
  const columns = [{ name: 'a', type }, ...(beside ? [{ name: 'b', type: beside }] : [])]
  const bare = { name: 'bare', rowType: 0, uniqueConstraints: [], indexes: [], sequences: [], isEvent: false }
  return { ...base, tables: [{ ...bare, columns, access }] }
}

function view(isPublic: boolean) {
  const returnType = { kind: 'array', element: { kind: 'ref', ref: 0 } } as const
  return { name: 'some', parameters: [], returnType, isPublic, isAnonymous: true }
}
