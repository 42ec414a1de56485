import type { RawModuleDefV9 } from '../../src/module/raw-module-def-v9.ts'
import type { RawModuleDefV10 } from '../../src/module/raw-module-def-v10.ts'
import type { LifecycleReducer, Schema, Table } from '../../src/module/schema.ts'
import { schemaJson } from '../../src/module/schema-json.ts'
import { HttpError } from './http-error.ts'
import { indexAliases, type Program } from './program.ts'
import { type Json, stringify } from './sats-json.ts'

/** The body of `GET …/schema?version=N`. */
export function schemaAnswer(program: Program, version: string | null): string {
  switch (version) {
    case '9':
      return stringify(schemaJson({ version: 9, def: version9(program.schema) }) as Json)
    case '10':
      return stringify(schemaJson({ version: 10, def: version10(program) }) as Json)
    case null:
      throw new HttpError(400, 'Failed to deserialize query string: missing field `version`')
    default:
      throw new HttpError(
        400,
        `Failed to deserialize query string: unknown variant \`${version}\`, expected \`9\` or \`10\``
      )
  }
}

function version9(schema: Schema): RawModuleDefV9 {
  const { typespace, tables, reducers, procedures, types } = schema
  return {
    typespace: { types: typespace },
    tables: tables.map((table) => ({
      name: table.name,
      product_type_ref: table.rowType,
      primary_key: primaryKeyOf(table),
      indexes: table.indexes.map((index) => ({
        name: index.name,
        accessor_name: index.accessor,
        algorithm: algorithmOf(table, index)
      })),
      constraints: table.uniqueConstraints.map(({ name, columns }) => ({ name, data: uniqueOf(table, columns) })),
      sequences: table.sequences.map((sequence) => ({ name: sequence.name, ...rangeOf(table, sequence) })),
      schedule: table.schedule && {
        name: table.schedule.name,
        reducer_name: table.schedule.functionName,
        scheduled_at_column: positionOf(table, table.schedule.column)
      },
      table_type: user,
      table_access: accessOf(table)
    })),
    reducers: reducers.map(({ name, parameters }) => ({
      name,
      params: { elements: parameters },
      lifecycle: lifecycleOf(schema.lifecycle.find(({ reducer }) => reducer === name)?.event)
    })),
    types: types.map(({ name, ref }) => ({ name: scoped(name), ty: ref, custom_ordering: true })),
    misc_exports: [
      ...tables.flatMap((table) =>
        defaultsOf(table).map((value) => ({
          kind: 'ColumnDefaultValue' as const,
          value: { table: table.name, ...value }
        }))
      ),
      ...procedures.map(({ name, parameters, returnType }) => ({
        kind: 'Procedure' as const,
        value: { name, params: { elements: parameters }, return_type: returnType }
      })),
      ...viewsOf(schema).map(({ name, ...rest }) => ({ kind: 'View' as const, value: { name, ...rest } }))
    ],
    row_level_security: schema.rowLevelSecurity.map((sql) => ({ sql }))
  }
}

function version10(program: Program): RawModuleDefV10 {
  const { schema } = program
  const sourceNames = new Map([...indexAliases(program)].map(([source, name]) => [name, source]))
  const { tables, reducers, procedures, views, httpRoutes } = schema
  const functionNames = functionSources(program)
  const sourceOf = (name: string) => functionNames.get(name) ?? name
  const sections: RawModuleDefV10['sections'] = [
    { kind: 'Typespace', value: { types: schema.typespace } },
    {
      kind: 'Types',
      value: schema.types.map(({ name, ref }) => {
        const { scope, name: source_name } = scoped(name)
        return { source_name: { scope, source_name }, ty: ref, custom_ordering: true }
      })
    },
    {
      kind: 'Tables',
      value: tables.map((table) => ({
        source_name: table.accessor ?? table.name,
        product_type_ref: table.rowType,
        primary_key: primaryKeyOf(table),
        indexes: table.indexes.map((index) => ({
          source_name: sourceNames.get(index.name) ?? index.name,
          accessor_name: index.accessor,
          algorithm: algorithmOf(table, index)
        })),
        constraints: table.uniqueConstraints.map(({ name, columns }) => ({
          source_name: name,
          data: uniqueOf(table, columns)
        })),
        sequences: table.sequences.map((sequence) => ({ source_name: sequence.name, ...rangeOf(table, sequence) })),
        table_type: user,
        table_access: accessOf(table),
        default_values: defaultsOf(table),
        is_event: table.isEvent
      }))
    },
    {
      kind: 'Reducers',
      value: reducers.map(({ name, parameters, visibility, okType, errorType }) => ({
        source_name: sourceOf(name),
        params: { elements: parameters },
        visibility: visibilityOf(visibility),
        ok_return_type: okType ?? { kind: 'product', elements: [] },
        err_return_type: errorType ?? { kind: 'string' }
      }))
    },
    {
      kind: 'Procedures',
      value: procedures.map(({ name, parameters, returnType, visibility }) => ({
        source_name: sourceOf(name),
        params: { elements: parameters },
        return_type: returnType,
        visibility: visibilityOf(visibility)
      }))
    },
    {
      kind: 'HttpHandlers',
      value: [...new Set(httpRoutes.map(({ handler }) => handler))].map((source_name) => ({ source_name }))
    },
    {
      kind: 'HttpRoutes',
      value: httpRoutes.map(({ handler, method, path }) => ({
        handler_function: handler,
        method: methodOf(method),
        path
      }))
    },
    { kind: 'Views', value: viewsOf(schema).map(({ name, ...rest }) => ({ source_name: sourceOf(name), ...rest })) },
    {
      kind: 'ViewPrimaryKeys',
      value: views.flatMap(({ name, primaryKey }) =>
        primaryKey === undefined ? [] : [{ view_source_name: name, columns: primaryKey }]
      )
    },
    {
      kind: 'Schedules',
      value: tables.flatMap((table) =>
        table.schedule === undefined
          ? []
          : [
              {
                source_name: table.schedule.name,
                table_name: table.name,
                schedule_at_col: positionOf(table, table.schedule.column),
                function_name: table.schedule.functionName
              }
            ]
      )
    },
    {
      kind: 'LifeCycleReducers',
      value: schema.lifecycle.map(({ event, reducer }) => ({
        lifecycle_spec: lifecycleOf(event),
        function_name: reducer
      }))
    },
    { kind: 'RowLevelSecurity', value: schema.rowLevelSecurity.map((sql) => ({ sql })) }
  ]
  const isAlways = (kind: string) => kind === 'Typespace'
  return {
    sections: [
      ...sections.filter(({ kind, value }) => isAlways(kind) || (Array.isArray(value) && value.length > 0)),
      {
        kind: 'ExplicitNames',
        value: {
          entries: [
            ...tables.map(({ name, accessor }) => ({
              kind: 'Table' as const,
              value: { source_name: accessor ?? name, canonical_name: name }
            })),
            ...[...reducers, ...procedures, ...views].map(({ name }) => ({
              kind: 'Function' as const,
              value: { source_name: sourceOf(name), canonical_name: name }
            }))
          ]
        }
      }
    ]
  }
}

