import {
  array,
  bool,
  bytes,
  type Codec,
  extensible,
  option,
  product,
  recursive,
  string,
  sum,
  u16,
  u32,
  type ValueOf
} from './codec.ts'
import {
  algebraicType,
  constraintData,
  indexAlgorithm,
  lifecycle,
  primaryKey,
  productType,
  rowLevelSecurity,
  sequenceRange,
  tableAccess,
  tableType,
  typespace
} from './raw-types.ts'

/**
 * Version 10, of the 2.x bindings: sections, each at most once. crates/lib/src/db/raw_def/v10.rs of
 * https://github.com/clockworklabs/SpacetimeDB.
 */
export type RawModuleDefV10 = { readonly sections: readonly RawSection[] }

export type RawSection =
  | ValueOf<typeof ownSection>
  | { readonly kind: 'Submodules'; readonly value: readonly RawSubmodule[] }

/** What another module contributes, under a namespace. */
export type RawSubmodule = { readonly namespace: string; readonly module: RawModuleDefV10 }

const unit = product({})

const index = product({ source_name: option(string), accessor_name: option(string), algorithm: indexAlgorithm })

const constraint = product({ source_name: option(string), data: constraintData })

const sequence = product({ source_name: option(string), ...sequenceRange })

const table = product({
  source_name: string,
  product_type_ref: u32,
  primary_key: primaryKey,
  indexes: array(index),
  constraints: array(constraint),
  sequences: array(sequence),
  table_type: tableType,
  table_access: tableAccess,
  default_values: array(product({ col_id: u16, value: bytes })),
  is_event: bool
})

const visibility = sum({ Private: unit, ClientCallable: unit })

const reducer = product({
  source_name: string,
  params: productType,
  visibility,
  ok_return_type: algebraicType,
  err_return_type: algebraicType
})

const procedure = product({ source_name: string, params: productType, return_type: algebraicType, visibility })

const view = product({
  source_name: string,
  index: u32,
  is_public: bool,
  is_anonymous: bool,
  params: productType,
  return_type: algebraicType
})

const schedule = product({
  source_name: option(string),
  table_name: string,
  schedule_at_col: u16,
  function_name: string
})

const type = product({
  source_name: product({ scope: array(string), source_name: string }),
  ty: u32,
  custom_ordering: bool
})

const nameMapping = product({ source_name: string, canonical_name: string })

const explicitNames = product({
  entries: array(sum({ Table: nameMapping, Function: nameMapping, Index: nameMapping }))
})

/** A method of HTTP, as crates/lib/src/http.rs of https://github.com/clockworklabs/SpacetimeDB has it. */
export const httpMethod = sum({
  Get: unit,
  Head: unit,
  Post: unit,
  Put: unit,
  Delete: unit,
  Connect: unit,
  Options: unit,
  Trace: unit,
  Patch: unit,
  Extension: string
})

const httpRoute = product({
  handler_function: string,
  method: sum({ Any: unit, Method: httpMethod }),
  path: string
})

const ownVariants = {
  Typespace: typespace,
  Types: array(type),
  Tables: array(table),
  Reducers: array(reducer),
  Procedures: array(procedure),
  Views: array(view),
  Schedules: array(schedule),
  LifeCycleReducers: array(product({ lifecycle_spec: lifecycle, function_name: string })),
  RowLevelSecurity: array(rowLevelSecurity),
  CaseConversionPolicy: sum({ None: unit, SnakeCase: unit }),
  ExplicitNames: explicitNames,
  HttpHandlers: array(product({ source_name: string })),
  HttpRoutes: array(httpRoute),
  ViewPrimaryKeys: array(product({ view_source_name: string, columns: array(string) }))
}

const ownSection = sum(ownVariants)

const submodule: Codec<RawSubmodule> = product({ namespace: string, module: recursive(() => rawModuleDefV10) })

export const rawModuleDefV10: Codec<RawModuleDefV10> = product({
  sections: extensible('section', { ...ownVariants, Submodules: array(submodule) })
})
