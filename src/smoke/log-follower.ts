import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { type LogLine, type Server, ServerFailure } from '../spacetimedb/server.ts'
import { isRefusal } from './log-mark.ts'

/** Follows a log line by line, through broken connections. */
export type LogFollower = {
  /** The lines that have come since it was asked last. */
  take(): readonly LogLine[]
  /** Since when the log can't be read, in milliseconds since the epoch, and why; `undefined` while it can. */
  trouble(): { readonly since: number; readonly reason: string } | undefined
  close(): Promise<void>
}

export type FollowOptions = {
  /** Lines after it are followed: microseconds since the epoch, by the server's clock. */
  readonly after: bigint
  readonly clock: Clock
  /** How many lines are kept until they are taken; the server is left to wait with more. */
  readonly most?: number
}

/** As many as a server gives together with those to come (docs/server-behaviour.md, "Logs"). */
const linesAgain = 2500

/** Milliseconds between two tries to read on. */
const pause = 2000

/** Begins to follow the log of a database. Where that is refused, it stays silent: nobody but the owner may read it. */
export function followLog(
  server: Pick<Server, 'logs'>,
  database: string,
  { after, clock, most = 100_000 }: FollowOptions
): LogFollower {
  const stop = new AbortController()
  let kept: LogLine[] = []
  let onTaken: (() => void) | undefined
  let trouble: { since: number; reason: string } | undefined
  let newest = { timestamp: after, lines: Number.POSITIVE_INFINITY }

  async function readOn(): Promise<void> {
    const again = countAgain(newest)
    const options = { lines: linesAgain, since: newest.timestamp, follow: true, signal: stop.signal }
    for await (const line of server.logs(database, options)) {
      if (again.isKnown(line)) continue
      newest = newest.timestamp === line.timestamp ? counted(newest) : { timestamp: line.timestamp, lines: 1 }
      kept.push(line)
      if (kept.length >= most) await new Promise<void>((resolve) => (onTaken = resolve))
    }
  }

  function hasTrouble(reason: string): void {
    trouble = { since: trouble?.since ?? clock.now(), reason }
  }

  async function endTrouble(): Promise<void> {
    for await (const _ of server.logs(database, { lines: 1, signal: stop.signal }));
    trouble = undefined
  }

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        if (trouble !== undefined) await endTrouble()
        await readOn()
        hasTrouble('the server ended it')
      } catch (failure) {
        if (failure instanceof ServerFailure && isRefusal(failure)) return
        hasTrouble(messageOf(failure))
      }
      await clock.sleep(pause, stop.signal)
    }
  }

  const following = follow()
  return {
    take: () => {
      const taken = kept
      kept = []
      onTaken?.()
      return taken
    },
    trouble: () => trouble,
    close: async () => {
      stop.abort()
      onTaken?.()
      await following
    }
  }
}

/** How many lines of one moment have come. */
type Newest = { readonly timestamp: bigint; readonly lines: number }

function counted({ timestamp, lines }: Newest): Newest {
  return { timestamp, lines: lines + 1 }
}

/** Tells which lines have come before: those of the newest moment come again, as many as there were. */
function countAgain({ timestamp, lines }: Newest) {
  let left = lines
  return {
    isKnown: (line: LogLine) => line.timestamp < timestamp || (line.timestamp === timestamp && left-- > 0)
  }
}
