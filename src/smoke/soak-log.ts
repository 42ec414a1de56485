import { withinTime } from '../cancellation.ts'
import { inUnits } from '../duration.ts'
import { messageOf } from '../errors.ts'
import type { Check, Checks } from './check.ts'
import type { Finding } from './check-report.ts'
import { noPanicCheck } from './default-checks.ts'
import { LogWatch } from './kinds/log.ts'
import { isRefusal, newestLine } from './log-mark.ts'
import { LinesSince, type LogPosition, positionOf, readBack } from './log-reading.ts'
import type { CheckPlace, LogMark } from './place.ts'

/** What has gone wrong, and which check says so. */
export type LogBreach = { readonly check: Check<'log'>; readonly expected: string; readonly actual: string }

export type SoakLogOptions = {
  /** Lines after it are judged; `undefined`: those that come after the first look. */
  readonly since: LogMark | undefined
  /** Milliseconds after which a log that can't be read has failed. */
  readonly patience: number
  readonly over: AbortSignal
}

/** Milliseconds that one look may take. */
const longestLook = 20_000

/**
 * Judges the lines that come to a log, from look to look, by the default check that there is no panic and by those
 * checks of the file.
 */
export class SoakLog {
  readonly #place: CheckPlace
  readonly #options: SoakLogOptions
  readonly #judges: readonly Check<'log'>[]
  #position: LogPosition | undefined
  #looks = 0
  #isRefused = false
  #awaySince: number | undefined
  #note: string | undefined

  constructor(checks: Checks, place: CheckPlace, options: SoakLogOptions) {
    this.#place = place
    this.#options = options
    this.#judges = [...lasting(checks), noPanicCheck()]
    this.#position = options.since && positionOf(options.since)
  }

  /** Whether the last look did not come to the end of the log. */
  get isAway(): boolean {
    return this.#awaySince !== undefined
  }

  /** What could not be watched, as a sentence. */
  get note(): string | undefined {
    return this.#note
  }

  /** Judges the lines since the last look. */
  async look(): Promise<LogBreach | undefined> {
    if (this.#isRefused) return undefined
    const { clock } = this.#place
    const asked = clock.now()
    const problem = await (this.#position === undefined ? this.#begin() : this.#readOn(this.#position))
    if (problem === undefined || this.#options.over.aborted) {
      this.#awaySince = undefined
      this.#looks++
      return undefined
    }
    if (problem.kind === 'breach') return problem.breach
    if (isRefusal(problem.failure)) return this.#refused(problem.failure)
    this.#awaySince ??= asked
    const away = clock.now() - this.#awaySince
    if (away < this.#options.patience) return undefined
    const actual = `it can't be read for ${Math.round(away / 1000)} s: ${messageOf(problem.failure)}`
    return { check: noPanicCheck(), expected: 'a log that can be read', actual }
  }

  /** Finds from where on lines count. */
  async #begin(): Promise<Problem | undefined> {
    const { server, database } = this.#place
    const newest = await this.#withinLook((signal) => newestLine(server, database, signal))
    if (newest instanceof Failed) return newest
    this.#position = newest && positionOf(newest)
    return undefined
  }

  async #readOn(position: LogPosition): Promise<Problem | undefined> {
    const { server, database } = this.#place
    let shown = this.#show(position)
    const begin = () => {
      shown = this.#show(position)
      return shown.lines
    }
    const end = await this.#withinLook((signal) => readBack(server, database, begin, signal))
    // What was read counts, even where the log could not be read to its end.
    const breach = breachIn(shown.watches)
    if (breach !== undefined) return { kind: 'breach', breach }
    if (end instanceof Failed) return end
    this.#noteGap(shown.lines, position)
    this.#position = shown.lines.newest
    return undefined
  }

  #show(position: LogPosition): { readonly lines: LinesSince; readonly watches: readonly Watched[] } {
    const watches = this.#judges.map((check) => ({ check, watch: new LogWatch(check.wanted.log) }))
    return {
      lines: new LinesSince(
        position,
        watches.map(({ watch }) => watch)
      ),
      watches
    }
  }

  async #withinLook<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | Failed> {
    const limit = { clock: this.#place.clock, milliseconds: longestLook, signal: this.#options.over }
    try {
      const result = await withinTime(limit, work)
      return result === 'cancelled' ? new Failed(new Error(`no end of it within ${inUnits(longestLook)}`)) : result
    } catch (failure) {
      return new Failed(failure)
    }
  }

  #refused(failure: unknown): undefined {
    this.#isRefused = true
    this.#awaySince = undefined
    this.#note = `The log was not watched${this.#looks === 0 ? '' : ' to the end'}: ${messageOf(failure)}`
  }

  /** A server begins a new log each day, and one in memory drops its oldest lines (docs/server-behaviour.md, "Logs"). */
  #noteGap({ oldest }: LinesSince, position: LogPosition): void {
    if (oldest === undefined || position.timestamp === 0n || oldest <= position.timestamp) return
    const since = new Date(Number(oldest / 1000n)).toISOString()
    this.#note = `Not all lines of the log were seen: those of before ${since} were gone at the next look. A server begins a new log at midnight UTC, and one in memory drops its oldest lines.`
  }
}

type Watched = { readonly check: Check<'log'>; readonly watch: LogWatch }

type Problem = { readonly kind: 'breach'; readonly breach: LogBreach } | Failed

/** The log could not be read, or not to its end. */
class Failed {
  readonly kind = 'failed'
  readonly failure: unknown

  constructor(failure: unknown) {
    this.failure = failure
  }
}

function breachIn(watches: readonly Watched[]): LogBreach | undefined {
  for (const { check, watch } of watches) {
    const finding: Finding = watch.finding('since the last look')
    if (finding.kind === 'failed') return { check, expected: finding.expected, actual: finding.actual }
  }
  return undefined
}

/** The author's checks of the log, without what has to come once: that is told by the log of the whole run. */
function lasting({ checks }: Checks): Check<'log'>[] {
  return checks.flatMap((check) => {
    if (check.kind !== 'log') return []
    const { with: _, ...log } = check.wanted.log
    return Object.keys(log).length === 0 ? [] : [{ ...check, wanted: { ...check.wanted, log } }]
  })
}
