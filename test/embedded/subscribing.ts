import { ClientSubscriptions } from './client-subscriptions.ts'
import type { DatabaseRecord } from './database.ts'
import { applied, initialSubscription, subscribeRows, subscriptionError, tablesJson } from './server-message.ts'
import type { SqlCaller } from './sql-scope.ts'
import { NotSupportedHere, SqlError } from './sql-statement.ts'
import {
  compileQueries,
  compileQuery,
  currentRows,
  type QueryRows,
  type SubscribedQuery
} from './subscription-query.ts'

type SetRequest = { readonly request_id: number; readonly query_id: { readonly id: number } }

/** Does what a client's messages about subscriptions ask. Each method answers with the message for the client. */
export class Subscribing {
  readonly subscriptions = new ClientSubscriptions()
  readonly #record: DatabaseRecord
  readonly #caller: SqlCaller

  constructor(record: DatabaseRecord, caller: SqlCaller) {
    this.#record = record
    this.#caller = caller
  }

  /** Throws NotSupportedHere, as do the others. */
  subscribe(request: { readonly request_id: number; readonly query_strings: readonly string[] }): string {
    return this.#subscribing(request, (micros) => {
      const queries = compileQueries(request.query_strings, this.#schema, this.#caller)
      const event = queries.find(({ table }) => table.declaration.isEvent)
      if (event !== undefined)
        throw new NotSupportedHere(`the embedded server has no subscriptions to event tables: ${event.sql}`)
      this.subscriptions.replace(queries)
      return initialSubscription(request.request_id, tablesJson(this.#inserts(queries)), micros())
    })
  }

  subscribeSingle(request: SetRequest & { readonly query: string }): string {
    return this.#subscribing(request, (micros) => {
      const query = compileQuery(request.query, this.#schema, this.#caller)
      this.#add(request, [query])
      const rows = { deletes: [], inserts: this.#rows(query) }
      return applied('SubscribeApplied', request, { rows: subscribeRows(query, rows) }, micros())
    })
  }

  subscribeMulti(request: SetRequest & { readonly query_strings: readonly string[] }): string {
    return this.#subscribing(request, (micros) => {
      const added = this.#add(request, compileQueries(request.query_strings, this.#schema, this.#caller))
      const update = { tables: tablesJson(this.#inserts(added)) }
      return applied('SubscribeMultiApplied', request, { update }, micros())
    })
  }

  unsubscribe(request: SetRequest): string {
    return this.#unsubscribing(request, (removed, micros) => {
      const [query] = removed
      if (query === undefined || removed.length > 1) return subscriptionError(request, 'Internal error', micros())
      const rows = { deletes: this.#rows(query), inserts: [] }
      return applied('UnsubscribeApplied', request, { rows: subscribeRows(query, rows) }, micros())
    })
  }

  unsubscribeMulti(request: SetRequest): string {
    return this.#unsubscribing(request, (removed, micros) => {
      const deletes = this.#filled(removed).map(
        (query) => [query, { deletes: this.#rows(query), inserts: [] }] as const
      )
      return applied('UnsubscribeMultiApplied', request, { update: { tables: tablesJson(deletes) } }, micros())
    })
  }

  /** Counts that a client which was subscribed is gone. */
  countEnd(): void {
    if (!this.subscriptions.isEmpty) this.#count('Unsubscribe', 2, 0)
  }

  get #schema() {
    return this.#record.program.schema
  }

  #subscribing(request: Parameters<typeof subscriptionError>[0], run: (micros: () => number) => string): string {
    const micros = stopwatch()
    try {
      const answer = run(micros)
      this.#count('Subscribe', 2, micros())
      return answer
    } catch (error) {
      if (!(error instanceof SqlError) || error instanceof NotSupportedHere) throw error
      this.#count('Subscribe', 1, micros())
      return subscriptionError(request, error.message, micros())
    }
  }

  #unsubscribing(
    request: SetRequest,
    run: (removed: readonly SubscribedQuery[], micros: () => number) => string
  ): string {
    const micros = stopwatch()
    const removed = this.subscriptions.remove(request.query_id.id)
    if (removed === undefined)
      return subscriptionError(request, `Subscription not found: ${this.#named(request)}`, micros())
    const answer = run(removed, micros)
    this.#count('Unsubscribe', 2, micros())
    return answer
  }

  #add(request: SetRequest, queries: readonly SubscribedQuery[]): readonly SubscribedQuery[] {
    if (queries.some(({ table }) => table.declaration.isEvent)) throw new SqlError(eventTableRefused)
    const added = this.subscriptions.add(request.query_id.id, queries)
    if (added !== undefined) return added
    throw new SqlError(`Subscription with id ${this.#named(request)} already exists for client`)
  }

  #named({ query_id }: SetRequest): string {
    return `QuerySetId { id: ${query_id.id} }`
  }

  #inserts(queries: readonly SubscribedQuery[]): readonly (readonly [SubscribedQuery, QueryRows])[] {
    return this.#filled(queries).map((query) => [query, { deletes: [], inserts: this.#rows(query) }])
  }

  /** The server leaves out what reads from a table without rows, unless it is asked for one query only. */
  #filled(queries: readonly SubscribedQuery[]): readonly SubscribedQuery[] {
    return queries.filter(({ table }) => (this.#record.tables.get(table.declaration.name)?.size ?? 0) > 0)
  }

  #rows(query: SubscribedQuery): readonly string[] {
    return currentRows(query, this.#record.tables.get(query.table.declaration.name)?.values() ?? [])
  }

  /** A server counts two transactions for what succeeds: one that may write, and the reading one it becomes. */
  #count(type: 'Subscribe' | 'Unsubscribe', times: number, micros: number): void {
    for (let i = 0; i < times; i++) this.#record.statistics.countTransaction(type, '', true, micros)
  }
}

const eventTableRefused =
  'Subscribing to event tables requires WebSocket v2. Please upgrade your client SDK and regenerate your module bindings.'

/** Tells how many microseconds have passed since. */
export function stopwatch(): () => number {
  const since = performance.now()
  return () => Math.round((performance.now() - since) * 1000)
}
