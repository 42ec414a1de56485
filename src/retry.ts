import type { Clock } from './clock.ts'

/** How often and how long something is tried. Times are in milliseconds. */
export type Patience = {
  readonly attempts: number
  /** The longest wait before the second attempt, and twice the shortest; it doubles from attempt to attempt. */
  readonly firstDelay: number
  readonly longestDelay: number
  /** No attempt is begun later than this after the first. */
  readonly total: number
}

/** Enough for a connection that breaks, a proxy that is busy, a server that restarts: 3.9 s of waiting at the least. */
export const defaultPatience: Patience = { attempts: 6, firstDelay: 250, longestDelay: 4000, total: 45_000 }

/** Why to try again, and how many milliseconds the server asks to wait at least. */
export type Retry = { readonly reason: string; readonly atLeast?: number }

export type RetryOptions = {
  readonly patience: Patience
  readonly clock: Clock
  /** Told before each wait, with its length. */
  readonly onRetry: (retry: Retry, delay: number) => void
  /** Ends the wait between two attempts. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Tries until `judge` finds no reason to try again or patience ends, and returns the last result. Waits between
 * attempts as "equal jitter" does: at least half of a delay that doubles, so that a server which restarts is given its
 * time, and a random part of the other half, so that many clients don't come back at once
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export async function withRetries<Result>(
  attempt: () => Promise<Result>,
  judge: (result: Result) => Retry | undefined,
  { patience, clock, onRetry, signal }: RetryOptions
): Promise<Result> {
  const end = clock.now() + patience.total
  for (let count = 1; ; count++) {
    const result = await attempt()
    const retry = judge(result)
    if (retry === undefined || count >= patience.attempts) return result
    const longest = Math.min(patience.longestDelay, patience.firstDelay * 2 ** (count - 1))
    const delay = Math.max(Math.round((longest * (1 + clock.random())) / 2), retry.atLeast ?? 0)
    if (clock.now() + delay > end) return result
    onRetry(retry, delay)
    await clock.sleep(delay, signal)
  }
}

/**
 * The milliseconds that a `Retry-After` header asks for, in either of its forms: seconds, or a date
 * (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3). `undefined` where it has none of them.
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
