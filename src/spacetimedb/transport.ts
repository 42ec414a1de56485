import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { HttpClient, type HttpClientResponse } from '@actions/http-client'
import type { RequestInfo } from '@actions/http-client/lib/interfaces'

/** Carries requests to a server and says exactly how far each one got. Follows no redirects and repeats nothing. */
export type Transport = {
  exchange(request: Request): Promise<Exchange>
  /** Like `exchange`, but hands the body of a 200 over as it arrives; `request.timeout` is then for the head alone. */
  stream(request: Request, signal?: AbortSignal): Promise<Stream>
}

export type Request = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Milliseconds for all of it: finding the host, connecting, sending, and the answer to its last byte. */
  readonly timeout: number
  readonly longestAnswer: number
  /**
   * Only for what may be repeated: a connection that was used before can turn out to be closed at the very moment
   * of sending, and then nobody knows whether the request arrived.
   */
  readonly mayShareConnection: boolean
}

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

/** `not-sent`: no connection was made, so the server saw nothing. `lost`: it may have seen all of it. */
export type Exchange = { readonly kind: 'answered'; readonly answer: Answer } | NoAnswer

export type Stream =
  | Exchange
  | { readonly kind: 'streaming'; readonly answer: Answer; readonly chunks: AsyncIterable<Uint8Array> }

export type NoAnswer = { readonly kind: 'not-sent' | 'lost'; readonly cause: unknown }

/** The time for a request, or for its connection, was over. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'
  readonly milliseconds: number

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`)
    this.milliseconds = milliseconds
  }
}

/** The answer has more bytes than the caller would take. */
export class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong'
}

/** How long a connection may take, proxy and TLS included, before the server counts as unreachable. */
const connectTimeout = 20_000

/**
 * A transport on `@actions/http-client`: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured by it,
 * `NODE_EXTRA_CA_CERTS` by Node. It is for one server: connections are shared without asking where they go.
 */
export function createTransport(userAgent: string): Transport {
  const pool = new HttpClient(userAgent, [], { keepAlive: true })
  const send = (request: Request, attempt: Attempt) => {
    const client = new ObservedClient(userAgent, attempt, request.mayShareConnection ? pool : undefined)
    return attempt.race(client.send(request))
  }
  const readAll = async (request: Request, attempt: Attempt, message: IncomingMessage): Promise<Exchange> => {
    const body = await attempt.race(readWhole(message, request.longestAnswer))
    return { kind: 'answered', answer: { ...headOf(message), body } }
  }
  return {
    exchange: async (request) => {
      const attempt = new Attempt(request.timeout)
      try {
        return await readAll(request, attempt, await send(request, attempt))
      } catch (cause) {
        return attempt.failed(cause)
      } finally {
        attempt.stopTheClock()
      }
    },
    stream: async (request, signal) => {
      const attempt = new Attempt(request.timeout, signal)
      try {
        const message = await send(request, attempt)
        if (message.statusCode !== 200) return await readAll(request, attempt, message)
        return { kind: 'streaming', answer: { ...headOf(message), body: '' }, chunks: message }
      } catch (cause) {
        return attempt.failed(cause)
      } finally {
        attempt.stopTheClock()
      }
    }
  }
}

/** One request on its way: its deadlines, and whether it left. */
class Attempt {
  readonly #controller = new AbortController()
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #connectTimer: NodeJS.Timeout
  #sent = false

  constructor(timeout: number, outer?: AbortSignal) {
    const deadline = (milliseconds: number) =>
      setTimeout(() => this.#controller.abort(new DeadlineExceeded(milliseconds)), milliseconds)
    this.#connectTimer = deadline(Math.min(connectTimeout, timeout))
    this.#timers = [this.#connectTimer, deadline(timeout)]
    const cancel = () => this.#controller.abort(outer?.reason)
    if (outer?.aborted) cancel()
    else outer?.addEventListener('abort', cancel, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Settles as the promise does, but not later than the deadline: a proxy that hangs causes no event at all. */
  race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason)
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
    })
  }

  /** There is a connection, and the request leaves on it. */
  leaves(): void {
    this.#sent = true
    clearTimeout(this.#connectTimer)
  }

  failed(error: unknown): NoAnswer {
    return { kind: this.#sent ? 'lost' : 'not-sent', cause: this.signal.aborted ? this.signal.reason : error }
  }

  stopTheClock(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }
}

/** The client of `@actions/http-client` with a window: by itself it tells nobody whether a request left. */
class ObservedClient extends HttpClient {
  readonly #attempt: Attempt
  readonly #pool: HttpClient | undefined

  constructor(userAgent: string, attempt: Attempt, pool: HttpClient | undefined) {
    // The deadlines are the attempt's: the client's own (3 minutes without a byte) would end a quiet stream of logs.
    super(userAgent, [], { allowRedirects: false, allowRetries: false, socketTimeout: 2 ** 31 - 1 })
    this.#attempt = attempt
    this.#pool = pool
  }

  async send({ method, url, headers, body }: Request): Promise<IncomingMessage> {
    const bytes = body === undefined ? null : Readable.from([body], { objectMode: false })
    const length = body === undefined ? {} : { 'content-length': String(body.byteLength) }
    const { message } = await this.request(method, url, bytes, { ...headers, ...length })
    return message
  }

  override requestRaw(info: RequestInfo, data: string | NodeJS.ReadableStream | null): Promise<HttpClientResponse> {
    const attempt = this.#attempt
    const { request } = info.httpModule
    const options = { ...info.options, agent: this.#agentFor(info), signal: attempt.signal }
    const observed = (given: RequestOptions, onAnswer: (message: IncomingMessage) => void) => {
      const sending = request(given, onAnswer)
      sending.once('socket', (socket) => whenConnected(sending, socket, () => attempt.leaves()))
      return sending
    }
    // No copy of the whole module: reading all that it offers loads undici, 25 ms on Node 24.
    return super.requestRaw({ ...info, options, httpModule: { request: observed } as never }, data)
  }

  #agentFor(info: RequestInfo): Agent {
    const agent = info.options.agent as Agent | TunnelingAgent
    if (!('proxyOptions' in agent)) return this.#pool?.getAgent(info.parsedUrl.href) ?? agent
    agent.proxyOptions.signal = this.#attempt.signal
    return agent
  }
}

/** What `tunnel` makes for a proxy: its options are those of the CONNECT request. */
type TunnelingAgent = Agent & { readonly proxyOptions: { signal?: AbortSignal } }

function whenConnected(request: ClientRequest, socket: Socket, then: () => void): void {
  // A server may answer without reading a large body to its end. Node then writes on after it has let go of the
  // socket, and the error of that would end the process.
  if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore)
  if (request.reusedSocket) then()
  else if (socket instanceof TLSSocket) socket.once('secureConnect', then)
  else if (socket.connecting) socket.once('connect', then)
  else then()
}

function ignore(): void {}

async function readWhole(message: IncomingMessage, longest: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length > longest) throw new AnswerTooLong(`the answer is longer than ${longest} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function headOf(message: IncomingMessage): Omit<Answer, 'body'> {
  return { status: message.statusCode ?? 0, headers: message.headers }
}
