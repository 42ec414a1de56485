import type { ModuleLogRecord } from './host-functions.ts'
import { stringify } from './sats-json.ts'

const levels: Readonly<Record<number, string>> = {
  0: 'Error',
  1: 'Warn',
  2: 'Info',
  3: 'Debug',
  4: 'Trace',
  101: 'Panic'
}

/** A database's log: a line of JSON for each message, as `GET …/logs` sends them. */
export class LogBook {
  readonly #lines: string[] = []
  readonly #followers = new Set<(line: string) => void>()

  /** A message of the module's own, in the function that runs. `frames` is how deep in its code it was. */
  fromModule(
    { level, target, file, line, message }: ModuleLogRecord,
    running: string | undefined,
    frames: number
  ): void {
    this.#write({
      level: levels[level] ?? 'Panic',
      ts: nowMicros(),
      ...(target !== undefined && { target }),
      ...(file !== undefined && { filename: file }),
      ...(line !== undefined && { line_number: line }),
      ...(running !== undefined && { function: running }),
      message,
      ...(level === 101 && { trace: Array.from({ length: frames }, () => ({})) })
    })
  }

  /** A message of the server's. */
  fromServer(level: 'Info' | 'Warn' | 'Error', message: string, running = '__spacetimedb__'): void {
    const place = { target: '__spacetimedb__', filename: '__spacetimedb__', function: running }
    this.#write({ level, ts: nowMicros(), ...place, message })
  }

  tail(count?: number): readonly string[] {
    return count === undefined ? [...this.#lines] : this.#lines.slice(Math.max(0, this.#lines.length - count))
  }

  /** Tells of every further line until the function that it returns is called. */
  follow(onLine: (line: string) => void): () => void {
    this.#followers.add(onLine)
    return () => this.#followers.delete(onLine)
  }

  #write(record: Parameters<typeof stringify>[0]): void {
    const line = `${stringify(record)}\n`
    this.#lines.push(line)
    for (const onLine of this.#followers) onLine(line)
  }
}

function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}
