import type { AlgebraicType } from './algebraic-type.ts'
import { type CasePolicy, canonicalName, canonicalType, canonicalTypeName, scheduleName } from './canonical-names.ts'
import type { RawModuleDefV10, RawSection } from './raw-module-def-v10.ts'
import { accessOf, eventOf, indexOf, primaryKeyOf, rowOf, sequenceOf, uniqueConstraintOf } from './raw-parts.ts'
import type { HttpRoute, LifecycleReducer, Reducer, Schedule, Schema, Table, View } from './schema.ts'
import { withSubmodule } from './submodule.ts'

/**
 * Whose words a raw definition is: a `module`'s own, whose names the server makes canonical, or the `server`'s, which
 * has done so.
 */
export type Author = 'module' | 'server'

/**
 * The schema that a definition of version 10 means, its submodules included. Throws an `Error` when it refers to what it
 * does not have.
 */
export function schemaFromV10(def: RawModuleDefV10, author: Author): Schema {
  return (sectionOf(def, 'Submodules') ?? []).reduce(
    (schema, { namespace, module }) => withSubmodule(schema, namespace, schemaFromV10(module, author)),
    ownSchemaFromV10(def, author)
  )
}

function ownSchemaFromV10(def: RawModuleDefV10, author: Author): Schema {
  const names = namesOf(def, author)
  const types = (sectionOf(def, 'Typespace')?.types ?? []).map((type) => canonicalType(type, names.policy))
  const sourceTypes = sectionOf(def, 'Typespace')?.types ?? []
  const lifecycle = (sectionOf(def, 'LifeCycleReducers') ?? []).map(
    ({ lifecycle_spec, function_name }): LifecycleReducer => ({
      event: eventOf(lifecycle_spec),
      reducer: names.functionMeant(function_name)
    })
  )
  const schedules = schedulesOf(def, names, types)
  const tables = tablesOf(def, names, types, schedules)
  const onlyCalledByServer = new Set([
    ...[...schedules.values()].map((schedule) => schedule.functionName),
    ...lifecycle.map(({ reducer }) => reducer)
  ])
  const visibilityOf = (name: string, given: { readonly kind: 'Private' | 'ClientCallable' }) =>
    given.kind === 'Private' || onlyCalledByServer.has(name) ? 'private' : 'client'
  return {
    typespace: types,
    types: (sectionOf(def, 'Types') ?? []).map(({ source_name: { scope, source_name }, ty }) => ({
      name: [...scope, source_name].map((part) => canonicalTypeName(part, names.policy)).join('.'),
      ref: ty
    })),
    tables,
    reducers: (sectionOf(def, 'Reducers') ?? []).map((reducer): Reducer => {
      const name = names.function(reducer.source_name)
      return {
        name,
        parameters: reducer.params.elements,
        visibility: visibilityOf(name, reducer.visibility),
        okType: reducer.ok_return_type,
        errorType: reducer.err_return_type
      }
    }),
    procedures: (sectionOf(def, 'Procedures') ?? []).map((procedure) => {
      const name = names.function(procedure.source_name)
      return {
        name,
        parameters: procedure.params.elements,
        returnType: procedure.return_type,
        visibility: visibilityOf(name, procedure.visibility)
      }
    }),
    views: viewsOf(def, names, types, sourceTypes, tables),
    httpRoutes: (sectionOf(def, 'HttpRoutes') ?? []).map(
      (route): HttpRoute => ({
        method: methodOf(route.method),
        path: route.path,
        handler: names.functionMeant(route.handler_function)
      })
    ),
    lifecycle,
    rowLevelSecurity: (sectionOf(def, 'RowLevelSecurity') ?? []).map(({ sql }) => sql),
    unknownParts: []
  }
}

/** The tables' schedules, by the canonical names of the tables. */
function schedulesOf(
  def: RawModuleDefV10,
  names: Names,
  types: readonly AlgebraicType[]
): ReadonlyMap<string, Schedule> {
  const tables = sectionOf(def, 'Tables') ?? []
  return new Map(
    (sectionOf(def, 'Schedules') ?? []).map((schedule) => {
      const name = names.tableMeant(schedule.table_name)
      const table = tables.find(({ source_name }) => names.table(source_name) === name)
      if (table === undefined) throw new Error(`a schedule is for the table ${name}, which does not exist`)
      const row = rowOf(types, table.product_type_ref, name)
      const functionName = names.functionMeant(schedule.function_name)
      return [name, { name: scheduleName(name), column: row.column(schedule.schedule_at_col), functionName }]
    })
  )
}

