import { createHash } from 'node:crypto'
import { type HostAnswer, type HostRequest, jsonAnswer } from './http-answer.ts'

export type Credentials = {
  /** Whether a token is known; any other is refused. */
  readonly isKnown: (token: string) => boolean
  /** Requests that whoever has no token may make. */
  readonly anonymousLimit: number
  /** How much a token may write in a minute. */
  readonly mostWrites: () => number
}

/**
 * Who asks GitHub's API, and how often: 60 requests an hour without a token, 5,000 with one, and so many writes a minute
 * (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). The hour is never over.
 */
export class RateLimit {
  readonly #credentials: Credentials
  readonly #used = new Map<string, number>()
  /** When each token wrote, in milliseconds since the epoch. */
  readonly #writes = new Map<string, number[]>()
  readonly #reset = Math.floor(Date.now() / 1000) + 1800

  constructor(credentials: Credentials) {
    this.#credentials = credentials
  }

  /** The answer with its headers on it; instead of it a refusal when the token is unknown or requests are used up. */
  admit<Given extends HostAnswer | undefined>(
    request: HostRequest,
    answer: (token: string | undefined) => Given
  ): HostAnswer | Given {
    const token = /^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (request.headers.authorization !== undefined && !this.#credentials.isKnown(token ?? '')) {
      const documentation_url = 'https://docs.github.com/rest'
      return jsonAnswer(401, { message: 'Bad credentials', documentation_url, status: '401' })
    }
    const limit = token === undefined ? this.#credentials.anonymousLimit : 5000
    const used = (this.#used.get(token ?? '') ?? 0) + 1
    this.#used.set(token ?? '', used)
    const headers = rateHeaders(limit, used, this.#reset)
    if (used > limit) return limitExceeded(headers)
    if (isWrite(request) && !this.#admitWrite(token ?? '')) return tooManyWrites(headers)
    const given = answer(token)
    return given && { ...given, headers: { ...given.headers, ...headers, 'x-github-request-id': idOf(request, used) } }
  }

  #admitWrite(token: string): boolean {
    const recent = (this.#writes.get(token) ?? []).filter((at) => at > Date.now() - 60_000)
    this.#writes.set(token, [...recent, Date.now()])
    return recent.length < this.#credentials.mostWrites()
  }
}

/** All but queries, by REST or GraphQL. */
function isWrite({ method, url }: HostRequest): boolean {
  return method !== 'GET' && !url.pathname.endsWith('/graphql')
}

/** GitHub's answer when requests are used up until `reset` (seconds since the epoch). */
export function rateLimited(reset: number): HostAnswer {
  return limitExceeded(rateHeaders(60, 60, reset))
}

function limitExceeded(headers: Readonly<Record<string, string>>): HostAnswer {
  const message =
    "API rate limit exceeded for 127.0.0.1. (But here's the good news: Authenticated requests get a higher rate limit. " +
    'Check out the documentation for more details.)'
  const documentation_url = 'https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting'
  return jsonAnswer(403, { message, documentation_url }, headers)
}

function tooManyWrites(headers: Readonly<Record<string, string>>): HostAnswer {
  const message =
    'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.'
  const documentation_url =
    'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits'
  return jsonAnswer(403, { message, documentation_url }, { ...headers, 'retry-after': '60' })
}

function rateHeaders(limit: number, used: number, reset: number): Record<string, string> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(Math.max(0, limit - used)),
    'x-ratelimit-used': String(Math.min(used, limit)),
    'x-ratelimit-reset': String(reset),
    'x-ratelimit-resource': 'core'
  }
}

function idOf({ url }: HostRequest, used: number): string {
  return createHash('sha1').update(`${url.href} ${used}`).digest('hex').slice(0, 20).toUpperCase()
}
