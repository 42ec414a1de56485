import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** What becomes of a client: `socket` is open, and `messages` gives what it sends, one after another. */
export type Serving = (client: { socket: WebSocket; raw: Socket; messages: AsyncIterator<unknown> }) => unknown

export type ClientsServer = {
  readonly url: string
  readonly port: number
  /** The requests to upgrade, as they came. */
  readonly upgrades: readonly IncomingMessage[]
  close(): Promise<void>
}

export type Serve = {
  readonly onClient?: Serving
  /** Instead of an upgrade. */
  readonly onUpgrade?: (request: IncomingMessage, raw: Socket) => void
  readonly onRequest?: RequestListener
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** A real server on loopback for clients that speak v1.json.spacetimedb. */
export async function serveClients({ onClient, onUpgrade, onRequest, tls }: Serve): Promise<ClientsServer> {
  const sockets = new Set<Socket>()
  const upgrades: IncomingMessage[] = []
  const listener = onRequest ?? ((_, response) => response.writeHead(404).end())
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  const upgrader = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => protocols.has('v1.json.spacetimedb') && 'v1.json.spacetimedb'
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  server.on('upgrade', (request, raw: Socket, head) => {
    upgrades.push(request)
    if (onUpgrade !== undefined) return onUpgrade(request, raw)
    upgrader.handleUpgrade(request, raw, head, (socket) => {
      socket.on('error', () => {})
      onClient?.({ socket, raw, messages: messagesOf(socket) })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    upgrades,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** An answer by hand, as a proxy or a server gives it instead of an upgrade. */
export function refuseUpgrade(raw: Socket, status: number, headers: Record<string, string>, body: string): void {
  const head = Object.entries({ connection: 'close', 'content-length': String(Buffer.byteLength(body)), ...headers })
  raw.end(`HTTP/1.1 ${status} No\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
}

/** From now on: nothing is missed between two that are asked for. */
function messagesOf(socket: WebSocket): AsyncIterator<unknown> {
  const waiting: ((message: IteratorResult<unknown>) => void)[] = []
  const come: unknown[] = []
  socket.on('message', (data) => {
    const value: unknown = JSON.parse(String(data))
    const next = waiting.shift()
    if (next === undefined) come.push(value)
    else next({ value })
  })
  return {
    next: () =>
      new Promise((resolve) => {
        if (come.length > 0) resolve({ value: come.shift() })
        else waiting.push(resolve)
      })
  }
}
