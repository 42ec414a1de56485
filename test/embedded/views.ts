import { resolve, type Typespace } from '../../src/migration/type-structure.ts'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { type Value, valueCodec } from '../../src/module/bsatn.ts'
import { ByteReader } from '../../src/module/bytes.ts'
import type { View } from '../../src/module/schema.ts'
import type { Datastore } from './datastore.ts'
import type { Caller, ModuleInstance } from './module-instance.ts'
import { runSql } from './sql-run.ts'
import type { Relation } from './sql-scope.ts'
import { SqlError } from './sql-statement.ts'

/** The module's views, each run when it is selected from. */
export function viewRelations(instance: ModuleInstance, store: Datastore, caller: Caller): readonly Relation[] {
  const { views, typespace } = store.schema
  return views.map((view) => {
    const columns = columnsOf(view.returnType, typespace)
    const id = views.filter(({ isAnonymous }) => isAnonymous === view.isAnonymous).indexOf(view)
    const rows = () => rowsOf(runView(instance, store, view, id, caller), columns, store)
    return { name: view.name, isPublic: view.isPublic, isView: true, columns, rows }
  })
}

function runView(instance: ModuleInstance, store: Datastore, view: View, id: number, caller: Caller): ByteReader {
  store.begin()
  try {
    const outcome = instance.callView(id, view.isAnonymous ? undefined : caller)
    if (outcome.kind === 'returned') return new ByteReader(outcome.bytes)
    throw new SqlError(`the view ${view.name} failed: ${outcome.message}`)
  } finally {
    store.rollBack()
  }
}

/** A view answers with rows, or with a query for them. */
function rowsOf(reader: ByteReader, columns: Relation['columns'], store: Datastore): readonly (readonly Value[])[] {
  const isQuery = reader.u8() === 1
  if (isQuery) {
    const sql = new TextDecoder().decode(reader.take(reader.u32()))
    return runSql(sql, store, [], { identity: '', isOwner: true }).rows
  }
  const codecs = columns.map(({ type }) => valueCodec(type, store.schema.typespace))
  return reader.elements(() => codecs.map((codec) => codec.read(reader)))
}

/** The columns of a view that returns an option or a list of rows, or a query for them. */
function columnsOf(type: AlgebraicType, typespace: Typespace): Relation['columns'] {
  const row =
    type.kind === 'array'
      ? type.element
      : type.kind === 'sum'
        ? type.variants[0]?.type
        : type.kind === 'product'
          ? type.elements[0]?.type
          : undefined
  const resolved = row === undefined ? type : resolve(row, typespace)
  if (resolved.kind !== 'product') return []
  return resolved.elements.map(({ name, type: column }, i) => ({ name: name ?? `col_${i}`, type: column }))
}
