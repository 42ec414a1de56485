import type { AlgebraicType } from './algebraic-type.ts'
import type { Schema, Table } from './schema.ts'

/**
 * A schema with that of a submodule added, as a server mounts it: everything that has a name is called
 * `namespace.name` (`NamespacePath` in crates/schema/src/identifier.rs of https://github.com/clockworklabs/SpacetimeDB), and the
 * submodule's types follow the others in the typespace.
 */
export function withSubmodule(schema: Schema, namespace: string, submodule: Schema): Schema {
  const mount = new Mount(namespace, schema.typespace.length)
  return {
    typespace: [...schema.typespace, ...submodule.typespace.map((type) => mount.type(type))],
    types: [
      ...schema.types,
      ...submodule.types.map(({ name, ref }) => ({ name: mount.name(name), ref: mount.ref(ref) }))
    ],
    tables: [...schema.tables, ...submodule.tables.map((table) => mountedTable(table, mount))],
    reducers: [
      ...schema.reducers,
      ...submodule.reducers.map((reducer) => ({ ...mount.named(reducer), parameters: mount.parts(reducer.parameters) }))
    ],
    procedures: [...schema.procedures, ...submodule.procedures.map((procedure) => mount.returning(procedure))],
    views: [...schema.views, ...submodule.views.map((view) => mount.returning(view))],
    httpRoutes: [
      ...schema.httpRoutes,
      ...submodule.httpRoutes.map((route) => ({ ...route, handler: mount.name(route.handler) }))
    ],
    lifecycle: [
      ...schema.lifecycle,
      ...submodule.lifecycle.map(({ event, reducer }) => ({ event, reducer: mount.name(reducer) }))
    ],
    rowLevelSecurity: [...schema.rowLevelSecurity, ...submodule.rowLevelSecurity],
    unknownParts: [...schema.unknownParts, ...submodule.unknownParts.map((part) => mount.name(part))]
  }
}

function mountedTable(table: Table, mount: Mount): Table {
  const { schedule } = table
  return {
    ...mount.named(table),
    ...(table.accessor === undefined ? {} : { accessor: mount.name(table.accessor) }),
    columns: mount.parts(table.columns),
    rowType: mount.ref(table.rowType),
    uniqueConstraints: table.uniqueConstraints.map((constraint) => mount.named(constraint)),
    indexes: table.indexes.map((index) => mount.named(index)),
    sequences: table.sequences.map((sequence) => mount.named(sequence)),
    ...(schedule === undefined
      ? {}
      : { schedule: { ...mount.named(schedule), functionName: mount.name(schedule.functionName) } })
  }
}

/** Where a submodule is put: under a name, and from a place in the typespace on. */
class Mount {
  readonly #namespace: string
  readonly #firstType: number

  constructor(namespace: string, firstType: number) {
    this.#namespace = namespace
    this.#firstType = firstType
  }

  name(name: string): string {
    return `${this.#namespace}.${name}`
  }

  named<Part extends { readonly name: string }>(part: Part): Part {
    return { ...part, name: this.name(part.name) }
  }

  ref(ref: number): number {
    return ref + this.#firstType
  }

  parts<Part extends { readonly type: AlgebraicType }>(parts: readonly Part[]): Part[] {
    return parts.map((part) => ({ ...part, type: this.type(part.type) }))
  }

  returning<
    Callable extends {
      readonly name: string
      readonly parameters: readonly { readonly type: AlgebraicType }[]
      readonly returnType: AlgebraicType
    }
  >(callable: Callable): Callable {
    return {
      ...this.named(callable),
      parameters: this.parts(callable.parameters),
      returnType: this.type(callable.returnType)
    }
  }

  type(type: AlgebraicType): AlgebraicType {
    switch (type.kind) {
      case 'ref':
        return { kind: 'ref', ref: this.ref(type.ref) }
      case 'product':
        return { kind: 'product', elements: this.parts(type.elements) }
      case 'sum':
        return { kind: 'sum', variants: this.parts(type.variants) }
      case 'array':
        return { kind: 'array', element: this.type(type.element) }
      default:
        return type
    }
  }
}
