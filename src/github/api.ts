import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { HttpClient } from '@actions/http-client'
import * as z from 'zod'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { type Patience, parseRetryAfter, type Retry, withRetries } from '../retry.ts'
import { errorCode, unreachableReason } from '../unreachable.ts'
import { within } from './within.ts'

/** GitHub's REST API. What goes wrong is a value. */
export type GitHubApi = {
  /** The answer to `GET path`, of a shape. `path` begins with a slash and may have a query. */
  get<T>(path: string, shape: z.ZodType<T>, needs?: Needs): Promise<ApiAnswer<T>>
  /** The file that `GET path` gives or leads to; `unexpected` when it has more than so many bytes. */
  bytes(path: string, most: number, needs?: Needs): Promise<ApiAnswer<Uint8Array>>
  /** The pages of a list, one after the other as they are asked for; ends with the last or with a failure. */
  pages<T>(path: string, shape: z.ZodType<T>, needs?: Needs): AsyncGenerator<ApiAnswer<T>, void>
  /** Makes something. Sent once: when no answer comes, or a server's error, it may have been made all the same. */
  post<T>(path: string, body: unknown, shape: z.ZodType<T>, needs?: Needs): Promise<ApiAnswer<T>>
  patch<T>(path: string, body: unknown, shape: z.ZodType<T>, needs?: Needs): Promise<ApiAnswer<T>>
  /** `not-found` also when an earlier attempt of this call has removed it and its answer was lost. */
  delete(path: string, needs?: Needs): Promise<ApiAnswer<undefined>>
  /** What a query of the GraphQL API answers as its `data`. Not for mutations, since it may be sent several times. */
  query<T>(query: string, shape: z.ZodType<T>): Promise<ApiAnswer<T>>
}

/** The permission of `GITHUB_TOKEN` that a request needs, such as `actions: read`. */
export type Needs = { readonly permission: string }

export type ApiAnswer<T> = { readonly kind: 'ok'; readonly value: T } | ApiFailure

export type ApiFailure = {
  readonly kind: 'not-found' | 'forbidden' | 'rate-limited' | 'unreachable' | 'unexpected'
  /** What was asked for, what came back, and what to do. */
  readonly reason: string
  /** Of HTTP; none when no answer came. */
  readonly status?: number
  /** Of `rate-limited`: the milliseconds that GitHub asks to wait, where it says so. */
  readonly retryAfter?: number
}

export type GitHubApiOptions = {
  /** `GITHUB_API_URL`. */
  readonly url: string
  /** Without it only what is public can be read, and little of that in an hour. */
  readonly token: string | undefined
  /** Of this project, for the User-Agent. */
  readonly version: string
  readonly clock: Clock
  /** Milliseconds for each request; 20 s without it. */
  readonly timeout?: number
  readonly patience?: Patience
  readonly onRetry?: (text: string) => void
}

const shortPatience: Patience = { attempts: 3, firstDelay: 500, longestDelay: 3_000, total: 20_000 }

/**
 * The API of github.com or of a GitHub Enterprise: https://docs.github.com/rest. What is safe to repeat is tried up to
 * 3 times.
 */
