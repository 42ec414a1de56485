import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from 'node:net'

/** A request as it arrived, whole. */
export type Received = {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly socket: Socket
}

export type Answering = (request: Received, response: ServerResponse) => void

export type TestServer = {
  readonly url: string
  readonly port: number
  /** What has arrived so far. */
  readonly requests: readonly Received[]
  /** How many connections were made. */
  readonly connections: number
  close(): Promise<void>
}

/** A real HTTP server on loopback; HTTPS with a key and a certificate. Answers when a request is there whole. */
export async function serve(
  answer: Answering,
  { tls }: { tls?: { key: string; cert: string } } = {}
): Promise<TestServer> {
  const requests: Received[] = []
  const listener: RequestListener = async (message, response) => {
    const body = await readBody(message)
    const { method = '', url: path = '', headers, socket } = message
    const request = { method, path, headers, body, socket }
    requests.push(request)
    answer(request, response)
  }
  const listening = await listen(tls ? createTlsServer(tls, listener) : createServer(listener))
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${listening.port}`,
    port: listening.port,
    requests,
    get connections() {
      return listening.connections
    },
    close: listening.close
  }
}

/** A server on loopback that is handed the bare connections. */
export async function serveRaw(onConnection: (socket: Socket) => void): Promise<Omit<TestServer, 'requests'>> {
  const listening = await listen(createRawServer(onConnection))
  return {
    url: `http://127.0.0.1:${listening.port}`,
    port: listening.port,
    get connections() {
      return listening.connections
    },
    close: listening.close
  }
}

async function listen(server: Server) {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** The head of an answer as SpacetimeDB gives it, errors included. */
export const ownHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  'spacetime-identity': `c200${'1'.repeat(60)}`
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of message) chunks.push(chunk)
  } catch {
    // The client went away: what arrived is what there is.
  }
  return Buffer.concat(chunks)
}
