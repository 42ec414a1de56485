import { type FailureKind, ServerFailure } from './server.ts'

/** Whether the same question may be answered a while later. What is no `ServerFailure`, such as a missing token, may. */
export function mayPass(failure: unknown): boolean {
  return !(failure instanceof ServerFailure && lasting.has(failure.kind))
}

const lasting: ReadonlySet<FailureKind> = new Set(['forbidden', 'missing', 'tls'])

/**
 * Whether it is certain that a request which was sent once changed nothing: no connection was made, or the server, or
 * a proxy, turned it away. What is no `ServerFailure` came before anything was sent.
 */
export function changedNothing(failure: unknown): boolean {
  return !(failure instanceof ServerFailure) || turnedAway.has(failure.kind)
}

const turnedAway: ReadonlySet<FailureKind> = new Set([
  'unreachable',
  'tls',
  'unauthorized',
  'forbidden',
  'missing',
  'rate-limited'
])
