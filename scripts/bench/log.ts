import { logLines } from '../../src/spacetimedb/log-stream.ts'

const lines = 100_000
const chunkLength = 64 * 1024

/** 100,000 lines of a log, read as a stream in chunks that are cut anywhere; and the same bytes alone. */
export function logScan(): { scan: () => Promise<void>; bytes: () => Promise<void> } {
  const bytes = Buffer.from(Array.from({ length: lines }, (_, index) => line(index)).join(''))
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkLength) yield bytes.subarray(at, at + chunkLength)
  }
  return {
    scan: async () => {
      let panics = 0
      let count = 0
      for await (const { level } of logLines(chunks())) {
        count += 1
        if (level === 'Panic') panics += 1
      }
      if (count !== lines || panics !== lines / 1000) throw new Error(`it read ${count} lines and ${panics} panics`)
    },
    bytes: async () => {
      let sum = 0
      for await (const chunk of chunks()) for (const byte of chunk) if (byte === 10) sum += 1
      if (sum !== lines) throw new Error(`it read ${sum} lines`)
    }
  }
}

function line(index: number): string {
  const level = index % 1000 === 0 ? 'Panic' : 'Info'
  const at = { ts: 1_790_000_000_000_000 + index, target: 'counter', filename: 'src/lib.rs', line_number: 38 }
  return `${JSON.stringify({ level, ...at, function: 'health_check', message: `healthy, for the time ${index}` })}\n`
}
