import { parse } from 'lossless-json'
import { WebSocket } from 'ws'
import type { EmbeddedServer } from './server.ts'

/** The other end of a WebSocket, for tests. Numbers come as `lossless-json` reads them. */
export type Peer = {
  /** The next message that has not been taken, or fails after five seconds. */
  next(): Promise<unknown>
  send(message: unknown): void
  sendRaw(data: string | Uint8Array): void
  /** Closes it, and answers how it ended. */
  close(): Promise<Ending>
  readonly ended: Promise<Ending>
}

export type Ending = { readonly closed: number; readonly reason: string }
export type Refusal = { readonly refused: number; readonly body: string }

export type PeerOptions = {
  readonly token?: string | undefined
  readonly protocol?: string
  readonly query?: string
}

/** Connects to a database. */
export async function connectPeer(server: EmbeddedServer, database: string, options: PeerOptions = {}): Promise<Peer> {
  const connected = await tryPeer(server, database, options)
  if ('refused' in connected) throw new Error(`${connected.refused} ${connected.body}`)
  return connected
}

/** Connects to a database, or answers how that was refused. */
export function tryPeer(
  server: EmbeddedServer,
  database: string,
  { token, protocol = 'v1.json.spacetimedb', query = '' }: PeerOptions = {}
): Promise<Peer | Refusal> {
  const url = `${server.url.replace('http', 'ws')}/v1/database/${database}/subscribe${query}`
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const socket = new WebSocket(url, protocol, { headers })
  const messages: unknown[] = []
  let wake: (() => void) | undefined
  socket.on('message', (data) => {
    messages.push(parse(String(data)))
    wake?.()
  })
  const ended = new Promise<Ending>((resolve) =>
    socket.on('close', (closed, reason) => resolve({ closed, reason: String(reason) }))
  )
  const next = async () => {
    if (messages.length === 0) await within(5000, new Promise<void>((resolve) => (wake = resolve)))
    return messages.shift()
  }
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', async (_, response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ refused: response.statusCode ?? 0, body })
    })
    socket.on('error', reject)
    socket.on('open', () =>
      resolve({
        next,
        send: (message) => socket.send(JSON.stringify(message)),
        sendRaw: (data) => socket.send(data),
        close: () => {
          socket.close()
          return ended
        },
        ended
      })
    )
  })
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no message came')), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
