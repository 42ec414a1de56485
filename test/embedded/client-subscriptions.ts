import type { Schema } from '../../src/module/schema.ts'
import type { SqlCaller } from './sql-scope.ts'
import { changedRows, compileQuery, type QueryRows, type SubscribedQuery } from './subscription-query.ts'
import type { TransactionRows } from './transaction-rows.ts'

/** What one client is subscribed to: a set that `Subscribe` replaces, and further sets by ids of the client's. */
export class ClientSubscriptions {
  #replaceable: readonly SubscribedQuery[] = []
  readonly #byId = new Map<number, readonly SubscribedQuery[]>()

  get isEmpty(): boolean {
    return this.#replaceable.length === 0 && this.#byId.size === 0
  }

  replace(queries: readonly SubscribedQuery[]): void {
    this.#replaceable = queries
  }

  /** Adds a set. Answers the queries that no other set with an id has, or `undefined` when the id is taken. */
  add(id: number, queries: readonly SubscribedQuery[]): readonly SubscribedQuery[] | undefined {
    if (this.#byId.has(id)) return undefined
    const before = this.#identified()
    this.#byId.set(id, queries)
    return distinct(queries).filter(({ sql }) => !before.has(sql))
  }

  /** Removes a set. Answers the queries that no other set with an id has, or `undefined` when there is no such set. */
  remove(id: number): readonly SubscribedQuery[] | undefined {
    const queries = this.#byId.get(id)
    this.#byId.delete(id)
    const left = this.#identified()
    return queries && distinct(queries).filter(({ sql }) => !left.has(sql))
  }

  /** What a transaction did to the rows of each query; a query that is there twice counts once. */
  changes(rows: TransactionRows): readonly (readonly [SubscribedQuery, QueryRows])[] {
    return distinct([...this.#replaceable, ...this.#identified().values()]).flatMap((query) => {
      const changed = changedRows(query, rows)
      return changed === undefined ? [] : [[query, changed] as const]
    })
  }

  /** Goes on with a schema that another module brought. Throws a SqlError for a query that it has no answer to. */
  adapt(schema: Schema, caller: SqlCaller): void {
    const again = (queries: readonly SubscribedQuery[]) =>
      queries.map((query) => (query.schema === schema ? query : compileQuery(query.sql, schema, caller)))
    this.#replaceable = again(this.#replaceable)
    for (const [id, queries] of this.#byId) this.#byId.set(id, again(queries))
  }

  #identified(): ReadonlyMap<string, SubscribedQuery> {
    return new Map([...this.#byId.values()].flat().map((query) => [query.sql, query]))
  }
}

function distinct(queries: readonly SubscribedQuery[]): readonly SubscribedQuery[] {
  return [...new Map(queries.map((query) => [query.sql, query])).values()]
}
