import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Fault } from '../faults/proxy.ts'
import type { HostAnswer } from './http-answer.ts'
import { rateLimited } from './rate-limit.ts'

/** What goes wrong with a host. */
export type InternetFault =
  /** No connection is made: the one to the proxy is reset. */
  | { readonly kind: 'down' }
  /** As the faults of a server are (test/faults/proxy.ts): another answer, none, half of it and nothing more, slowly. */
  | Extract<Fault, { kind: 'answer' | 'hang' | 'stall' | 'trickle' | 'cut' | 'reset-before' }>
  /** All bytes of the answer's body, each bit turned over. */
  | { readonly kind: 'corrupt' }
  /** Half of the body, and the connection is closed in good order; with the length of the whole announced, or none. */
  | { readonly kind: 'short'; readonly announced: boolean }
  /** Redirected to itself. */
  | { readonly kind: 'redirect-loop' }

/** GitHub's API when requests are used up; `reset` in seconds since the epoch. */
export function rateLimitFault(reset: number): InternetFault {
  const { status, headers, body } = rateLimited(reset)
  return { kind: 'answer', status, headers, body: body.toString() }
}

/** Sends an answer, or what a fault makes of it. */
export async function send(
  response: ServerResponse,
  answer: HostAnswer,
  fault: InternetFault | undefined,
  url: URL
): Promise<void> {
  const { status, headers, body } = answer
  const half = body.subarray(0, body.length / 2)
  const whole = { ...headers, 'content-length': body.length }
  switch (fault?.kind) {
    case undefined:
      return end(response.writeHead(status, whole), body)
    case 'down':
    case 'reset-before':
      response.socket?.destroy()
      return
    case 'hang':
      return
    case 'answer': {
      const text = Buffer.from(fault.body ?? '')
      return end(response.writeHead(fault.status, { ...fault.headers, 'content-length': text.length }), text)
    }
    case 'redirect-loop':
      return end(response.writeHead(302, { location: url.href, 'content-length': 0 }), Buffer.alloc(0))
    case 'corrupt':
      return end(response.writeHead(status, whole), Buffer.from(body.map((byte) => byte ^ 0xff)))
    case 'stall':
      response.writeHead(status, whole).write(half)
      return
    case 'trickle':
      return trickle(response.writeHead(status, whole), body, fault.duration)
    case 'cut':
      await write(response.writeHead(status, whole), half)
      response.socket?.destroy()
      return
    case 'short':
      return sendShort(response, status, fault.announced ? whole : headers, half)
  }
}

/** Without an announced length the end of the connection is the end of the body: chunks would tell that it is cut. */
async function sendShort(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | number>>,
  half: Buffer
): Promise<void> {
  response.useChunkedEncodingByDefault = false
  response.shouldKeepAlive = false
  await write(response.writeHead(status, headers), half)
  response.socket?.end()
}

async function trickle(response: ServerResponse, body: Buffer, duration: number): Promise<void> {
  const size = Math.max(1, Math.ceil(body.length / 20))
  for (let at = 0; at < body.length && !response.destroyed; at += size) {
    await wait(duration / 20)
    response.write(body.subarray(at, at + size))
  }
  response.end()
}

function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((written) => response.write(bytes, () => written()))
}

async function end(response: ServerResponse, body: Buffer): Promise<void> {
  response.end(body)
}
