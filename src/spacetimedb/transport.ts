import type { Agent, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import { Readable } from 'node:stream'
import { HttpClient, type HttpClientResponse } from '@actions/http-client'
import type { RequestInfo } from '@actions/http-client/lib/interfaces'
import { begun, headOf, readWhole } from './answer-body.ts'
import { Attempt, tunnelOf, whenConnected } from './attempt.ts'
import { openWebSocket, type Upgrade, type UpgradeRequest } from './web-socket.ts'

/** Carries requests to a server and says exactly how far each one got. Follows no redirects and repeats nothing. */
export type Transport = {
  exchange(request: Request): Promise<Exchange>
  /** Like `exchange`, but hands the body of a 200 over as it arrives; `request.timeout` is then for the head alone. */
  stream(request: Request, signal?: AbortSignal): Promise<Stream>
  /** Opens a WebSocket. The signal gives up while it is being opened. */
  upgrade(request: UpgradeRequest, signal?: AbortSignal): Promise<Upgrade>
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

export type Request = {
  readonly method: Method
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
  /** Of a stream: it begins with its first byte, not with its head, so that a break before that is no answer. */
  readonly beginsWithBody?: boolean
}

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

/** `not-sent`: no connection was made, so the server saw nothing. `lost`: it may have seen all of it. */
export type Exchange = { readonly kind: 'answered'; readonly answer: Answer } | NoAnswer

export type Stream =
  | Exchange
  | { readonly kind: 'streaming'; readonly answer: Answer; readonly chunks: AsyncIterable<Uint8Array> }

export type NoAnswer = { readonly kind: 'not-sent' | 'lost'; readonly cause: unknown }

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
      let isStreaming = false
      try {
        const message = await send(request, attempt)
        if (message.statusCode !== 200) return await readAll(request, attempt, message)
        const chunks = request.beginsWithBody ? await attempt.race(begun(message)) : message
        isStreaming = !message.closed
        message.once('close', () => attempt.letGo())
        return { kind: 'streaming', answer: { ...headOf(message), body: '' }, chunks }
      } catch (cause) {
        return attempt.failed(cause)
      } finally {
        attempt.stopTheClock()
        if (!isStreaming) attempt.letGo()
      }
    },
    upgrade: (request, signal) => openWebSocket(userAgent, request, signal)
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
    const agent = info.options.agent as Agent
    return tunnelOf(agent, this.#attempt.signal) ?? this.#pool?.getAgent(info.parsedUrl.href) ?? agent
  }
}
