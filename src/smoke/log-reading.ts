import type { LogLine, Server } from '../spacetimedb/server.ts'
import type { LogMark } from './place.ts'

/** What lines of a log are shown to, oldest first, as they stream past. */
export type LineWatch = { see(line: LogLine): void }

/** A watch that knows how far back it wants to read. */
export type LogReader = LineWatch & {
  /** Whether it has seen what it looked for, so that older lines are not needed. */
  hasEnough(): boolean
}

/** `all`: there are no older lines in the log than it was shown. `cut`: the signal ended it. */
export type ReadingEnd = 'enough' | 'all' | 'cut'

/** How many lines are asked for first. */
const firstLines = 1000

/** The server takes no number that has more than 32 bits. */
const mostLines = 1_000_000_000

/**
 * Reads the end of a log, as far back as its reader needs: the newest 1000 lines, then ten times as many, and so on,
 * since a server can't be asked for lines since a time (docs/server-behaviour.md, "Logs"). Each time `begin` makes a new
 * reader, so no line is kept. Throws a `ServerFailure` when the log can't be read.
 */
export async function readBack(
  server: Pick<Server, 'logs'>,
  database: string,
  begin: () => LogReader,
  signal?: AbortSignal
): Promise<ReadingEnd> {
  for (let asked = firstLines; ; asked *= 10) {
    const reader = begin()
    let came = 0
    for await (const line of server.logs(database, { lines: asked, signal })) {
      reader.see(line)
      came++
    }
    if (signal?.aborted) return 'cut'
    if (reader.hasEnough()) return 'enough'
    if (isWhole(came, asked) || asked >= mostLines) return 'all'
  }
}

/** Lines that a dying server left unfinished don't come, so some less than were asked for need not be all there are. */
function isWhole(came: number, asked: number): boolean {
  return came < asked * 0.9
}

/** A place in a log: a line, by its timestamp in microseconds, and how many lines of that same moment come up to it. */
export type LogPosition = { readonly timestamp: bigint; readonly lines: number }

export function positionOf({ after }: LogMark): LogPosition {
  return { timestamp: after, lines: Number.POSITIVE_INFINITY }
}

/** Shows the lines after a position to watches, each line once. */
export class LinesSince implements LogReader {
  readonly #since: LogPosition
  readonly #watches: readonly LineWatch[]
  #known: number
  #oldest: bigint | undefined
  #newest: LogPosition

  constructor(since: LogPosition, watches: readonly LineWatch[]) {
    this.#since = since
    this.#watches = watches
    this.#known = since.lines
    this.#newest = since
  }

  see(line: LogLine): void {
    const { timestamp } = line
    this.#oldest ??= timestamp
    if (timestamp < this.#since.timestamp) return
    if (timestamp === this.#since.timestamp && this.#known-- > 0) return
    if (timestamp >= this.#newest.timestamp) this.#newest = after(this.#newest, timestamp)
    for (const watch of this.#watches) watch.see(line)
  }

  /** All lines of the position's moment have been seen once an older one was. */
  hasEnough(): boolean {
    return this.#oldest !== undefined && this.#oldest < this.#since.timestamp
  }

  /** When the oldest line was written that was shown to it; later than the position where lines between them are gone. */
  get oldest(): bigint | undefined {
    return this.#oldest
  }

  /** Where the next reading has to go on. */
  get newest(): LogPosition {
    return this.#newest
  }
}

function after(newest: LogPosition, timestamp: bigint): LogPosition {
  return { timestamp, lines: newest.timestamp === timestamp ? newest.lines + 1 : 1 }
}
