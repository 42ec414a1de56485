import fc from 'fast-check'
import { type AlgebraicType, primitiveKinds } from '../../src/module/algebraic-type.ts'
import type { Column, Schema, Table } from '../../src/module/schema.ts'

/** Few names, so that two schemas have some things in common; some that Markdown could trip over. */
const name = fc.constantFrom('a', 'b', 'c', 'odd|name', '<b>`@x`</b>')

const refs = 4

const { type, composite } = fc.letrec<{ type: AlgebraicType; composite: AlgebraicType }>((tie) => {
  const parts = fc.array(fc.record({ name, type: tie('type') }), { maxLength: 3 })
  return {
    type: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...primitiveKinds).map((kind) => ({ kind })),
      fc.nat(refs - 1).map((ref) => ({ kind: 'ref' as const, ref })),
      tie('composite')
    ),
    composite: fc.oneof(
      { depthSize: 'small' },
      parts.map((elements) => ({ kind: 'product' as const, elements })),
      parts.map((variants) => ({ kind: 'sum' as const, variants })),
      tie('type').map((element) => ({ kind: 'array' as const, element }))
    )
  }
})

/** Of each name at most one. */
function list<Item>(item: fc.Arbitrary<Item>, key: (item: Item) => string): fc.Arbitrary<Item[]> {
  return fc.uniqueArray(item, { selector: key, maxLength: 4 })
}

function optional<Key extends string, Value>(key: Key, value: fc.Arbitrary<Value>) {
  return fc.option(value, { nil: undefined }).map((value) => {
    return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value }
  })
}

const column: fc.Arbitrary<Column> = fc
  .tuple(fc.record({ name, type }), optional('defaultValue', fc.constantFrom('00', '01')))
  .map(([column, defaultValue]) => ({ ...column, ...defaultValue }))

const table: fc.Arbitrary<Table> = fc
  .record({ name, columns: fc.uniqueArray(column, { selector: byName, minLength: 1, maxLength: 4 }) })
  .chain(({ name, columns }) => {
    const of = fc.constantFrom(...columns.map(byName))
    const some = fc.uniqueArray(of, { minLength: 1 })
    return fc
      .tuple(
        fc.record({
          name: fc.constant(name),
          columns: fc.constant(columns),
          rowType: fc.nat(refs - 1),
          uniqueConstraints: list(fc.record({ name: word('key'), columns: some }), byName),
          indexes: list(fc.tuple(indexBase(some), optional('accessor', word('by'))).map(merge), byName),
          sequences: list(fc.record({ name: word('seq'), column: of, increment: fc.bigInt(1n, 2n) }), byName),
          access: fc.constantFrom('public' as const, 'private' as const),
          isEvent: fc.boolean()
        }),
        optional('accessor', word('table')),
        optional('primaryKey', of),
        optional('schedule', fc.record({ name: word('sched'), column: of, functionName: word('run') }))
      )
      .map((parts) => Object.assign({}, ...parts))
  })

function indexBase(some: fc.Arbitrary<string[]>) {
  return fc.record({
    name: word('index'),
    algorithm: fc.constantFrom('btree' as const, 'hash' as const),
    columns: some
  })
}

function word(start: string): fc.Arbitrary<string> {
  return fc.constantFrom(`${start}_1`, `${start}_2`, `${start}_3`)
}

function merge<One, Other>([one, other]: [One, Other]): One & Other {
  return { ...one, ...other }
}

function byName(item: { readonly name: string }): string {
  return item.name
}

const parameters = fc.array(fc.record({ name, type }), { maxLength: 3 })
const visibility = fc.constantFrom('client' as const, 'private' as const)

/** Any schema, also such as no module has: types may be recursive, and functions missing that schedules call. */
export const arbitrarySchema: fc.Arbitrary<Schema> = fc.record({
  typespace: fc.array(composite, { minLength: refs, maxLength: refs }),
  types: list(fc.record({ name: word('Type'), ref: fc.nat(refs - 1) }), byName),
  tables: list(table, byName),
  reducers: list(fc.record({ name: word('run'), parameters, visibility }), byName),
  procedures: list(fc.record({ name: word('proc'), parameters, visibility, returnType: type }), byName),
  views: list(
    fc.record({ name: word('view'), parameters, returnType: type, isPublic: fc.boolean(), isAnonymous: fc.boolean() }),
    byName
  ),
  httpRoutes: list(
    fc.record({ method: fc.constantFrom('GET', 'POST'), path: word('/path'), handler: word('handler') }),
    ({ method, path }) => method + path
  ),
  lifecycle: list(
    fc.record({
      event: fc.constantFrom('init' as const, 'client_connected' as const, 'client_disconnected' as const),
      reducer: word('run')
    }),
    ({ event }) => event
  ),
  rowLevelSecurity: fc.uniqueArray(word('SELECT')),
  unknownParts: fc.constant([])
})
