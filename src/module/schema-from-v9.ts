import { scheduleName } from './canonical-names.ts'
import type { RawModuleDefV9 } from './raw-module-def-v9.ts'
import { accessOf, eventOf, indexOf, primaryKeyOf, rowOf, sequenceOf, uniqueConstraintOf } from './raw-parts.ts'
import type { Schema } from './schema.ts'

/**
 * The schema that a definition of version 9 means, which leaves names as they are. Throws an `Error` when it refers to what
 * it does not have.
 */
export function schemaFromV9(def: RawModuleDefV9): Schema {
  const types = def.typespace.types
  const exportsOf = <Kind extends RawExport['kind']>(kind: Kind) =>
    def.misc_exports.flatMap((each) => (each.kind === kind ? [each.value as ExportOf<Kind>] : []))
  const lifecycle = def.reducers.flatMap(({ name, lifecycle }) =>
    lifecycle === undefined ? [] : [{ event: eventOf(lifecycle), reducer: name }]
  )
  return {
    typespace: types,
    types: def.types.map(({ name, ty }) => ({ name: [...name.scope, name.name].join('.'), ref: ty })),
    tables: def.tables.map((table) => {
      const row = rowOf(types, table.product_type_ref, table.name)
      const defaults = exportsOf('ColumnDefaultValue').filter((given) => given.table === table.name)
      return {
        name: table.name,
        columns: row.columns(defaults),
        rowType: table.product_type_ref,
        ...primaryKeyOf(row, table.primary_key),
        uniqueConstraints: table.constraints.map(({ name, data }) => uniqueConstraintOf(row, data, name)),
        indexes: table.indexes.map((index) => indexOf(row, index.algorithm, index.name, index.accessor_name)),
        sequences: table.sequences.map((sequence) => sequenceOf(row, sequence, sequence.name)),
        ...(table.schedule === undefined
          ? {}
          : {
              schedule: {
                name: table.schedule.name ?? scheduleName(table.name),
                column: row.column(table.schedule.scheduled_at_column),
                functionName: table.schedule.reducer_name
              }
            }),
        access: accessOf(table.table_access),
        isEvent: false
      }
    }),
    reducers: def.reducers.map(({ name, params, lifecycle }) => ({
      name,
      parameters: params.elements,
      visibility: lifecycle === undefined ? 'client' : 'private'
    })),
    procedures: exportsOf('Procedure').map(({ name, params, return_type: returnType }) => ({
      name,
      parameters: params.elements,
      returnType,
      visibility: 'client'
    })),
    views: exportsOf('View').map((view) => ({
      name: view.name,
      parameters: view.params.elements,
      returnType: view.return_type,
      isPublic: view.is_public,
      isAnonymous: view.is_anonymous
    })),
    httpRoutes: [],
    lifecycle,
    rowLevelSecurity: def.row_level_security.map(({ sql }) => sql),
    unknownParts: []
  }
}

type RawExport = RawModuleDefV9['misc_exports'][number]
type ExportOf<Kind> = Extract<RawExport, { readonly kind: Kind }>['value']
