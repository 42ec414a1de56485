import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** What goes wrong with a request. Where nothing else is said the server never gets it. */
export type Fault =
  /** The connection is reset when the request's head has come. */
  | { readonly kind: 'reset-before' }
  /** The connection is reset when the whole request has come. */
  | { readonly kind: 'swallow' }
  /** The connection is reset when the server has carried the request out: its answer is lost. */
  | { readonly kind: 'reset-after' }
  /** Another answer: instead of the server's, or in place of it when `forward` is set. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly forward?: boolean
    }
  /** No answer ever; the server gets the request when `forward` is set. */
  | { readonly kind: 'hang'; readonly forward?: boolean }
  /** The server's answer, half of it, and nothing more. */
  | { readonly kind: 'stall' }
  /** The server's answer in pieces, which take so many milliseconds together. */
  | { readonly kind: 'trickle'; readonly duration: number }
  /** The first half of the server's answer as if it were the whole. */
  | { readonly kind: 'truncate' }
  /** The first half of the server's answer, then a reset. */
  | { readonly kind: 'cut' }
  /** The server gets the request later, by so many milliseconds. */
  | { readonly kind: 'delay'; readonly duration: number }

/** What a gateway says when the server behind it is gone. */
export const badGateway: Fault = {
  kind: 'answer',
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n'
}

/** Which requests: those that fit everything that is given. */
export type Match = {
  readonly method?: string
  /** Of the path with its query. */
  readonly path?: RegExp
  /** Only the nth, from 1, of those that fit method and path. */
  readonly nth?: number
  /** Only the one at this position, from 0, of all requests. */
  readonly index?: number
}

export type Rule = {
  readonly match: Match
  readonly fault?: Fault
  /** Runs when the request has come, before the server gets it. */
  readonly before?: Hook
  /** Runs when the server has answered, before the answer is passed on. */
  readonly answered?: Hook
  /** Runs when the answer was passed on. */
  readonly after?: Hook
}

type Hook = (request: ProxiedRequest) => unknown

/** A request as it was seen. */
export type ProxiedRequest = {
  readonly index: number
  readonly method: string
  /** With its query. */
  readonly path: string
  bodyLength: number
  /** SHA-256, hex; of nothing until the body has come. */
  bodyHash: string
  readonly hasCredential: boolean
  /** Milliseconds since the proxy was started. */
  readonly at: number
  /** Whether the server has answered it: then it has carried it out, whatever the client came to know. */
  served: boolean
  /** The status that the client got, if it got one. */
  status?: number
  fault?: Fault['kind']
}

/**
 * Starts an HTTP proxy on loopback in front of a server (its URL). It passes everything on, except where rules say
 * otherwise, and keeps a record. Bodies are held whole: it is not for streams.
 */
export async function startProxy(target: string): Promise<FaultProxy> {
  const proxy = new FaultProxy(target)
  await proxy.comeUp()
  return proxy
}

export class FaultProxy {
  /** The server's URL; another one takes effect with the next request. */
  target: string
  readonly requests: ProxiedRequest[] = []
  /** Credentials that the server gave away in its answers. */
  readonly issuedTokens = new Set<string>()
  readonly #rules: { rule: Rule; seen: number }[] = []
  readonly #startedAt = performance.now()
  #server = this.#newServer()
  #port = 0

