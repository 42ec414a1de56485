import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { HttpClient } from '@actions/http-client'
import type { ClientOptions, WebSocket } from 'ws'
import { headOf, readWhole } from './answer-body.ts'
import { Attempt, NoWebSocket, tunnelOf, whenConnected } from './attempt.ts'
import type { Answer, Exchange, Request } from './transport.ts'

export type UpgradeRequest = Pick<Request, 'url' | 'headers' | 'timeout' | 'longestAnswer'> & {
  /** The subprotocol to speak. */
  readonly protocol: string
  /** The longest message that is taken, in bytes; a longer one ends the connection. */
  readonly longestMessage: number
}

/** The messages that come are kept back until `socket.resume()`. `connection` is what the WebSocket runs on. */
export type Upgrade =
  | Exchange
  | {
      readonly kind: 'upgraded'
      readonly answer: Answer
      readonly socket: WebSocket
      readonly connection: Socket
    }

/** How long the other side may take, in milliseconds, to agree that a WebSocket is closed. */
const closeTimeout = 2000

/**
 * Opens a WebSocket, through a proxy where the environment says so, without compression. Follows no redirects and
 * repeats nothing. An answer that is no upgrade is read whole.
 */
export async function openWebSocket(
  userAgent: string,
  request: UpgradeRequest,
  signal?: AbortSignal
): Promise<Upgrade> {
  const attempt = new Attempt(request.timeout, signal)
  const socket = await createSocket(userAgent, request, attempt)
  try {
    return await attempt.race(outcome(socket, request))
  } catch (cause) {
    socket.on('error', () => {}).terminate()
    return attempt.failed(cause)
  } finally {
    attempt.stopTheClock()
    attempt.letGo()
  }
}

/** `ws` is loaded only here: few ever open a WebSocket. */
async function createSocket(userAgent: string, request: UpgradeRequest, attempt: Attempt): Promise<WebSocket> {
  const { WebSocket } = await import('ws')
  const agent = tunnelOf(new HttpClient(userAgent).getAgent(request.url), attempt.signal)
  const options: ClientOptions & { readonly closeTimeout: number } = {
    headers: { 'user-agent': userAgent, ...request.headers },
    ...(agent !== undefined && { agent }),
    perMessageDeflate: false,
    maxPayload: request.longestMessage,
    closeTimeout,
    finishRequest: (sending) => {
      sending.once('socket', (connection) => whenConnected(sending, connection, () => attempt.leaves()))
      sending.end()
    }
  }
  return new WebSocket(request.url.replace(/^http/, 'ws'), [request.protocol], options)
}

function outcome(socket: WebSocket, { longestAnswer }: UpgradeRequest): Promise<Upgrade> {
  return new Promise((resolve, reject) => {
    let head: IncomingMessage | undefined
    socket
      .once('upgrade', (message) => {
        head = message
      })
      .once('open', () => {
        if (head === undefined) return
        socket.pause()
        resolve({ kind: 'upgraded', answer: { ...headOf(head), body: '' }, socket, connection: head.socket })
      })
      .once('unexpected-response', (sending, message) => {
        readWhole(message, longestAnswer)
          .then((body) => resolve({ kind: 'answered', answer: { ...headOf(message), body } }))
          .catch(reject)
          .finally(() => sending.destroy())
      })
      .once('error', (error) => reject(head === undefined ? error : new NoWebSocket(error.message)))
  })
}
