import { array, bool, bytes, extensible, option, product, string, u16, u32, type ValueOf } from './codec.ts'
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

/** Version 9, of the 1.x bindings: crates/lib/src/db/raw_def/v9.rs of https://github.com/clockworklabs/SpacetimeDB. */
export type RawModuleDefV9 = ValueOf<typeof rawModuleDefV9>

const index = product({ name: option(string), accessor_name: option(string), algorithm: indexAlgorithm })

const constraint = product({ name: option(string), data: constraintData })

const sequence = product({ name: option(string), ...sequenceRange })

const schedule = product({ name: option(string), reducer_name: string, scheduled_at_column: u16 })

const table = product({
  name: string,
  product_type_ref: u32,
  primary_key: primaryKey,
  indexes: array(index),
  constraints: array(constraint),
  sequences: array(sequence),
  schedule: option(schedule),
  table_type: tableType,
  table_access: tableAccess
})

const reducer = product({ name: string, params: productType, lifecycle: option(lifecycle) })

const type = product({
  name: product({ scope: array(string), name: string }),
  ty: u32,
  custom_ordering: bool
})

const columnDefault = product({ table: string, col_id: u16, value: bytes })

const procedure = product({ name: string, params: productType, return_type: algebraicType })

const view = product({
  name: string,
  index: u32,
  is_public: bool,
  is_anonymous: bool,
  params: productType,
  return_type: algebraicType
})

export const rawModuleDefV9 = product({
  typespace,
  tables: array(table),
  reducers: array(reducer),
  types: array(type),
  misc_exports: extensible('misc export', { ColumnDefaultValue: columnDefault, Procedure: procedure, View: view }),
  row_level_security: array(rowLevelSecurity)
})
