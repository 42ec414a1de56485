import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { HttpClient } from '@actions/http-client'
import { AnswerTooLong, headOf } from './answer-body.ts'
import { DeadlineExceeded, whenConnected } from './attempt.ts'
import type { Exchange } from './transport.ts'

/**
 * One connection that carries requests one after another, and is made anew when it broke. A request costs a third of
 * what it does through a `Transport`. Proxies are honoured as there.
 */
export type KeptConnection = {
  /** Sends a `POST` once. One at a time. */
  post(request: KeptRequest): Promise<Exchange>
  /** Ends the connection, and a request that is on its way. */
  close(): void
}

export type KeptRequest = {
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Milliseconds for all of it. */
  readonly timeout: number
}

/** In bytes. */
const longestAnswer = 16 * 1024 * 1024

/** Connects with the first request. `url` is the server's, without a trailing slash. */
export function keepConnection(userAgent: string, url: string): KeptConnection {
  const client = new HttpClient(userAgent, [], { keepAlive: true, maxSockets: 1 })
  const agent = client.getAgent(url)
  const { protocol, hostname, port, pathname } = new URL(url)
  const send = protocol === 'https:' ? httpsRequest : httpRequest
  const base = pathname.replace(/\/$/, '')
  const target = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, method: 'POST', agent }
  let current: ClientRequest | undefined
  return {
    post: ({ path, headers, body, timeout }) => {
      const length = { 'user-agent': userAgent, 'content-length': body.byteLength }
      const options: RequestOptions = { ...target, path: base + path, headers: { ...headers, ...length } }
      current = send(options)
      return exchange(current, body, timeout)
    },
    close: () => {
      current?.destroy()
      client.dispose()
    }
  }
}

function exchange(sending: ClientRequest, body: Uint8Array, timeout: number): Promise<Exchange> {
  return new Promise((resolve) => {
    let sent = false
    const end = (result: Exchange) => {
      clearTimeout(timer)
      resolve(result)
    }
    const fail = (cause: unknown) => end({ kind: sent ? 'lost' : 'not-sent', cause })
    // A proxy that hangs causes no event at all, so that the deadline has to end it by itself.
    const timer = setTimeout(() => {
      fail(new DeadlineExceeded(timeout))
      sending.destroy()
    }, timeout)
    sending.on('error', fail)
    sending.once('close', () => fail(new Error('the connection was closed')))
    sending.once('socket', (socket) =>
      whenConnected(sending, socket, () => {
        sent = true
      })
    )
    sending.once('response', (message: IncomingMessage) =>
      read(message, (text) => end({ kind: 'answered', answer: { ...headOf(message), body: text } }), fail)
    )
    sending.end(body)
  })
}

function read(message: IncomingMessage, done: (text: string) => void, fail: (cause: unknown) => void): void {
  const chunks: Buffer[] = []
  let length = 0
  message.on('data', (chunk: Buffer) => {
    length += chunk.byteLength
    if (length <= longestAnswer) chunks.push(chunk)
    else message.destroy(new AnswerTooLong(`the answer is longer than ${longestAnswer} bytes`))
  })
  message.once('error', fail)
  message.once('end', () => done(Buffer.concat(chunks).toString('utf8')))
}
