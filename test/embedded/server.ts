import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf } from '../../src/errors.ts'
import { Control, type ServerState } from './control.ts'
import { Database } from './database.ts'
import type { Answer, Request, Server } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { BadProgram } from './program.ts'
import { answerDatabase, answerPublic, isDatabaseRoute, routeAnswer } from './routes.ts'
import { type Bearer, newSigningKeys, type SigningKeys, TokenRefused, Tokens } from './tokens.ts'
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
  await new Promise<void>((resolve, reject) => http.once('error', reject).listen(port, host, resolve))
  return {
    url: `http://${host}:${(http.address() as AddressInfo).port}`,
    issueToken: async (subject) => (await tokens.issue(subject)).token,
    close: async () => {
      const closed = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
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
    const handler = routeAnswer(server, request)
    if (handler !== undefined) return send(response, handler)
    const isPing = request.path.join('/') === 'ping'
    if (!isPing && (request.path[0] !== 'database' || !isDatabaseRoute(request.path))) throw new HttpError(404, '')
    const sender = await bearerOf(server.tokens, incoming)
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
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://127.0.0.1')
  const [version, ...path] = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent)
  const method = incoming.method ?? 'GET'
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  return {
    method,
    path: version === 'v1' ? path : ['', ...path],
    query: searchParams,
    contentType: incoming.headers['content-type'],
    body,
    isAbandoned: () => response.destroyed || incoming.socket.destroyed
  }
}

/** Whoever sends no token is somebody new. */
async function bearerOf(tokens: Tokens, { headers: { authorization } }: IncomingMessage): Promise<Bearer> {
  if (authorization === undefined) return tokens.issue()
  const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? []
  if (token === undefined) throw new HttpError(400, 'Authorization is invalid: malformed token')
  return tokens.check(token)
}

function answerOf(error: unknown): Answer {
  if (error instanceof HttpError) {
    const { status, message, contentType } = error
    return { status, body: message, ...(message !== '' && { contentType }) }
  }
  const contentType = 'text/plain; charset=utf-8'
  if (error instanceof BadProgram) return { status: 500, contentType, body: error.message }
  if (error instanceof TokenRefused) return { status: 401, contentType, body: error.message }
  return { status: 500, contentType, body: `the embedded server failed: ${messageOf(error)}` }
}

function send(response: ServerResponse, { status, contentType, headers, body, follow }: Answer): void {
  if (response.destroyed) return
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
