import type { LogLine } from '../../spacetimedb/server.ts'
import type { Origin } from '../check.ts'

/** A line of a module's log as one shows it: time of day, level, message. */
export function logLineText({ timestamp, level, message }: LogLine): string {
  return `${timeOfDay(timestamp)} ${level.toUpperCase().padEnd(5)} ${message}`
}

/** `12:30:05.042` in UTC; what is no time as it is. */
function timeOfDay(microseconds: bigint): string {
  const date = new Date(Number(microseconds / 1000n))
  return Number.isNaN(date.getTime()) ? String(microseconds) : date.toISOString().slice(11, 23)
}

/** Where a check was written, for a reader; `undefined` for a default check. */
export function originText(origin: Origin): string | undefined {
  if (origin.kind === 'default') return undefined
  const where = origin.kind === 'file' ? origin.path : origin.input
  return `${where}:${origin.line}:${origin.column}`
}
