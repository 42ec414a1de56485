import type { IncomingHttpHeaders } from 'node:http'
import { HttpClient } from '@actions/http-client'
import type { z } from 'zod'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { type Patience, parseRetryAfter, type Retry, withRetries } from '../retry.ts'
import { within } from './within.ts'

/** Reads GitHub's REST API. What goes wrong is a value. */
export type GitHubApi = {
  /** The answer to `GET path`, of a shape. `path` begins with a slash and may have a query. */
  get<T>(path: string, shape: z.ZodType<T>, needs?: Needs): Promise<ApiAnswer<T>>
  /** The pages of a list, one after the other as they are asked for; ends with the last or with a failure. */
  pages<T>(path: string, shape: z.ZodType<T>, needs?: Needs): AsyncGenerator<ApiAnswer<T>, void>
}

/** The permission of `GITHUB_TOKEN` that a request needs, such as `actions: read`. */
export type Needs = { readonly permission: string }

export type ApiAnswer<T> = { readonly kind: 'ok'; readonly value: T } | ApiFailure

export type ApiFailure = {
  readonly kind: 'not-found' | 'forbidden' | 'rate-limited' | 'unreachable' | 'unexpected'
  /** What was asked for, what came back, and what to do. */
  readonly reason: string
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

/** The REST API of github.com or of a GitHub Enterprise: https://docs.github.com/rest. Each `GET` is tried up to 3 times. */
export function gitHubApi(options: GitHubApiOptions): GitHubApi {
  const base = options.url.replace(/\/+$/, '')
  const get = async <T>(url: string, shape: z.ZodType<T>, needs?: Needs): Promise<Read<T>> => {
    const what = url.slice(base.length).replace(/\?.*$/s, '')
    const response = await request(url, what, options)
    if (response.kind === 'none') return { answer: unreachable(what, base, response.error) }
    if (response.status !== 200) return { answer: failureOf(what, response, options, needs) }
    return { answer: shaped(what, response.body, shape), next: nextPage(response.headers, base) }
  }
  return {
    get: async (path, shape, needs) => (await get(`${base}${path}`, shape, needs)).answer,
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
      readonly body: string
    }
  | { readonly kind: 'none'; readonly error: unknown }

function request(url: string, what: string, options: GitHubApiOptions): Promise<Response> {
  const { token, clock, version, timeout = 20_000, patience = shortPatience, onRetry } = options
  const client = new HttpClient(`stdb-actions/${version}`, [], { allowRetries: false, socketTimeout: timeout })
  const headers = {
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    ...(token && { authorization: `Bearer ${token}` })
  }
  const exchange = async (): Promise<Response> => {
    const { message, readBody } = await client.get(url, headers).then((response) => ({
      message: response.message,
      readBody: () => response.readBody()
    }))
    return { kind: 'answer', status: message.statusCode ?? 0, headers: message.headers, body: await readBody() }
  }
  return withRetries(
    () => within(timeout, exchange()).catch((error): Response => ({ kind: 'none', error })),
    (response) => reasonToRetry(response, clock.now()),
    {
      patience,
      clock,
      onRetry: ({ reason }, delay) => onRetry?.(`GitHub's API, ${what}: ${reason}; again in ${delay} ms`)
    }
  )
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

function shaped<T>(what: string, body: string, shape: z.ZodType<T>): ApiAnswer<T> {
  const parsed = shape.safeParse(jsonOf(body))
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
  const said = messageIn(body)
  const permission = needs ? ` The job needs \`permissions: ${needs.permission}\`.` : ''
  if (status === 429 || (status === 403 && isRateLimit(headers, said))) {
    const cure = token ? '' : ' With a `github-token` many more requests are allowed.'
    return { kind: 'rate-limited', reason: `GitHub takes no more requests ${until(headers, clock)}.${cure}` }
  }
  if (status === 401) {
    return { kind: 'forbidden', reason: `GitHub does not know the token (401 for ${what}). Check \`github-token\`.` }
  }
  if (status === 403) return { kind: 'forbidden', reason: `GitHub refused ${what}: ${said}.${permission}` }
  if (status === 404) {
    return { kind: 'not-found', reason: `GitHub has no ${what}, or does not show it to this token.${permission}` }
  }
  return { kind: 'unexpected', reason: `GitHub answered ${status} to ${what}: ${said}.` }
}

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function isRateLimit(headers: IncomingHttpHeaders, said: string): boolean {
  return headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined || /rate limit/i.test(said)
}

function until(headers: IncomingHttpHeaders, clock: Clock): string {
  const reset = Number(headers['x-ratelimit-reset']) * 1000
  const wait = parseRetryAfter(headers['retry-after'], clock.now())
  const end = wait === undefined ? reset : clock.now() + wait
  return Number.isFinite(end) && end > 0 ? `until ${new Date(end).toISOString()}` : 'for a while'
}

function messageIn(body: string): string {
  const json = jsonOf(body)
  const message = typeof json === 'object' && json !== null && 'message' in json ? String(json.message) : body
  return message.replace(/\s+/g, ' ').trim().slice(0, 300).replace(/\.$/, '') || 'no reason was given'
}

function unreachable(what: string, base: string, error: unknown): ApiFailure {
  return { kind: 'unreachable', reason: `${base} could not be asked for ${what}: ${messageOf(error)}.` }
}

/** https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api. The token goes to no other server. */
function nextPage({ link }: IncomingHttpHeaders, base: string): string | undefined {
  const links = (Array.isArray(link) ? link.join(',') : (link ?? '')).split(',')
  const next = links.map((each) => /<([^>]+)>.*\brel="next"/.exec(each)?.[1]).find((url) => url !== undefined)
  return next?.startsWith(`${base}/`) ? next : undefined
}