  constructor(target: string) {
    this.target = target
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  inject(...rules: readonly Rule[]): void {
    for (const rule of rules) this.#rules.push({ rule, seen: 0 })
  }

  /** Listens again after `goDown`, on the same port. */
  async comeUp(): Promise<void> {
    this.#server = this.#newServer()
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Refuses connections from now on. The request that is being answered still gets its answer. */
  goDown(): void {
    this.#server.close()
  }

  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #newServer() {
    return createServer((message, response) => {
      this.#handle(message, response).catch((failure: unknown) => response.destroy(failure as Error))
    })
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const rules = this.#rulesFor(message)
    const fault = rules.find((rule) => rule.fault)?.fault
    const recorded = this.#record(message, fault)
    if (fault?.kind === 'reset-before') return void message.socket.resetAndDestroy()
    const body = await bytesOf(message)
    Object.assign(recorded, { bodyLength: body.length, bodyHash: sha256(body) })
    for (const { before } of rules) await before?.(recorded)
    if (fault?.kind === 'delay') await wait(fault.duration)
    const answer = mustForward(fault) ? await this.#forward(message, body, recorded) : undefined
    for (const { answered } of rules) await answered?.(recorded)
    await this.#answer(response, recorded, answer, fault)
    for (const { after } of rules) await after?.(recorded)
  }

  #rulesFor(message: IncomingMessage): Rule[] {
    const { method = '', url = '' } = message
    return this.#rules.flatMap((entry) => {
      const { match } = entry.rule
      if (match.method !== undefined && match.method !== method) return []
      if (match.path && !match.path.test(url)) return []
      entry.seen++
      if (match.nth !== undefined && match.nth !== entry.seen) return []
      return match.index === undefined || match.index === this.requests.length ? [entry.rule] : []
    })
  }

  #record({ method = '', url = '', headers }: IncomingMessage, fault?: Fault): ProxiedRequest {
    const request: ProxiedRequest = {
      index: this.requests.length,
      method,
      path: url,
      bodyLength: 0,
      bodyHash: sha256(Buffer.alloc(0)),
      hasCredential: headers.authorization !== undefined,
      at: performance.now() - this.#startedAt,
      served: false,
      ...(fault && { fault: fault.kind })
    }
    this.requests.push(request)
    return request
  }

  async #forward({ method, url, headers }: IncomingMessage, body: Buffer, recorded: ProxiedRequest): Promise<Answer> {
    const { host: _, connection: __, 'transfer-encoding': ___, ...kept } = headers
    const passed = { ...kept, ...(body.length > 0 && { 'content-length': body.length }) }
    const outgoing = request(this.target + url, { method, headers: passed, agent: false })
    outgoing.end(body)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    const answer = { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await bytesOf(incoming) }
    recorded.served = true
    for (const token of tokensIn(answer, url ?? '')) this.issuedTokens.add(token)
    return answer
  }

  async #answer(response: ServerResponse, recorded: ProxiedRequest, answer?: Answer, fault?: Fault): Promise<void> {
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'reset-after' || fault?.kind === 'swallow') return void response.socket?.resetAndDestroy()
    if (fault?.kind === 'answer') {
      recorded.status = fault.status
      return end(response.writeHead(fault.status, fault.headers), fault.body ?? '')
    }
    if (!answer) return
    const { connection: _, 'transfer-encoding': __, 'content-length': ___, ...headers } = answer.headers
    const { status, body } = answer
    const half = body.subarray(0, body.length / 2)
    recorded.status = status
    const length = fault?.kind === 'truncate' ? half.length : body.length
    if (status !== 204) headers['content-length'] = String(length)
    if (!this.#server.listening) response.shouldKeepAlive = false
    response.writeHead(status, headers)
    if (fault?.kind === 'truncate') return end(response, half)
    if (fault?.kind === 'stall') return void response.write(half)
    if (fault?.kind === 'trickle') await trickle(response, body, fault.duration)
    if (fault?.kind === 'cut') {
      await new Promise((written) => response.write(half, written))
      await wait(50)
      return void response.socket?.resetAndDestroy()
    }
    return end(response, fault?.kind === 'trickle' ? '' : body)
  }
}

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

function mustForward(fault: Fault | undefined): boolean {
  if (fault?.kind === 'answer' || fault?.kind === 'hang') return fault.forward === true
  return fault?.kind !== 'swallow'
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Resolves when everything was handed to the connection, or it is gone. */
async function end(response: ServerResponse, body: Buffer | string): Promise<void> {
  await new Promise<void>((ended) => {
    response.once('close', ended)
    response.end(body, () => ended())
  })
}

async function trickle(response: ServerResponse, body: Buffer, duration: number): Promise<void> {
  const pieces = Math.min(20, Math.max(1, body.length))
  const size = Math.ceil(body.length / pieces)
  for (let at = 0; at < body.length && !response.destroyed; at += size) {
    await wait(duration / pieces)
    response.write(body.subarray(at, at + size))
  }
}

function tokensIn({ headers, body }: Answer, path: string): string[] {
  const inHeader = headers['spacetime-identity-token']
  const inBody = /^\/v1\/identity\b/.test(path) ? /"token"\s*:\s*"([^"]+)"/.exec(body.toString())?.[1] : undefined
  return [inHeader, inBody].flat().filter((token) => token !== undefined)
}