export function gitHubApi(options: GitHubApiOptions): GitHubApi {
  const base = options.url.replace(/\/+$/, '')
  const send = async <T>(request: Request, shape: z.ZodType<T>, needs?: Needs): Promise<Read<T>> => {
    const response = await responseTo(request, options)
    if (response.kind === 'none') return { answer: unreachable(request.what, base, response.error) }
    const { status, headers, body } = response
    if (status < 200 || status > 299) return { answer: failureOf(request.what, response, options, needs) }
    return { answer: shaped(request.what, jsonOf(body.toString()), shape), next: nextPage(headers, base) }
  }
  const get = <T>(url: string, shape: z.ZodType<T>, needs?: Needs) => {
    const what = url.slice(base.length).replace(/\?.*$/s, '')
    return send({ method: 'GET', url, what, repeatable: true }, shape, needs)
  }
  const change = async <T>(method: Method, path: string, body: unknown, shape: z.ZodType<T>, needs?: Needs) => {
    const request = { method, url: `${base}${path}`, what: `${method} ${path}`, body, repeatable: method !== 'POST' }
    return (await send(request, shape, needs)).answer
  }
  return {
    get: async (path, shape, needs) => (await get(`${base}${path}`, shape, needs)).answer,
    bytes: async (path, most, needs) => {
      const request: Request = { method: 'GET', url: `${base}${path}`, what: path, repeatable: true, most }
      const response = await responseTo(request, options)
      if (response.kind === 'none') return unreachable(path, base, response.error)
      if (response.status !== 200) return failureOf(path, response, options, needs)
      if (response.body.length <= most) return { kind: 'ok', value: response.body }
      return { kind: 'unexpected', reason: `GitHub's answer to ${path} has more than ${most} bytes.` }
    },
    post: (path, body, shape, needs) => change('POST', path, body, shape, needs),
    patch: (path, body, shape, needs) => change('PATCH', path, body, shape, needs),
    delete: (path, needs) => change('DELETE', path, undefined, z.undefined(), needs),
    query: async (query, shape) => {
      const url = graphqlUrl(base)
      const request: Request = { method: 'POST', url, what: 'the GraphQL API', body: { query }, repeatable: true }
      const { answer } = await send(request, queryShape)
      return answer.kind === 'ok' ? queried(answer.value, shape) : answer
    },
    pages: async function* (path, shape, needs) {
      let url: string | undefined = `${base}${path}`
      while (url !== undefined) {
        const read: Read<z.output<typeof shape>> = await get(url, shape, needs)
        yield read.answer
        url = read.next
      }
    }
  }
}

type Read<T> = { readonly answer: ApiAnswer<T>; readonly next?: string | undefined }

type Response =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: IncomingHttpHeaders
      readonly body: Buffer
    }
  | { readonly kind: 'none'; readonly error: unknown }

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

type Request = {
  readonly method: Method
  readonly url: string
  /** In words. */
  readonly what: string
  readonly body?: unknown
  /** Whether it does no harm to send it again when nobody knows what became of it. */
  readonly repeatable: boolean
  /** Of a file: how many bytes of it are wanted at most. */
  readonly most?: number
}

function responseTo(request: Request, options: GitHubApiOptions): Promise<Response> {
  const { method, url, what, body, repeatable, most } = request
  const { token, clock, version, timeout = 20_000, patience = shortPatience, onRetry } = options
  const client = new HttpClient(`stdb-actions/${version}`, [], { allowRetries: false, socketTimeout: timeout })
  const headers = {
    accept: most === undefined ? 'application/vnd.github+json' : 'application/octet-stream',
    'x-github-api-version': '2022-11-28',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(token && { authorization: `Bearer ${token}` })
  }
  const exchange = async (): Promise<Response> => {
    const sent = client.request(method, url, body === undefined ? null : JSON.stringify(body), headers)
    const message = await sent.then((response) => response.message)
    const { statusCode: status = 0, headers: answered } = message
    return { kind: 'answer', status, headers: answered, body: await bodyOf(message, most) }
  }
  return withRetries(
    () =>
      within(most === undefined ? timeout : timeout + millisecondsFor(most), exchange()).catch(
        (error): Response => ({ kind: 'none', error })
      ),
    (response) => (repeatable ? reasonToRetry(response, clock.now()) : undefined),
    {
      patience,
      clock,
      onRetry: ({ reason }, delay) => onRetry?.(`GitHub's API, ${what}: ${reason}; again in ${delay} ms`)
    }
  )
}

/** Of a file no more than shows that it is too long. */
async function bodyOf(message: IncomingMessage, most = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of message) {
    chunks.push(chunk)
    length += chunk.length
    if (length > most) break
  }
  return Buffer.concat(chunks)
}

/** At 1 MB/s. */
function millisecondsFor(bytes: number): number {
  return Math.ceil(bytes / 1000)
}

/** How long a server may ask to wait before the request is given up instead, in milliseconds. */
const longestWait = 10_000

function reasonToRetry(response: Response, now: number): Retry | undefined {
  if (response.kind === 'none') return { reason: messageOf(response.error) }
  if (response.status < 500) return undefined
  const atLeast = parseRetryAfter(response.headers['retry-after'], now)
  if (atLeast !== undefined && atLeast > longestWait) return undefined
  return { reason: `it answered ${response.status}`, ...(atLeast !== undefined && { atLeast }) }
}