function tablesOf(
  def: RawModuleDefV10,
  names: Names,
  types: readonly AlgebraicType[],
  schedules: ReadonlyMap<string, Schedule>
): Table[] {
  return (sectionOf(def, 'Tables') ?? []).map((table) => {
    const name = names.table(table.source_name)
    const row = rowOf(types, table.product_type_ref, name)
    const schedule = schedules.get(name)
    return {
      name,
      accessor: table.source_name,
      columns: row.columns(table.default_values),
      rowType: table.product_type_ref,
      ...primaryKeyOf(row, table.primary_key),
      uniqueConstraints: table.constraints.map(({ source_name, data }) =>
        uniqueConstraintOf(row, data, names.isCanonical ? source_name : undefined)
      ),
      indexes: table.indexes.map((index) =>
        indexOf(row, index.algorithm, names.index(index.source_name), index.accessor_name)
      ),
      sequences: table.sequences.map((sequence) => sequenceOf(row, sequence, sequence.source_name)),
      ...(schedule === undefined ? {} : { schedule }),
      access: accessOf(table.table_access),
      isEvent: table.is_event
    }
  })
}

function viewsOf(
  def: RawModuleDefV10,
  names: Names,
  types: readonly AlgebraicType[],
  sourceTypes: readonly AlgebraicType[],
  tables: readonly Table[]
): View[] {
  const declared = new Map(
    (sectionOf(def, 'ViewPrimaryKeys') ?? []).map(({ view_source_name, columns }) => [view_source_name, columns])
  )
  return (sectionOf(def, 'Views') ?? []).map((view) => {
    const name = names.function(view.source_name)
    const rows = rowTypeOfView(view.return_type)
    const primaryKey =
      declared.get(view.source_name)?.map((column) => {
        const position = fieldNames(sourceTypes[rows?.ref ?? -1]).indexOf(column)
        const canonical = fieldNames(types[rows?.ref ?? -1])[position]
        if (canonical === undefined) throw new Error(`the view ${name} has no column ${column} for its primary key`)
        return canonical
      }) ?? (rows?.isQuery ? primaryKeyOfRows(tables, rows.ref) : undefined)
    return {
      name,
      parameters: view.params.elements,
      returnType: view.return_type,
      isPublic: view.is_public,
      isAnonymous: view.is_anonymous,
      ...(primaryKey === undefined || primaryKey.length === 0 ? {} : { primaryKey })
    }
  })
}

/** A view returns an option or a list of rows, or a query for them: crates/lib/src/db/view.rs. */
function rowTypeOfView(type: AlgebraicType): { ref: number; isQuery: boolean } | undefined {
  const query = type.kind === 'product' && type.elements.length === 1 ? type.elements[0] : undefined
  if (query?.name === '__query__' && query.type.kind === 'ref') return { ref: query.type.ref, isQuery: true }
  const rows = type.kind === 'array' ? type.element : type.kind === 'sum' ? type.variants[0]?.type : undefined
  return rows?.kind === 'ref' ? { ref: rows.ref, isQuery: false } : undefined
}

/** What a query's rows are known by: the primary key of the tables with such rows, unless they differ. */
function primaryKeyOfRows(tables: readonly Table[], rowType: number): string[] | undefined {
  const keys = new Set(tables.flatMap((table) => (table.rowType === rowType ? (table.primaryKey ?? []) : [])))
  return keys.size === 1 ? [...keys] : undefined
}

type Names = {
  readonly policy: CasePolicy
  readonly isCanonical: boolean
  /** Canonical names of declared things. */
  table(source: string): string
  function(source: string): string
  /** `undefined` where the server generates the name. */
  index(source: string | undefined): string | undefined
  /** Canonical names of things that are referred to: a server does so by canonical names already. */
  tableMeant(name: string): string
  functionMeant(name: string): string
}

function namesOf(def: RawModuleDefV10, author: Author): Names {
  const isCanonical = author === 'server'
  const policy =
    isCanonical || sectionOf(def, 'CaseConversionPolicy')?.kind === 'None' ? ('none' as const) : ('snake-case' as const)
  const explicit = {
    Table: new Map<string, string>(),
    Function: new Map<string, string>(),
    Index: new Map<string, string>()
  }
  for (const { kind, value } of sectionOf(def, 'ExplicitNames')?.entries ?? []) {
    explicit[kind].set(value.source_name, value.canonical_name)
  }
  const table = (source: string) => explicit.Table.get(source) ?? canonicalName(source, policy)
  const functionNamed = (source: string) => explicit.Function.get(source) ?? canonicalName(source, policy)
  return {
    policy,
    isCanonical,
    table,
    function: functionNamed,
    index: (source) => (source === undefined ? undefined : explicit.Index.get(source)),
    tableMeant: isCanonical ? (name) => name : table,
    functionMeant: isCanonical ? (name) => name : functionNamed
  }
}

function sectionOf<Kind extends RawSection['kind']>(
  def: RawModuleDefV10,
  kind: Kind
): Extract<RawSection, { readonly kind: Kind }>['value'] | undefined {
  return def.sections.find((section) => section.kind === kind)?.value as never
}

function fieldNames(type: AlgebraicType | undefined): readonly (string | undefined)[] {
  return type?.kind === 'product' ? type.elements.map(({ name }) => name) : []
}

type RawRoute = Extract<RawSection, { readonly kind: 'HttpRoutes' }>['value'][number]

function methodOf(method: RawRoute['method']): string {
  if (method.kind === 'Any') return 'ANY'
  return method.value.kind === 'Extension' ? method.value.value : method.value.kind.toUpperCase()
}
