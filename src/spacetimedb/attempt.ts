import type { Agent, ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { NoAnswer } from './transport.ts'

/** The time for a request, or for its connection, was over. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'
  readonly milliseconds: number

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`)
    this.milliseconds = milliseconds
  }
}

/** The answer is an upgrade that breaks the rules of https://www.rfc-editor.org/rfc/rfc6455#section-4.1. */
export class NoWebSocket extends Error {
  override readonly name = 'NoWebSocket'
}

/** How long a connection may take, proxy and TLS included, before the server counts as unreachable. */
const connectTimeout = 20_000

/** One request on its way: its deadlines, and whether it left. */
export class Attempt {
  readonly #controller = new AbortController()
  /** The outer signal ends nothing any more, and holds on to nothing: it may live much longer. */
  readonly letGo: () => void
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #connectTimer: NodeJS.Timeout
  #sent = false

  constructor(timeout: number, outer?: AbortSignal) {
    const deadline = (milliseconds: number) =>
      setTimeout(() => this.#controller.abort(new DeadlineExceeded(milliseconds)), milliseconds)
    this.#connectTimer = deadline(Math.min(connectTimeout, timeout))
    this.#timers = [this.#connectTimer, deadline(timeout)]
    const cancel = () => this.#controller.abort(outer?.reason)
    this.letGo = () => outer?.removeEventListener('abort', cancel)
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

/** Calls `then` once there is a connection, TLS included, on which the request leaves. */
export function whenConnected(request: ClientRequest, socket: Socket, then: () => void): void {
  // A server may answer without reading a large body to its end. Node then writes on after it has let go of the
  // socket, and the error of that would end the process.
  if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore)
  if (request.reusedSocket) then()
  else if (socket instanceof TLSSocket) socket.once('secureConnect', then)
  else if (socket.connecting) socket.once('connect', then)
  else then()
}

function ignore(): void {}

/** The agent when it is one that `tunnel` made for a proxy, with a signal that ends its CONNECT request too. */
export function tunnelOf(agent: Agent, signal: AbortSignal): Agent | undefined {
  if (!('proxyOptions' in agent)) return undefined
  // These are the options of the CONNECT request.
  const { proxyOptions } = agent as Agent & { readonly proxyOptions: { signal?: AbortSignal } }
  proxyOptions.signal = signal
  return agent
}
