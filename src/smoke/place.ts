import type { Clock } from '../clock.ts'
import type { ModuleHash } from '../module/hash.ts'
import type { Schema } from '../module/schema.ts'
import type { Server } from '../spacetimedb/server.ts'
import type { Check, CheckKind } from './check.ts'
import type { Finding } from './check-report.ts'

/** What checks are run against, and what they work with. */
export type CheckPlace = {
  /** With the credential of the job; without one where there is none. */
  readonly server: Server
  /** The same server, asked as somebody new. */
  readonly anonymous: Server
  readonly database: string
  /** The module that has to be live, where that is known. */
  readonly expectedHash: ModuleHash | undefined
  /** What the live module declares. */
  readonly schema: Schema
  /** Where in the log the publish is, or the beginning of the checks. */
  readonly since: LogMark
  /** A server that was started for the checks: nothing in it is anybody's. */
  readonly isThrowAway: boolean
  readonly clock: Clock
  readonly cancelled: AbortSignal
}

/** Log lines after it count. */
export type LogMark = {
  /** Microseconds since the epoch, by the clock of the server. */
  readonly after: bigint
  readonly what: 'publish' | 'start'
}

/** Runs one try of a check. `signal` ends it: its time is over, or the job is cancelled. Throws nothing but what is a mistake of ours. */
export type RunCheck<Kind extends CheckKind> = (
  check: Check<Kind>,
  place: CheckPlace,
  attempt: Attempt
) => Promise<Finding>

export type Attempt = {
  /** Milliseconds that it may take; for `load` that one call may. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** For `metrics`, which begins with the run and watches the others: aborted when those are over, and it is time to judge. */
  readonly othersOver?: AbortSignal
}
