import { z } from 'zod'

/**
 * The messages that a client sends in `v1.json.spacetimedb`: an object with the message's kind as its only key
 * (crates/client-api-messages/src/websocket/v1.rs of SpacetimeDB).
 */
export type ClientMessage = z.infer<typeof clientMessage>

/** A message that can't be read. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage'
}

const u32 = z.int().min(0).max(0xffff_ffff)
const queryId = z.strictObject({ id: u32 })
const bytes = z.union([
  z.string().regex(/^(0x)?([0-9a-fA-F]{2})*$/),
  z.array(z.int().min(0).max(255)).transform((numbers) => Buffer.from(numbers).toString('hex'))
])

const clientMessage = z.union([
  z.strictObject({
    CallReducer: z.strictObject({ reducer: z.string(), args: z.string(), request_id: u32, flags: z.literal([0, 1]) })
  }),
  z.strictObject({ Subscribe: z.strictObject({ query_strings: z.array(z.string()), request_id: u32 }) }),
  z.strictObject({ OneOffQuery: z.strictObject({ message_id: bytes, query_string: z.string() }) }),
  z.strictObject({ SubscribeSingle: z.strictObject({ query: z.string(), request_id: u32, query_id: queryId }) }),
  z.strictObject({
    SubscribeMulti: z.strictObject({ query_strings: z.array(z.string()), request_id: u32, query_id: queryId })
  }),
  z.strictObject({ Unsubscribe: z.strictObject({ request_id: u32, query_id: queryId }) }),
  z.strictObject({ UnsubscribeMulti: z.strictObject({ request_id: u32, query_id: queryId }) }),
  z.strictObject({
    CallProcedure: z.strictObject({ procedure: z.string(), args: z.string(), request_id: u32, flags: z.literal(0) })
  })
])

/** Throws BadMessage. */
export function readMessage(text: string): ClientMessage {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new BadMessage('the message is not JSON')
  }
  const read = clientMessage.safeParse(json)
  if (read.success) return read.data
  const kind = typeof json === 'object' && json !== null ? Object.keys(json).join(', ') : String(json)
  throw new BadMessage(`no such message, or one with wrong fields: ${kind}`)
}
