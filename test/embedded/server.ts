import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Control, type ServerState } from './control.ts'
import { Database } from './database.ts'
import type { Answer, Request, Server } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { answerRoute } from './http-handlers.ts'
import { addressOf, answerOf, bearerOf } from './requesting.ts'
import { answerDatabase, answerPublic, isDatabaseRoute } from './routes.ts'
import { type Bearer, newSigningKeys, type SigningKeys, Tokens } from './tokens.ts'
import { WebSockets } from './websockets.ts'
import { WorkerPool } from './worker-pool.ts'

export type EmbeddedServer = {
  /** Without a trailing slash. */
  readonly url: string
  /** A token of the server's own, for one subject always of the same identity. */
  issueToken(subject?: string): Promise<string>
  /** Ends every connection and module. Answers what a later server can go on from. */
  close(): Promise<ServerState>
}

export type ServerOptions = {
  /** A free one by default. */
  readonly port?: number
  /** Where it listens: on loopback by default. */
  readonly host?: '127.0.0.1' | '0.0.0.0'
  /** What an earlier server left. */
  readonly state?: ServerState
  /** What a server without a state signs its tokens with; new ones by default. */
  readonly keys?: SigningKeys
  /** Time that a module gets to describe itself or to run one function, in milliseconds. */
  readonly deadline?: number
  /**
   * Drops a first publish whose connection ends before the module has loaded: the name is claimed then and holds
   * nothing. A real server does so now and then (docs/server-behaviour.md, "Lost answers").
   */
  readonly firstPublishAbandonedOnReset?: boolean
}

/**
 * Starts a server on loopback that speaks SpacetimeDB's HTTP and runs modules' own code, for tests and the demo. What
 * it keeps is in memory; what it can't do it refuses by name.
 */
export async function startServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const { port = 0, host = '127.0.0.1', deadline = 60_000, firstPublishAbandonedOnReset = false } = options
  const state = options.state ?? newState(options.keys ?? (await newSigningKeys()))
  const control = new Control(state)
  const workers = new WorkerPool(deadline)
  for (const [identity, record] of state.databases) control.running.set(identity, new Database(record, workers))
  const tokens = new Tokens(state.keys)
  const server: Server = { control, tokens, workers, firstPublishAbandonedOnReset }
  const http = createServer((request, response) => void serve(server, request, response))
  const webSockets = new WebSockets(server)
  http.on('upgrade', (request, socket, head) => void webSockets.take(request, socket, head))
  await new Promise<void>((resolve, reject) => http.once('error', reject).listen(port, host, resolve))
  return {
    url: `http://${host}:${(http.address() as AddressInfo).port}`,
    issueToken: async (subject) => (await tokens.issue(subject)).token,
    close: async () => {
      const closed = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
      webSockets.close()
      await Promise.all([workers.close(), closed])
      return state
    }
  }
}

function newState(keys: SigningKeys): ServerState {
  return {
    keys,
    names: new Map(),
    nameOwners: new Map(),
    databases: new Map(),
    locked: new Set()
  }
}

async function serve(server: Server, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  let bearer: Bearer | undefined
  const headers = () =>
    bearer === undefined ? {} : { 'spacetime-identity': bearer.identity, 'spacetime-identity-token': bearer.token }
  try {
    const request = await readRequest(incoming, response)
    const open = await answerPublic(server, request)
    if (open !== undefined) return send(response, open)
    const handler = await answerRoute(server, request)
    if (handler !== undefined) return send(response, handler)
    const isPing = request.path.join('/') === 'ping'
    if (!isPing && (request.path[0] !== 'database' || !isDatabaseRoute(request.path))) throw new HttpError(404, '')
    const sender = await bearerOf(server.tokens, incoming.headers.authorization)
    if (isPing) return send(response, { status: request.method === 'GET' ? 200 : 405, body: '' })
    bearer = sender
    const answer = await answerDatabase(server, request, bearer)
    send(response, { ...answer, headers: { ...answer.headers, ...headers() } })
  } catch (error) {
    if (incoming.errored && !incoming.complete) return
    send(response, { ...answerOf(error), headers: headers() })
  }
}

async function readRequest(incoming: IncomingMessage, response: ServerResponse): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return {
    ...addressOf(incoming),
    method: incoming.method ?? 'GET',
    contentType: incoming.headers['content-type'],
    headers: pairs(incoming.rawHeaders),
    url: `http://${incoming.headers.host ?? ''}${incoming.url ?? '/'}`,
    body: Buffer.concat(chunks),
    isAbandoned: () => response.destroyed || incoming.socket.destroyed
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? '']] : []))
}

function send(response: ServerResponse, { status, contentType, body, follow, ...answer }: Answer): void {
  if (response.destroyed) return
  const headers = answer.headers as OutgoingHttpHeaders | undefined
  const content = contentType === undefined ? {} : { 'content-type': contentType }
  if (follow === undefined) {
    response.writeHead(status, { ...content, ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
    return
  }
  response.writeHead(status, { ...content, ...headers }).write(body)
  response.on(
    'close',
    follow((text) => response.write(text))
  )
}
