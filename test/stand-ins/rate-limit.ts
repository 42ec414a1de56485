import { createHash } from 'node:crypto'
import { type HostAnswer, type HostRequest, jsonAnswer } from './http-answer.ts'

export type Credentials = {
  /** Whether a token is known; any other is refused. */
  readonly isKnown: (token: string) => boolean
  /** Requests that whoever has no token may make. */
  readonly anonymousLimit: number
}

/**
 * Who asks GitHub's API, and how often: 60 requests an hour without a token, 5,000 with one
 * (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). The hour is never over.
 */
export class RateLimit {
  readonly #credentials: Credentials
  readonly #used = new Map<string, number>()
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
    const given = answer(token)
    return given && { ...given, headers: { ...given.headers, ...headers, 'x-github-request-id': idOf(request, used) } }
  }
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
