import { Agent, request } from 'node:http'
import { systemClock } from '../../src/clock.ts'
import { timeText } from '../../src/duration.ts'
import { drive, type LoadPlan } from '../../src/smoke/load/drive.ts'
import { share } from '../../src/smoke/load/figure-texts.ts'
import type { LoadFigures } from '../../src/smoke/load-figures.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import { type BenchServer, startBenchServer } from './bench-server.ts'

/** What a load did, and what it cost this process. */
type Run = { readonly figures: LoadFigures; readonly cpuShare: number; readonly cpuMicrosACall: number }

const stopwatch = { ...systemClock, now: () => performance.now() }

/** One caller's way to call: resolves when the call succeeded. */
type Caller = { call(): Promise<void>; close(): void }

const plan: LoadPlan = { callers: 20, rate: 2000, duration: 5000, timeout: 5000 }

/**
 * 2,000 calls a second from this process against the embedded server in another one, in turn with a bare keep-alive
 * loop that is driven by the same schedule: what the machine does besides makes both late.
 */
export async function loadRows(): Promise<string[][]> {
  const server = await startBenchServer()
  try {
    await run({ ...plan, duration: 1000 }, () => bareCaller(server))
    const bare = await run(plan, () => bareCaller(server))
    const ours = await run(plan, () => ownCaller(server))
    const ratio = (ours.cpuMicrosACall / bare.cpuMicrosACall).toFixed(2)
    return [
      ['2,000 calls/s, bare keep-alive loop', ...cells(bare), ''],
      ['2,000 calls/s, a check `load`', ...cells(ours), ratio]
    ]
  } finally {
    await server.stop()
  }
}

export const loadHead = [
  'what',
  'calls',
  'failed',
  'calls/s',
  'p50',
  'p99',
  'late',
  'latest',
  'CPU',
  'CPU a call',
  'ratio'
]

function cells({ figures, cpuShare, cpuMicrosACall }: Run): string[] {
  const { calls, failed, throughput, latency, late } = figures
  const counts = [calls, failed, Math.round(throughput)].map(String)
  const lateCells = [`${late.calls} (${share(late.calls / calls)})`, timeText(late.worst)]
  return [
    ...counts,
    timeText(latency.p50),
    timeText(latency.p99),
    ...lateCells,
    share(cpuShare),
    `${Math.round(cpuMicrosACall)} µs`
  ]
}

async function run(loadPlan: LoadPlan, open: () => Caller): Promise<Run> {
  const callers = Array.from({ length: loadPlan.callers }, open)
  const send = async (index: number) => {
    try {
      await callers[index]?.call()
      return { kind: 'succeeded' } as const
    } catch (error) {
      return { kind: 'failed', reason: String(error), fate: 'lost', isLasting: false } as const
    }
  }
  const began = process.cpuUsage()
  const end = await drive(loadPlan, send, stopwatch, new AbortController().signal)
  const { user, system } = process.cpuUsage(began)
  for (const caller of callers) caller.close()
  if (end.kind !== 'done') throw new Error(`the load ended ${end.kind}`)
  const figures = end.tally.figures(end.milliseconds)
  const cpu = user + system
  return { figures, cpuShare: cpu / 1000 / end.milliseconds, cpuMicrosACall: cpu / figures.calls }
}

function ownCaller({ url, token }: BenchServer): Caller {
  const caller = connect({ url, credential: tokenCredential(token) }).caller('counter', 'increment_counter', [1])
  return {
    call: async () => {
      const { kind } = await caller.call(plan.timeout)
      if (kind !== 'ok') throw new Error(kind)
    },
    close: () => caller.close()
  }
}

function bareCaller({ url, token }: BenchServer): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': 3 }
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const sending = request(`${url}/v1/database/counter/call/increment_counter`, { method: 'POST', agent, headers })
        sending.on('response', (answer) => answer.resume().on('end', resolve)).on('error', reject)
        sending.end('[1]')
      }),
    close: () => agent.destroy()
  }
}

/** Five minutes of 50 calls a second: what this process holds after garbage was collected, at the start, most and end. */
export async function soakRow(minutes = 5): Promise<string[]> {
  const server = await startBenchServer()
  const samples: { readonly heap: number; readonly resident: number }[] = []
  const sample = () => {
    collectGarbage()
    const { heapUsed, rss } = process.memoryUsage()
    samples.push({ heap: heapUsed, resident: rss })
  }
  try {
    await run({ ...plan, rate: 500, duration: 5000 }, () => ownCaller(server))
    sample()
    const timer = setInterval(sample, 10_000)
    const { figures } = await run({ ...plan, rate: 50, duration: minutes * 60_000 }, () => ownCaller(server))
    clearInterval(timer)
    sample()
    return [`${minutes} minutes of 50 calls/s`, String(figures.calls), ...cellsOf('heap'), ...cellsOf('resident')]
  } finally {
    await server.stop()
  }

  function cellsOf(what: 'heap' | 'resident'): string[] {
    const sizes = samples.map((each) => each[what])
    return [sizes[0], Math.max(...sizes), sizes.at(-1)].map((size = 0) => `${(size / 1_000_000).toFixed(1)} MB`)
  }
}

export const soakHead = ['what', 'calls', ...['heap', 'resident'].flatMap((what) => [`${what}, start`, 'most', 'end'])]

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('run it with --expose-gc')
  globalThis.gc()
}