/** What the module's own code calls its functions, by their names. */
function functionSources({ raw, schema }: Program): ReadonlyMap<string, string> {
  if (raw.version !== 10) return new Map()
  const lists = { Reducers: schema.reducers, Procedures: schema.procedures, Views: schema.views }
  return new Map(
    raw.def.sections.flatMap((section) => {
      if (section.kind !== 'Reducers' && section.kind !== 'Procedures' && section.kind !== 'Views') return []
      return section.value.map(
        ({ source_name: source }, i) => [lists[section.kind][i]?.name ?? source, source] as const
      )
    })
  )
}

const user = { kind: 'User', value: {} } as const

function positionOf(table: Table, column: string): number {
  return table.columns.findIndex(({ name }) => name === column)
}

function primaryKeyOf(table: Table): number[] {
  return table.primaryKey === undefined ? [] : [positionOf(table, table.primaryKey)]
}

function algorithmOf(table: Table, { algorithm, columns }: Table['indexes'][number]) {
  const positions = columns.map((column) => positionOf(table, column))
  if (algorithm === 'direct') return { kind: 'Direct' as const, value: positions[0] ?? 0 }
  return { kind: algorithm === 'btree' ? ('BTree' as const) : ('Hash' as const), value: positions }
}

function uniqueOf(table: Table, columns: readonly string[]) {
  return { kind: 'Unique' as const, value: { columns: columns.map((column) => positionOf(table, column)) } }
}

function rangeOf(table: Table, { column, start, minValue, maxValue, increment }: Table['sequences'][number]) {
  return { column: positionOf(table, column), start, min_value: minValue, max_value: maxValue, increment }
}

function defaultsOf(table: Table) {
  return table.columns.flatMap(({ defaultValue }, col_id) =>
    defaultValue === undefined ? [] : [{ col_id, value: new Uint8Array(Buffer.from(defaultValue, 'hex')) }]
  )
}

function accessOf({ access }: Table) {
  return { kind: access === 'public' ? ('Public' as const) : ('Private' as const), value: {} }
}

function visibilityOf(visibility: 'client' | 'private') {
  return { kind: visibility === 'client' ? ('ClientCallable' as const) : ('Private' as const), value: {} }
}

const lifecycleKinds = { init: 'Init', client_connected: 'OnConnect', client_disconnected: 'OnDisconnect' } as const

function lifecycleOf<Event extends LifecycleReducer['event'] | undefined>(event: Event) {
  return (event === undefined ? undefined : { kind: lifecycleKinds[event], value: {} }) as Event extends string
    ? { kind: (typeof lifecycleKinds)[Event]; value: Record<never, never> }
    : undefined
}

/** A view is called by its place among those that depend on their caller, or among those that don't. */
function viewsOf({ views }: Schema) {
  return views.map((view) => ({
    name: view.name,
    index: views.filter(({ isAnonymous }) => isAnonymous === view.isAnonymous).indexOf(view),
    is_public: view.isPublic,
    is_anonymous: view.isAnonymous,
    params: { elements: view.parameters },
    return_type: view.returnType
  }))
}

function methodOf(method: string) {
  if (method === 'ANY') return { kind: 'Any' as const, value: {} }
  const name = method.charAt(0) + method.slice(1).toLowerCase()
  return { kind: 'Method' as const, value: { kind: name as 'Get', value: {} } }
}

/** The scope and the last part of a type's name. */
function scoped(name: string): { scope: string[]; name: string } {
  const parts = name.split('.')
  return { scope: parts.slice(0, -1), name: parts.at(-1) ?? '' }
}
