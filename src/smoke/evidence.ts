import type { LogLine, Server } from '../spacetimedb/server.ts'
import { isRefusal } from './log-mark.ts'
import type { CheckPlace } from './place.ts'

/** The log of a run's database, for what stands around a failure. */
export type Evidence = {
  /**
   * The newest lines of the log, at most 20, oldest first, of the last `milliseconds` before the newest one and a
   * little more, as they are: a report of them is made by `redactReport`. None where the log can't be read. Throws nothing.
   */
  linesAround(milliseconds: number): Promise<readonly LogLine[]>
}

const mostLines = 20

/** Lines that are asked for: more than are shown, since those of before the run are left out. */
const readLines = 200

/** What a failure's line may be older than its check, in microseconds: clocks of two machines are not compared. */
const slack = 2_000_000n

/** Milliseconds that reading the log may take after a failure. */
const patience = 5000

/** Reads the log of the place after a failure; once it may not be read, it is not asked for again. */
export function collectEvidence({ server, database, since, clock, cancelled }: CheckPlace): Evidence {
  let isReadable = true
  return {
    linesAround: async (milliseconds) => {
      if (!isReadable || cancelled.aborted) return []
      const stop = new AbortController()
      const read = newestLines(server, database, stop.signal).catch((failure) => {
        if (isRefusal(failure)) isReadable = false
        return []
      })
      const lines = await Promise.race([read, clock.sleep(patience, AbortSignal.any([stop.signal, cancelled]))])
      stop.abort()
      return lines === undefined ? [] : around(lines, since.after, milliseconds)
    }
  }
}

async function newestLines(server: Server, database: string, signal: AbortSignal): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for await (const line of server.logs(database, { lines: readLines, signal })) lines.push(line)
  return lines
}

/** The clock is the server's: "now" is the newest line, since a failure is looked at as soon as it is there. */
function around(lines: readonly LogLine[], after: bigint, milliseconds: number): LogLine[] {
  const newest = lines.at(-1)?.timestamp ?? 0n
  const from = newest - BigInt(Math.ceil(milliseconds)) * 1000n - slack
  return lines.filter(({ timestamp }) => timestamp > after && timestamp >= from).slice(-mostLines)
}
