import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Patience, Retry } from '../retry.ts'
import { errorCode, unreachableReason } from '../unreachable.ts'
import { DeadlineExceeded } from './attempt.ts'
import type { Answer, Exchange, NoAnswer, Request, Stream, Transport } from './transport.ts'

/** What reaches other hosts, and how long it tries. */
export type Network = {
  readonly transport: Transport
  readonly clock: Clock
  readonly patience: Patience
  /** Told before a wait: what failed, as a sentence. */
  readonly onRetry: (message: string) => void
  /** Ends requests and waits. */
  readonly signal?: AbortSignal | undefined
}

/** Sends a request whose whole answer is wanted; the signal ends it. */
export async function exchange({ transport, signal }: Network, request: Request): Promise<Exchange> {
  const deadline = AbortSignal.timeout(request.timeout)
  const result = await transport.stream(request, AbortSignal.any([deadline, ...(signal ? [signal] : [])]))
  if (result.kind !== 'streaming') return result
  try {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of result.chunks) {
      length += chunk.byteLength
      if (length > request.longestAnswer) throw new Error(`the answer is longer than ${request.longestAnswer} bytes`)
      chunks.push(chunk)
    }
    return { kind: 'answered', answer: { ...result.answer, body: Buffer.concat(chunks).toString('utf8') } }
  } catch (cause) {
    return { kind: 'lost', cause: deadline.aborted ? new DeadlineExceeded(request.timeout) : cause }
  }
}

const mostRedirects = 5

/**
 * Sends a GET to an address and then to where it is redirected, at most five times and never from https to http.
 * `send` gets the number of redirects before, so that it can keep a credential for the first.
 */
export async function followRedirects<Result extends Exchange | Stream>(
  address: string,
  send: (url: string, redirects: number) => Promise<Result>
): Promise<Result | NoAnswer> {
  let url = address
  for (let redirects = 0; ; redirects++) {
    const result = await send(url, redirects)
    const next = 'answer' in result ? redirectOf(result.answer, url) : undefined
    if (next === undefined) return result
    const problem =
      redirects === mostRedirects
        ? `${hostOf(address)} redirects more than ${mostRedirects} times`
        : next.startsWith('https:') || url.startsWith('http:')
          ? undefined
          : `${hostOf(url)} redirects to ${hostOf(next)} without encryption`
    if (problem !== undefined) return { kind: 'not-sent', cause: new BadRedirect(problem) }
    url = next
  }
}

/** A redirect that isn't followed. */
class BadRedirect extends Error {
  override readonly name = 'BadRedirect'
}

function redirectOf({ status, headers }: Answer, url: string): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined
  return URL.canParse(headers.location, url) ? new URL(headers.location, url).href : undefined
}

/** Why there was no answer, without an end. Addresses are given by their host: a redirect's may hold a signature. */
export function reasonOf({ kind, cause }: NoAnswer, host: string): string {
  if (cause instanceof BadRedirect) return cause.message
  if (cause instanceof DeadlineExceeded)
    return `${host} gave no answer within ${Math.round(cause.milliseconds / 1000)} s`
  const known = unreachableReason(cause, host)
  if (known !== undefined) return known
  const said = errorCode(cause) || messageOf(cause).replace(/\s+/g, ' ').slice(0, 200)
  return kind === 'lost'
    ? `the connection to ${host} broke (${said})`
    : `no connection to ${host} could be made (${said})`
}

/** Where it may help to ask again. */
export function passingProblem(result: Exchange | Stream, host: string): Retry | undefined {
  if (!('answer' in result)) {
    const final = result.cause instanceof BadRedirect || errorCode(result.cause).includes('CERT')
    return final ? undefined : { reason: reasonOf(result, host) }
  }
  const { status } = result.answer
  return status === 408 || status >= 500 ? { reason: `${host} answered ${status}` } : undefined
}

/** The host of an address, its port too where it is not the usual one. */
export function hostOf(url: string): string {
  return new URL(url).host
}
