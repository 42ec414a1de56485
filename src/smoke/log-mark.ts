import { withinTime } from '../cancellation.ts'
import { type Clock, systemClock } from '../clock.ts'
import { inUnits } from '../duration.ts'
import { mayPass } from '../spacetimedb/failure-kinds.ts'
import { type LogLine, type Server, ServerFailure } from '../spacetimedb/server.ts'
import { type LogReader, readBack } from './log-reading.ts'
import type { LogMark } from './place.ts'

/** From where log lines count: from the newest publish that the log knows of, or from now on. */
export type LogStart = 'publish' | 'start'

export type MarkOptions = {
  readonly from?: LogStart
  readonly clock?: Clock
  /** Ends the search; the beginning of the log is answered then. */
  readonly signal?: AbortSignal
}

/** Milliseconds that the search may take, with all its repetitions. */
const patience = 30_000

/** Milliseconds before a log that could not be read is asked for again. */
const pause = 2000

/** The beginning of a log, where nobody may read on. */
const beginning: LogMark = { after: 0n, what: 'start' }

/**
 * Where in the log of a database the newest publish begins. Its newest line instead with `from: 'start'`, and where the
 * log has no publish, or none that is found within half a minute. Where the log may not be read, its beginning. A log
 * that can't be read now is asked for again within that time. Throws a `ServerFailure` when that does not help, an
 * `Error` when no answer comes.
 */
export async function findLogMark(
  server: Pick<Server, 'logs'>,
  database: string,
  { from = 'publish', clock = systemClock, signal }: MarkOptions = {}
): Promise<LogMark> {
  const search = new MarkSearch()
  let failure: unknown
  const mark = await withinTime({ clock, milliseconds: patience, signal }, async (end) => {
    while (!end.aborted) {
      try {
        return await (from === 'start' ? newestLine(server, database, end) : search.run(server, database, end))
      } catch (thrown) {
        if (isRefusal(thrown)) return beginning
        if (!mayPass(thrown)) throw thrown
        failure = thrown
      }
      await clock.sleep(pause, end)
    }
    return undefined
  })
  if (mark !== 'cancelled' && mark !== undefined) return mark
  if (signal?.aborted) return beginning
  if (search.best !== undefined) return search.best
  throw failure ?? new Error(`The log of "${database}" could not be read within ${inUnits(patience)}.`)
}

/**
 * The newest line of a log, as it is now; its beginning where it has none. `undefined` when the signal ends it. Throws a
 * `ServerFailure` when the log can't be read.
 */
export async function newestLine(
  server: Pick<Server, 'logs'>,
  database: string,
  signal: AbortSignal
): Promise<LogMark | undefined> {
  let after = 0n
  for await (const { timestamp } of server.logs(database, { lines: 1, signal })) after = timestamp
  return signal.aborted ? undefined : { after, what: 'start' }
}

/** Whether a log can't be read because of who asks, now and later: a token that is refused may be another one then. */
export function isRefusal(failure: unknown): boolean {
  return failure instanceof ServerFailure && failure.kind === 'forbidden'
}

/** Looks for the newest publish, further and further back. */
class MarkSearch {
  /** What the widest search that came to its end knows. */
  best: LogMark | undefined

  async run(server: Pick<Server, 'logs'>, database: string, signal: AbortSignal): Promise<LogMark | undefined> {
    let reader: PublishReader | undefined
    const begin = () => {
      this.best = reader?.mark() ?? this.best
      reader = new PublishReader()
      return reader
    }
    const end = await readBack(server, database, begin, signal)
    return end === 'cut' ? undefined : reader?.mark()
  }
}

/**
 * The server notes each publish (docs/server-behaviour.md, "Logs"): an update begins with `Updated program to …` and
 * ends with `Database updated`; a first publish ends with `Database initialized`, and what is in the log before that,
 * back to the publish before, belongs to it.
 */
class PublishReader implements LogReader {
  #newest = 0n
  #begun: Beginning | undefined
  #published: Beginning | undefined

  see(line: LogLine): void {
    this.#newest = line.timestamp
    if (beginsUpdate(line)) this.#begun = { timestamp: line.timestamp, isCertain: true }
    this.#begun ??= { timestamp: line.timestamp, isCertain: this.#published !== undefined }
    if (!endsPublish(line)) return
    this.#published = this.#begun
    this.#begun = undefined
  }

  hasEnough(): boolean {
    return this.#published?.isCertain === true
  }

  mark(): LogMark {
    if (this.#published === undefined) return { after: this.#newest, what: 'start' }
    return { after: this.#published.timestamp - 1n, what: 'publish' }
  }
}

/** Where a publish begins; not certain where older lines may belong to it. */
type Beginning = { readonly timestamp: bigint; readonly isCertain: boolean }

function beginsUpdate(line: LogLine): boolean {
  return isServers(line) && line.message.startsWith('Updated program to ')
}

function endsPublish(line: LogLine): boolean {
  return isServers(line) && (line.message === 'Database updated' || line.message === 'Database initialized')
}

/** A module chooses the target of its lines, but not the function. */
function isServers(line: LogLine): boolean {
  return line.target === '__spacetimedb__' && line.function === '__spacetimedb__'
}
