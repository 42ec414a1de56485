import type * as z from 'zod'
import type { Clock } from '../clock.ts'
import { type Patience, parseRetryAfter, type Retry, withRetries } from '../retry.ts'
import { withIdleLimit } from './answer-body.ts'
import type { Credential } from './credential.ts'
import { type Context, failureOf, failureOn, failureWithoutAnswer, unexpectedAnswer } from './failures.ts'
import type { Secrets } from './secrets.ts'
import type { FailureKind, ServerFailure } from './server.ts'
import type { Answer, Exchange, Method, NoAnswer, Request, Stream, Transport } from './transport.ts'
import type { Upgrade } from './web-socket.ts'

/** A request to the server with what is needed to judge and to explain its answer. */
export type Question = {
  /** To be read after "could not": `plan an update of "counter"`. */
  readonly purpose: string
  readonly method: Method
  /** With the query. */
  readonly path: string
  readonly body?: Uint8Array | string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds, for each attempt. */
  readonly timeout: number
  /** Milliseconds, for all attempts together. */
  readonly total?: number
  /** The input that raises the time limit. */
  readonly timeoutInput?: string | undefined
  /** In bytes; 16 MiB unless told. */
  readonly longestAnswer?: number
  /** Of a stream: a break before its first byte counts as no answer, and is asked again. */
  readonly beginsWithBody?: boolean
  /** Of a stream: the longest time without a byte, in milliseconds. */
  readonly idleTimeout?: number
  /** Sent without a token: what doesn't concern a database. */
  readonly anonymous?: boolean
  /** The server runs the module's `client_connected` first: SQL and calls (docs/server-behaviour.md, "Connections"). */
  readonly connects?: boolean
  /** Whether an answer that sounds like trouble is the server's last word. */
  readonly isFinal?: (answer: Answer) => boolean
}

/** What became of a question that was sent once. */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'not-sent' | 'lost'; readonly failure: ServerFailure }

/** Talks to one server as one identity. */
export type Session = {
  readonly url: string
  readonly identity: Credential['identity'] | undefined
  /** Asks, and asks again where that may help; throws a `ServerFailure` when no answer can be had. */
  ask(question: Question): Promise<Answer>
  /** Sends on a connection of its own, whatever happens only once. */
  sendOnce(question: Question): Promise<Outcome>
  /** Like `ask`, but the body of a 200 comes as it arrives. The signal ends it, by an error. */
  stream(question: Question, signal?: AbortSignal): Promise<Exclude<Stream, NoAnswer>>
  /** Opens a WebSocket, once. Without an answer it throws a `ServerFailure`. */
  upgrade(question: Question, socket: SocketNeeds, signal?: AbortSignal): Promise<Exclude<Upgrade, NoAnswer>>
  /** The failure that an answer with an unwanted status is. */
  failure(question: Question, answer: Answer): ServerFailure
  /** The failure that an answer with a strange body is. */
  unexpected(question: Question, answer: Answer, problem: string): ServerFailure
  /** The body in a form that is known; throws the failure that it isn't. `read` is `JSON.parse` unless told. */
  parse<Schema extends z.ZodType>(
    question: Question,
    answer: Answer,
    schema: Schema,
    read?: (text: string) => unknown
  ): z.output<Schema>
  /** The failure that a break in the middle of a stream is. */
  broken(question: Question, cause: unknown): ServerFailure
  /** The failure that no answer is. */
  unanswered(question: Question, exchange: NoAnswer): ServerFailure
  /** The failure that something else than an answer is: `problem` is a sentence. */
  failed(question: Question, kind: FailureKind, problem: string): ServerFailure
  redact(text: string): string
  /** The header that says who asks, a secret; none without a credential. */
  authorization(): Promise<Readonly<Record<string, string>>>
  /** A token that came in another way than by a header: before anything else is done with it. */
  keepSecret(secret: string): void
}

export type SocketNeeds = { readonly protocol: string; readonly longestMessage: number }

export type SessionOptions = {
  readonly url: string
  readonly credential: Credential | undefined
  readonly transport: Transport
  readonly secrets: Secrets
  readonly clock: Clock
  readonly patience: Patience
  /** Told before each wait. */
  readonly onRetry?: ((message: string) => void) | undefined
}

const mebibyte = 1024 * 1024

