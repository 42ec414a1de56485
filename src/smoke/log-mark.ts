import { type LogLine, type Server, ServerFailure } from '../spacetimedb/server.ts'
import type { LogMark } from './place.ts'

/** From where log lines count: from the newest publish that the log knows of, or from now on. */
export type LogStart = 'publish' | 'start'

/**
 * Where in the log of a database the newest publish begins; where the log has none, or with `from: 'start'`, its newest
 * line. Where the log may not be read, its beginning. Throws a `ServerFailure` when the server can't be asked.
 */
export async function findLogMark(
  server: Pick<Server, 'logs'>,
  database: string,
  options: { readonly from?: LogStart; readonly signal?: AbortSignal } = {}
): Promise<LogMark> {
  const { from = 'publish', signal } = options
  const read = (lines?: number) => readMark(server.logs(database, { ...(lines !== undefined && { lines }), signal }))
  try {
    if (from === 'start') return { after: (await read(1)).newest, what: 'start' }
    const tail = await read(nearLines)
    const { published, newest } = tail.published === undefined && tail.lines >= nearLines ? await read() : tail
    return published === undefined ? { after: newest, what: 'start' } : { after: published - 1n, what: 'publish' }
  } catch (failure) {
    if (failure instanceof ServerFailure && isRefusal(failure)) return { after: 0n, what: 'start' }
    throw failure
  }
}

/** A publish is mostly looked for right after it. */
const nearLines = 1000

/** Whether a log can't be read because of who asks. */
export function isRefusal({ kind }: ServerFailure): boolean {
  return kind === 'forbidden' || kind === 'unauthorized'
}

/** Timestamps in microseconds, by the server's clock. */
type Reading = { readonly lines: number; readonly newest: bigint; readonly published: bigint | undefined }

/**
 * The server notes each publish (docs/server-behaviour.md, "Logs"): an update begins with `Updated program to …` and
 * ends with `Database updated`; a first publish ends with `Database initialized`, and what is in the log before that,
 * back to the publish before, belongs to it.
 */
async function readMark(log: AsyncIterable<LogLine>): Promise<Reading> {
  let lines = 0
  let newest = 0n
  let begun: bigint | undefined
  let published: bigint | undefined
  for await (const line of log) {
    lines++
    newest = line.timestamp
    if (begun === undefined || beginsUpdate(line)) begun = line.timestamp
    if (!endsPublish(line)) continue
    published = begun
    begun = undefined
  }
  return { lines, newest, published }
}

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
