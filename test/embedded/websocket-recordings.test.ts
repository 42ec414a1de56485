import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isLosslessNumber } from 'lossless-json'
import { fixtureModule, type WebSocketRecording, webSocketRecordings } from '../fixtures.ts'
import { type EmbeddedServer, startServer } from './server.ts'
import { tryPeer } from './websocket-peer.ts'

/** What a real server did on WebSockets, asked of the embedded one in the same order. */
describe('the embedded server speaks on WebSockets as a real one did', () => {
  let server: EmbeddedServer
  let owner: string

  beforeAll(async () => {
    server = await startServer()
    owner = await server.issueToken('owner')
    await send('PUT', 'ws', fixtureModule('counter.wasm'))
    await send('PUT', 'wsrich', fixtureModule('rich.wasm'))
    await send('POST', 'wsrich/call/seed', '[1]')
  })

  afterAll(async () => {
    await server.close()
  })

  test.each(webSocketRecordings())('$name', async (recording) => {
    expect(await replay(recording)).toEqual(recording.exchange.map(comparable))
  })

  async function replay({ database, protocol, query, as, exchange }: WebSocketRecording): Promise<unknown[]> {
    // Recordings do not hold the tokens: one that was refused for its token sent something that is none.
    const isBadToken = exchange.some((step) => 'refused' in step && step.refused === 401)
    const token = isBadToken ? 'none' : as === 'owner' ? owner : undefined
    const peer = await tryPeer(server, database, { token, protocol, query })
    if ('refused' in peer) return [comparable(peer)]
    const done: unknown[] = []
    for (const step of exchange) {
      if ('sent' in step) {
        peer.send(step.sent)
        done.push(comparable(step))
      } else done.push(comparable('received' in step ? { received: await peer.next() } : await peer.close()))
    }
    return done
  }

  async function send(method: string, path: string, body: Uint8Array | string): Promise<void> {
    const headers = { authorization: `Bearer ${owner}`, 'content-type': 'application/json' }
    const content = typeof body === 'string' ? body : new Uint8Array(body)
    const answer = await fetch(`${server.url}/v1/database/${path}`, { method, headers, body: content })
    expect(answer.status).toBe(200)
  }
})

/** A step with what differs from run to run taken out. */
function comparable(value: unknown): unknown {
  if (isLosslessNumber(value)) return value.value
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string')
    return value
      .replace(/^<token[^>]*>$|^eyJ[\w-]+\.[\w-]+\.[\w-]+$/, '<token>')
      .replace(/^0x(<identity[^>]*>|c200[0-9a-f]{60})$/, '<identity>')
      .replace(/("__timestamp_micros_since_unix_epoch__":)\d{16}\b/, '$1<micros>')
      .replace(/("__connection_id__":)\d+/, '$1<connection id>')
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, masked.test(key) ? kindOf(inner) : comparable(inner)])
  )
}

const masked = /^(total_host_execution_duration_micros|quanta|__connection_id__|__time(stamp|_duration)_micros.*)$/

/** Recordings have a text in brackets where there was a number. */
function kindOf(value: unknown): string {
  if (isLosslessNumber(value)) return 'a number'
  return /^<(micros|n|connection id)>$/.test(String(value)) ? 'a number' : `not a number: ${value}`
}
