import * as z from 'zod'
import { parseIdentity } from './identity.ts'

/** The subprotocol of WebSockets with messages in JSON (docs/server-behaviour.md, "WebSocket"). */
export const clientProtocol = 'v1.json.spacetimedb'

/** Rows that came or went, each as JSON text. */
export type RawRows = {
  readonly table: string
  readonly inserts: readonly string[]
  readonly deletes: readonly string[]
}

/** A message of the server, as far as it answers to what is asked here. */
export type ServerMessage =
  | z.output<typeof identityToken>
  | z.output<typeof initialSubscription>
  | z.output<typeof subscriptionError>
  | z.output<typeof transactionUpdate>
  | z.output<typeof transactionUpdateLight>
  | { readonly kind: 'unknown'; readonly problem: string }

/** Reads a message. The protocol's list of kinds is closed, so any other one is `unknown`. */
export function readServerMessage(text: string): ServerMessage {
  const message = parsedOrNothing(text)
  if (typeof message !== 'object' || message === null) return unknown('a message is no JSON object')
  const [kind = '', ...more] = Object.keys(message)
  const form = forms.get(kind)
  if (form === undefined || more.length > 0) return unknown(`a message is of a kind that was not asked for`)
  const parsed = form.safeParse((message as Record<string, unknown>)[kind])
  if (parsed.success) return parsed.data
  return unknown(`a message \`${kind}\` is not as expected at \`${parsed.error.issues[0]?.path.join('.')}\``)
}

/** The token that a message brings, whatever else is wrong with the message. */
export function tokenIn(text: string): string | undefined {
  if (!text.includes('"IdentityToken"')) return undefined
  const message = parsedOrNothing(text) as { IdentityToken?: { token?: unknown } } | null | undefined
  const token = message?.IdentityToken?.token
  return typeof token === 'string' ? token : undefined
}

/** Asks for all rows of the queries in one snapshot, and for their changes; replaces what was subscribed before. */
export function subscribeMessage(requestId: number, queries: readonly string[]): string {
  return JSON.stringify({ Subscribe: { query_strings: queries, request_id: requestId } })
}

/** Calls a reducer; `args` is a JSON array. Flag 0: the outcome is wanted, whatever is subscribed. */
export function callMessage(requestId: number, reducer: string, args: string): string {
  return JSON.stringify({ CallReducer: { reducer, args, request_id: requestId, flags: 0 } })
}

const requestId = z.number()

/**
 * A random number of 128 bits, of which a double keeps the first 53: enough to know one's own. Nothing else outside
 * rows, which are texts here, is larger than a double holds.
 */
const connectionId = z
  .object({ __connection_id__: z.union([z.string(), z.number()]) })
  .transform((wrapped) => String(wrapped.__connection_id__))

const rawTables = z
  .object({
    tables: z.array(
      z.object({
        table_name: z.string(),
        updates: z.array(z.object({ deletes: z.array(z.string()), inserts: z.array(z.string()) }))
      })
    )
  })
  .transform(({ tables }): readonly RawRows[] =>
    tables.map(({ table_name: table, updates }) => ({
      table,
      inserts: updates.flatMap(({ inserts }) => inserts),
      deletes: updates.flatMap(({ deletes }) => deletes)
    }))
  )

const identityToken = z
  .object({
    identity: z
      .object({ __identity__: z.string().regex(/^(0x)?[0-9a-f]{64}$/i) })
      .transform((wrapped) => parseIdentity(wrapped.__identity__)),
    connection_id: connectionId
  })
  .transform((message) => ({
    kind: 'identity' as const,
    identity: message.identity,
    connectionId: message.connection_id
  }))

const initialSubscription = z.object({ request_id: requestId, database_update: rawTables }).transform((message) => ({
  kind: 'snapshot' as const,
  requestId: message.request_id,
  tables: message.database_update
}))

const subscriptionError = z
  .object({
    request_id: z.union([
      z.object({ some: requestId }).transform(({ some }) => some),
      z.object({ none: z.unknown() }).transform(() => undefined)
    ]),
    error: z.string()
  })
  .transform((message) => ({
    kind: 'refused' as const,
    requestId: message.request_id,
    reason: message.error
  }))

const transactionUpdate = z
  .object({
    status: z.union([
      z.object({ Committed: rawTables }).transform(({ Committed: tables }) => ({ kind: 'committed' as const, tables })),
      z.object({ Failed: z.string() }).transform(({ Failed: reason }) => ({ kind: 'failed' as const, reason })),
      z.object({ OutOfEnergy: z.unknown() }).transform(() => ({ kind: 'out-of-energy' as const }))
    ]),
    caller_connection_id: connectionId,
    reducer_call: z.object({ reducer_name: z.string(), request_id: requestId }),
    total_host_execution_duration: z.object({ __time_duration_micros__: z.number() })
  })
  .transform((message) => ({
    kind: 'update' as const,
    status: message.status,
    connectionId: message.caller_connection_id,
    requestId: message.reducer_call.request_id,
    reducer: message.reducer_call.reducer_name,
    durationMicros: message.total_host_execution_duration.__time_duration_micros__
  }))

/** What others did. Its request is one of theirs. */
const transactionUpdateLight = z
  .object({ update: rawTables })
  .transform(({ update: tables }) => ({ kind: 'change' as const, tables }))

type Form = z.ZodType<Exclude<ServerMessage, { kind: 'unknown' }>>

const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['IdentityToken', identityToken],
  ['InitialSubscription', initialSubscription],
  ['SubscriptionError', subscriptionError],
  ['TransactionUpdate', transactionUpdate],
  ['TransactionUpdateLight', transactionUpdateLight]
])

function unknown(problem: string): ServerMessage {
  return { kind: 'unknown', problem }
}

function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
