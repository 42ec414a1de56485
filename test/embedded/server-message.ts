import type { Json } from './sats-json.ts'
import { optionJson, stringify } from './sats-json.ts'
import type { Run } from './subscriber.ts'
import type { QueryRows, SubscribedQuery } from './subscription-query.ts'
import { integerOf } from './system-tables.ts'
import type { Table } from './table.ts'
import type { Bearer } from './tokens.ts'

/** Messages of `v1.json.spacetimedb` to a client (crates/client-api-messages/src/websocket/v1.rs of SpacetimeDB). */
export function identityToken({ identity, token }: Bearer, connection: Uint8Array): string {
  return stringify({
    IdentityToken: { identity: identityJson(identity), token, connection_id: connectionJson(connection) }
  })
}

/** The rows of some queries, each with its table: a table of two queries is there twice. */
export function tablesJson(updates: readonly (readonly [SubscribedQuery, QueryRows])[]): Json {
  return updates.map(([{ table }, rows]) => tableJson(table, [rows]))
}

/** What a transaction did to the rows of some queries, by table. */
export function changesJson(updates: readonly (readonly [SubscribedQuery, QueryRows])[]): Json {
  const byTable = new Map<Table, QueryRows[]>()
  for (const [{ table }, rows] of updates) byTable.set(table, [...(byTable.get(table) ?? []), rows])
  return { tables: Array.from(byTable, ([table, rows]) => tableJson(table, rows)) }
}

/** The rows of one query. */
export function subscribeRows(query: SubscribedQuery, rows: QueryRows): Json {
  const { id, declaration } = query.table
  return { table_id: id, table_name: declaration.name, table_rows: tableJson(query.table, [rows]) }
}

export function initialSubscription(requestId: number, tables: Json, micros: number): string {
  return stringify({
    InitialSubscription: {
      database_update: { tables },
      request_id: requestId,
      total_host_execution_duration: durationJson(micros)
    }
  })
}

/** `SubscribeApplied` and its like. */
export function applied(
  kind: 'SubscribeApplied' | 'UnsubscribeApplied' | 'SubscribeMultiApplied' | 'UnsubscribeMultiApplied',
  request: { readonly request_id: number; readonly query_id: { readonly id: number } },
  content: { readonly rows: Json } | { readonly update: Json },
  micros: number
): string {
  const { request_id, query_id } = request
  return stringify({ [kind]: { request_id, total_host_execution_duration_micros: micros, query_id, ...content } })
}

/** Without a request when it is about what a transaction did. */
export function subscriptionError(
  request: { readonly request_id?: number; readonly query_id?: { readonly id: number } },
  error: string,
  micros: number
): string {
  return stringify({
    SubscriptionError: {
      total_host_execution_duration_micros: micros,
      request_id: optionJson(request.request_id),
      query_id: optionJson(request.query_id?.id),
      table_id: optionJson(undefined),
      error
    }
  })
}

export function transactionUpdate(run: Run, status: { Committed: Json } | { Failed: string }): string {
  return stringify({
    TransactionUpdate: {
      status,
      timestamp: timestampJson(run.timestamp),
      caller_identity: identityJson(run.caller),
      caller_connection_id: connectionJson(run.connection),
      reducer_call: {
        reducer_name: run.reducer?.name ?? '',
        reducer_id: run.reducer?.id ?? noReducer,
        args: run.args,
        request_id: run.requestId
      },
      energy_quanta_used: { quanta: 0 },
      total_host_execution_duration: durationJson(run.micros)
    }
  })
}

/** The id where there is no reducer. */
export const noReducer = 0xffff_ffff

export function transactionUpdateLight(requestId: number, update: Json): string {
  return stringify({ TransactionUpdateLight: { request_id: requestId, update } })
}

export function oneOffQueryResponse(
  messageId: string,
  result: { readonly error: string } | { readonly table: string; readonly rows: readonly string[] },
  micros: number
): string {
  return stringify({
    OneOffQueryResponse: {
      message_id: messageId,
      error: optionJson('error' in result ? result.error : undefined),
      tables: 'error' in result ? [] : [{ table_name: result.table, rows: result.rows }],
      total_host_execution_duration: durationJson(micros)
    }
  })
}

/** `timestamp` and `micros` are 0 for a procedure that did not run to its end. */
export function procedureResult(
  requestId: number,
  status: { Returned: string } | { InternalError: string },
  timestamp: bigint,
  micros: number
): string {
  return stringify({
    ProcedureResult: {
      status,
      timestamp: timestampJson(timestamp),
      total_host_execution_duration: durationJson(micros),
      request_id: requestId
    }
  })
}

function tableJson({ id, declaration }: Table, updates: readonly QueryRows[]): Json {
  const count = updates.reduce((total, { deletes, inserts }) => total + deletes.length + inserts.length, 0)
  return { table_id: id, table_name: declaration.name, num_rows: count, updates }
}

function identityJson(identity: string): Json {
  return { __identity__: `0x${identity}` }
}

function connectionJson(connection: Uint8Array): Json {
  return { __connection_id__: integerOf(connection) }
}

function timestampJson(micros: bigint): Json {
  return { __timestamp_micros_since_unix_epoch__: micros }
}

function durationJson(micros: number): Json {
  return { __time_duration_micros__: micros }
}
