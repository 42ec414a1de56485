import type { ModuleHash } from '../module/hash.ts'
import type { LogLine } from '../spacetimedb/server.ts'
import type { Check } from './check.ts'
import type { LoadFigures } from './load-figures.ts'
import type { LogMark } from './place.ts'

/** How one try of a check ended. Texts are for the reader, plain and not escaped. */
export type Finding =
  | { readonly kind: 'passed'; readonly detail: string; readonly load?: LoadFigures }
  /** It ran, and is not as it should be. `final`: to try again would change nothing. */
  | {
      readonly kind: 'failed'
      readonly expected: string
      readonly actual: string
      readonly final?: boolean
      readonly load?: LoadFigures
    }
  /** It could not run: no such reducer, no connection. */
  | { readonly kind: 'not-run'; readonly reason: string; readonly final?: boolean }
  /** The server hides what it would look at, which is nobody's mistake. */
  | { readonly kind: 'skipped'; readonly reason: string }

/** How a check ended. */
export type Outcome =
  | { readonly kind: 'passed'; readonly detail: string }
  | { readonly kind: 'failed'; readonly expected: string; readonly actual: string }
  /** It could not run, which counts as failed. */
  | { readonly kind: 'not-run'; readonly reason: string }
  /** It could not run and is optional, the server hides what it looks at, or one that it needs did not pass. */
  | { readonly kind: 'skipped'; readonly reason: string }

/** A check that is over. */
export type CheckReport = {
  readonly check: Check
  readonly outcome: Outcome
  readonly milliseconds: number
  readonly tries: number
  readonly load?: LoadFigures
  /** What the log says from around a failure; '' texts and tokens are not in it. */
  readonly logLines: readonly LogLine[]
  /** A command that runs this check alone, by hand: `spacetime` or `curl`, a token only as `$SPACETIMEDB_TOKEN`. `undefined` where there is none. */
  readonly byHand: string | undefined
}

/** All checks of one run. */
export type SmokeReport = {
  readonly server: string
  readonly database: string
  readonly moduleHash: ModuleHash | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly milliseconds: number
  readonly reports: readonly CheckReport[]
  /** The newest line of the log when all was over but the checks of the log: from there a soak goes on. */
  readonly logMark?: LogMark
  readonly soak?: SoakReport
  /** Whether the job was cancelled before all checks were over: what is left is skipped. */
  readonly isCancelled?: boolean
}

/** What was seen in the time after the checks. */
export type SoakReport = {
  readonly milliseconds: number
  /** What could not be watched, as a sentence. */
  readonly note?: string
} & (
  | { readonly kind: 'passed'; readonly looks: number }
  | { readonly kind: 'failed'; readonly breach: CheckReport }
  | { readonly kind: 'cancelled' }
)

/** Whether all is as it should be: nothing failed, nothing could not run, nothing was cut short, the soak was kept to its end. */
export function hasPassed({ reports, soak, isCancelled }: SmokeReport): boolean {
  if (isCancelled) return false
  return !reports.some(isFailure) && (soak === undefined || soak.kind === 'passed')
}

/** Whether all checks were skipped and nothing was watched either: that it has passed says nothing of a release then. */
export function saysNothing({ reports, soak }: SmokeReport): boolean {
  return soak === undefined && reports.length > 0 && reports.every(({ outcome }) => outcome.kind === 'skipped')
}

/** How many checks ended in each way; `failed` counts those that could not run, too. */
export function countsOf({ reports, soak }: SmokeReport): Counts {
  const count = (...kinds: readonly Outcome['kind'][]) =>
    reports.filter(({ outcome }) => kinds.includes(outcome.kind)).length
  const breaches = soak?.kind === 'failed' ? 1 : 0
  return { passed: count('passed'), failed: count('failed', 'not-run') + breaches, skipped: count('skipped') }
}

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** The checks that failed or could not run, and what was breached during the soak. */
export function failuresOf({ reports, soak }: SmokeReport): readonly CheckReport[] {
  return [...reports, ...(soak?.kind === 'failed' ? [soak.breach] : [])].filter(isFailure)
}

/** Whether a check failed, or could not run, which counts as failed. */
export function isFailure({ outcome }: Pick<CheckReport, 'outcome'>): boolean {
  return outcome.kind === 'failed' || outcome.kind === 'not-run'
}