export function openSession({
  url,
  credential,
  transport,
  secrets,
  clock,
  patience,
  onRetry
}: SessionOptions): Session {
  const contextOf = (question: Question): Context => ({
    purpose: question.purpose,
    server: url,
    timeoutInput: question.timeoutInput,
    connects: question.connects,
    identity: question.anonymous ? undefined : credential?.identity,
    redact: secrets.redact
  })

  async function requestFor(question: Question, mayShareConnection: boolean): Promise<Request> {
    const body = typeof question.body === 'string' ? new TextEncoder().encode(question.body) : question.body
    return {
      method: question.method,
      url: url + question.path,
      headers: {
        ...question.headers,
        ...(question.contentType !== undefined && { 'content-type': question.contentType }),
        ...(question.anonymous ? {} : await authorization())
      },
      ...(body !== undefined && { body }),
      timeout: question.timeout,
      longestAnswer: question.longestAnswer ?? 16 * mebibyte,
      ...(question.beginsWithBody && { beginsWithBody: true }),
      mayShareConnection
    }
  }

  async function authorization(): Promise<Record<string, string>> {
    if (credential === undefined) return {}
    const token = await credential.token()
    secrets.add(token)
    return { authorization: `Bearer ${token}` }
  }

  async function repeatedly<Result extends Exchange | Stream>(
    question: Question,
    send: (request: Request) => Promise<Result>,
    signal?: AbortSignal
  ): Promise<Exclude<Result, NoAnswer>> {
    const { total = Number.POSITIVE_INFINITY } = question
    const end = clock.now() + total
    const attempt = async () => {
      const timeout = Math.min(question.timeout, Math.max(1, end - clock.now()))
      return hideToken(await send(await requestFor({ ...question, timeout }, true)))
    }
    const result = await withRetries(
      attempt,
      (given) => (signal?.aborted ? undefined : reasonToRetry(question, given)),
      {
        signal,
        patience: { ...patience, total: Math.min(patience.total, total) },
        clock,
        onRetry: ({ reason }, delay) => onRetry?.(`${reason} Trying again in ${(delay / 1000).toFixed(1)} s.`)
      }
    )
    if (isUnanswered(result)) throw failureWithoutAnswer(contextOf(question), result)
    return result as Exclude<Result, NoAnswer>
  }

  function reasonToRetry(question: Question, result: Exchange | Stream): Retry | undefined {
    if (isUnanswered(result)) {
      const { kind, message } = failureWithoutAnswer(contextOf(question), result)
      return passingFailures.has(kind) ? { reason: message } : undefined
    }
    const { answer } = result
    if (!passingStatuses.has(answer.status) || question.isFinal?.(answer)) return undefined
    const atLeast = parseRetryAfter(answer.headers['retry-after'], clock.now())
    return { reason: failureOf(contextOf(question), answer).message, ...(atLeast !== undefined && { atLeast }) }
  }

  /** Takes the token out of an answer before anything else can see it. */
  function hideToken<Result extends Exchange | Stream | Upgrade>(result: Result): Result {
    if (isUnanswered(result)) return result
    const { 'spacetime-identity-token': token, ...headers } = result.answer.headers
    if (token !== undefined) secrets.add(String(token))
    return { ...result, answer: { ...result.answer, headers } }
  }

  return {
    url,
    identity: credential?.identity,
    redact: secrets.redact,
    authorization,
    keepSecret: secrets.add,
    ask: async (question) => (await repeatedly(question, (request) => transport.exchange(request))).answer,
    stream: async (question, signal) => {
      const idle = new AbortController()
      const end = signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal])
      const result = await repeatedly(question, (request) => transport.stream(request, end), signal)
      if (result.kind !== 'streaming' || question.idleTimeout === undefined) return result
      return { ...result, chunks: withIdleLimit(result.chunks, question.idleTimeout, idle) }
    },
    upgrade: async (question, socket, signal) => {
      const request = { ...(await requestFor(question, false)), ...socket }
      const result = hideToken(await transport.upgrade(request, signal))
      if (!isUnanswered(result)) return result
      if (signal?.aborted) throw failureOn(contextOf(question), 'interrupted', 'this side gave the connection up.')
      throw failureWithoutAnswer(contextOf(question), result)
    },
    sendOnce: async (question) => {
      const result = hideToken(await transport.exchange(await requestFor(question, false)))
      if (result.kind === 'answered') return result
      return { kind: result.kind, failure: failureWithoutAnswer(contextOf(question), result) }
    },
    failure: (question, answer) => failureOf(contextOf(question), answer),
    unexpected: (question, answer, problem) => unexpectedAnswer(contextOf(question), answer, problem),
    failed: (question, kind, problem) => failureOn(contextOf(question), kind, problem),
    unanswered: (question, exchange) => failureWithoutAnswer(contextOf(question), exchange),
    broken: (question, cause) => failureWithoutAnswer(contextOf(question), { kind: 'lost', cause }),
    parse: (question, answer, schema, read = JSON.parse) => {
      const parsed = schema.safeParse(readOrNothing(read, answer.body))
      if (parsed.success) return parsed.data
      const [issue] = parsed.error.issues
      const place = issue === undefined || issue.path.length === 0 ? '' : ` at \`${issue.path.join('.')}\``
      throw unexpectedAnswer(
        contextOf(question),
        answer,
        `the answer (${answer.status}) is not what was expected${place}.`
      )
    }
  }
}

function isUnanswered(result: Exchange | Stream | Upgrade): result is NoAnswer {
  return result.kind === 'not-sent' || result.kind === 'lost'
}

const passingFailures: ReadonlySet<FailureKind> = new Set(['unreachable', 'interrupted', 'timed-out'])

const passingStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

function readOrNothing(read: (text: string) => unknown, body: string): unknown {
  try {
    return read(body)
  } catch {
    return undefined
  }
}