function shaped<T>(what: string, json: unknown, shape: z.ZodType<T>): ApiAnswer<T> {
  const parsed = shape.safeParse(json)
  if (parsed.success) return { kind: 'ok', value: parsed.data }
  const [issue] = parsed.error.issues
  const place = issue?.path.join('.') || 'the whole answer'
  return { kind: 'unexpected', reason: `GitHub's answer to ${what} has an unknown shape: ${place}: ${issue?.message}` }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function failureOf(
  what: string,
  response: Response & { kind: 'answer' },
  { token, clock }: GitHubApiOptions,
  needs: Needs | undefined
): ApiFailure {
  const { status, headers, body } = response
  const said = messageIn(body.toString())
  const permission = needs && !/\blocked\b/.test(said) ? ` The job needs \`permissions: ${needs.permission}\`.` : ''
  if (status === 429 || (status === 403 && isRateLimit(headers, said))) {
    const cure = token ? '' : ' With a `github-token` many more requests are allowed.'
    const retryAfter = parseRetryAfter(headers['retry-after'], clock.now())
    const reason = `GitHub takes no more requests for now (${status}, rate limit)${end(headers, clock)}.${cure}`
    return { kind: 'rate-limited', status, reason, ...(retryAfter !== undefined && { retryAfter }) }
  }
  if (status === 401) {
    const reason = `GitHub does not know the token (401 for ${what}). Check \`github-token\`.`
    return { kind: 'forbidden', status, reason }
  }
  if (status === 403) return { kind: 'forbidden', status, reason: `GitHub refused ${what}: ${said}.${permission}` }
  if (status === 404) {
    const reason = `GitHub has no ${what}, or does not show it to this token.${permission}`
    return { kind: 'not-found', status, reason }
  }
  return { kind: 'unexpected', status, reason: `GitHub answered ${status} to ${what}: ${said}.` }
}

/** https://docs.github.com/graphql/guides/forming-calls-with-graphql: beside the REST API, at an Enterprise instead of its version. */
function graphqlUrl(base: string): string {
  return `${base.replace(/\/api\/v3$/, '/api')}/graphql`
}

const queryShape = z.object({
  data: z.unknown(),
  errors: z.array(z.object({ type: z.string().optional(), message: z.string() })).optional()
})

function queried<T>({ data, errors }: z.output<typeof queryShape>, shape: z.ZodType<T>): ApiAnswer<T> {
  const [error] = errors ?? []
  if (error)
    return {
      kind: queryFailures.get(error.type) ?? 'unexpected',
      reason: `GitHub answered no query: ${error.message}.`
    }
  return shaped('a query', data, shape)
}

const queryFailures: ReadonlyMap<string | undefined, ApiFailure['kind']> = new Map([
  ['FORBIDDEN', 'forbidden'],
  ['RATE_LIMITED', 'rate-limited'],
  ['NOT_FOUND', 'not-found']
] as const)

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function isRateLimit(headers: IncomingHttpHeaders, said: string): boolean {
  return headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined || /rate limit/i.test(said)
}

function end(headers: IncomingHttpHeaders, clock: Clock): string {
  const now = clock.now()
  const wait = parseRetryAfter(headers['retry-after'], now)
  const end = new Date(wait === undefined ? Number(headers['x-ratelimit-reset']) * 1000 : now + wait)
  if (!(end.getTime() > 0)) return ''
  return `; it does again at ${end.toISOString()}, in ${Math.max(1, Math.ceil((end.getTime() - now) / 60_000))} min`
}

function messageIn(body: string): string {
  const json = jsonOf(body)
  const message = typeof json === 'object' && json !== null && 'message' in json ? String(json.message) : body
  return message.replace(/\s+/g, ' ').trim().slice(0, 300).replace(/\.$/, '') || 'no reason was given'
}

function unreachable(what: string, base: string, error: unknown): ApiFailure {
  const { host } = new URL(base)
  const said = errorCode(error) ? `no connection to ${host} could be made (${errorCode(error)})` : messageOf(error)
  const why = unreachableReason(error, host) ?? said
  return { kind: 'unreachable', reason: `GitHub's API could not be asked for ${what}: ${why}.` }
}

/** https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api. The token goes to no other server. */
function nextPage({ link }: IncomingHttpHeaders, base: string): string | undefined {
  const links = (Array.isArray(link) ? link.join(',') : (link ?? '')).split(',')
  const next = links.map((each) => /<([^>]+)>.*\brel="next"/.exec(each)?.[1]).find((url) => url !== undefined)
  return next?.startsWith(`${base}/`) ? next : undefined
}
