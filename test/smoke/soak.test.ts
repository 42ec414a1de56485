import { describe, expect, test } from '@jest/globals'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Finding } from '../../src/smoke/check-report.ts'
import type { CheckPlace } from '../../src/smoke/place.ts'
import { soak } from '../../src/smoke/soak.ts'
import {
  type FailureKind,
  type LogLine,
  type LogOptions,
  type Server,
  ServerFailure
} from '../../src/spacetimedb/server.ts'
import { checksFrom, modelPlace, runnersOf, turnedClock } from './model-place.ts'

const hash = 'ab'.repeat(32) as ModuleHash
const passed: Finding = { kind: 'passed', detail: '' }

type Clock = ReturnType<typeof turnedClock>
type Answer = ModuleHash | FailureKind | 'never'

/** A database of which it is told what it answers at a time, and when lines come to its log. */
function modelServer(clock: Clock, answerAt: (now: number) => Answer, logs?: Server['logs']): Server {
  return {
    url: 'http://127.0.0.1:3000',
    async live() {
      const answer = answerAt(clock.now())
      if (answer === 'never') return new Promise(() => {})
      if (answer.length !== 64) throw new ServerFailure(answer as FailureKind, `it is ${answer}`)
      return { hash: answer, kind: 'wasm' }
    },
    logs: logs ?? ((_: string, { follow, signal }: LogOptions) => silence(follow === true, signal))
  } as Partial<Server> as Server
}

async function* silence(lasts: boolean, signal?: AbortSignal): AsyncGenerator<LogLine> {
  if (lasts) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
}

function watch(
  milliseconds: number,
  answerAt: (now: number) => Answer,
  others: {
    written?: object[]
    run?: (now: number) => Finding
    logs?: (clock: Clock) => Server['logs']
    place?: Partial<CheckPlace>
  } = {}
) {
  const clock = turnedClock()
  const server = modelServer(clock, answerAt, others.logs?.(clock))
  const place = modelPlace(clock, { server, anonymous: server, expectedHash: hash, ...others.place })
  const runners = runnersOf(async (check) => {
    if (check.kind === 'metrics') await clock.sleep(check.wanted.metrics.window)
    return others.run?.(clock.now()) ?? passed
  })
  const checks = { checks: others.written ? checksFrom(others.written) : [], deadline: 1 }
  return clock.turnUntil(soak(checks, place, milliseconds, { runners }))
}

const served = (): Answer => hash

describe('a soak', () => {
  test.each([
    [1000, 2],
    [10_000, 6],
    [60_000, 21],
    [600_000, 21],
    [3_600_000, 121]
  ])('of %d ms looks %d times', async (milliseconds, looks) => {
    expect(await watch(milliseconds, served)).toEqual({ kind: 'passed', milliseconds, looks })
  })

  test('forgives answers that are lost now and then', async () => {
    const report = await watch(600_000, (now) => (now % 60_000 === 0 && now > 0 ? 'interrupted' : hash), {})
    expect(report.kind).toBe('passed')
  })

  test.each<[Answer, RegExp]>([
    ['unreachable', /^none for \d\d s: it is unreachable$/],
    ['never', /^none for \d\d s: no answer within 10 s$/]
  ])('does not forgive a server that stays away: %s', async (answer, actual) => {
    const report = await watch(600_000, (now) => (now > 100_000 ? answer : hash))
    expect(report).toMatchObject({ kind: 'failed', breach: { outcome: { expected: 'an answer' } } })
    expect(report.kind === 'failed' && report.breach.outcome.kind === 'failed' && report.breach.outcome.actual).toMatch(
      actual
    )
    expect(report.milliseconds).toBeLessThan(200_000)
  })

  test('waits for a server that is away when the time is over', async () => {
    expect(await watch(60_000, (now) => (now > 55_000 && now < 65_000 ? 'unreachable' : hash))).toMatchObject({
      kind: 'passed'
    })
    expect(await watch(60_000, (now) => (now > 55_000 ? 'unreachable' : hash))).toMatchObject({ kind: 'failed' })
  })

  test.each<[Answer, string]>([
    ['cd'.repeat(32) as ModuleHash, `module ${'cd'.repeat(32)}`],
    ['missing', 'it is missing']
  ])('ends at once where the module is gone: %s', async (answer, actual) => {
    const report = await watch(600_000, (now) => (now > 100_000 ? answer : hash))
    expect(report).toMatchObject({ kind: 'failed', breach: { outcome: { actual } } })
    expect(report.milliseconds).toBeLessThanOrEqual(130_000)
  })

  test('knows the module by the first answer, where nobody has told', async () => {
    const other = 'cd'.repeat(32) as ModuleHash
    const place = { expectedHash: undefined }
    expect(await watch(60_000, served, { place })).toMatchObject({ kind: 'passed' })
    expect(await watch(60_000, (now) => (now > 0 ? other : hash), { place })).toMatchObject({ kind: 'failed' })
  })

  test("ends where a window of the file's metrics is not as it should be", async () => {
    const written = [{ metrics: { p99: '1s', window: '20s' }, retries: 5 }]
    const bad: Finding = { kind: 'failed', expected: 'p99 at most 1s', actual: '2s' }
    const report = await watch(600_000, served, { written, run: (now) => (now > 100_000 ? bad : passed) })
    expect(report).toMatchObject({ kind: 'failed', breach: { check: { kind: 'metrics' }, outcome: bad, tries: 1 } })
    expect(report.milliseconds).toBeLessThan(180_000)
    const nothing: Finding = { kind: 'not-run', reason: 'no calls' }
    expect(await watch(60_000, served, { written, run: () => nothing })).toMatchObject({ kind: 'passed' })
    expect(await watch(10_000, served, { written, run: () => bad })).toMatchObject({ kind: 'passed' })
  })

  test('reads each line of the log once, also when its connection breaks', async () => {
    const line = (index: number): LogLine => ({
      level: 'Info',
      timestamp: BigInt(Math.floor(index / 3)),
      message: `${index}`
    })
    const seen: string[] = []
    let written = 3
    const logs = (clock: Clock): Server['logs'] =>
      async function* (_, { lines, since = 0n, follow, signal }) {
        const all = Array.from({ length: written }, (_, index) => line(index)).slice(-(lines ?? written))
        yield* all.filter(({ timestamp }) => timestamp >= since)
        if (!follow) return
        for (let more = 0; more < 4 && !signal?.aborted; more++) {
          await clock.sleep(7000, signal)
          if (!signal?.aborted) yield line(written++)
        }
        if (!signal?.aborted) throw new ServerFailure('interrupted', 'cut off')
      }
    const written0 = [{ log: { without: 'x' } }]
    const clock = turnedClock()
    const server = modelServer(clock, served, logs(clock))
    const place = modelPlace(clock, { server, anonymous: server, expectedHash: hash })
    const runners = {
      ...runnersOf(async () => passed),
      log: async (check: { name: string }, { server: given }: CheckPlace) => {
        for await (const { message } of given.logs('game', {})) if (check.name === 'Log') seen.push(message)
        return passed
      }
    }
    const report = await clock.turnUntil(
      soak({ checks: checksFrom(written0), deadline: 1 }, place, 300_000, { runners })
    )
    expect(report.kind).toBe('passed')
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => `${index + 3}`))
    expect(seen.length).toBeGreaterThan(25)
  })

  test('ends where the log can no longer be read', async () => {
    const cut = new AbortController()
    const logs =
      (clock: Clock): Server['logs'] =>
      (_, { follow, signal }) => {
        void clock.sleep(100_000).then(() => cut.abort())
        if (!cut.signal.aborted) return silence(follow === true, AbortSignal.any([signal ?? cut.signal, cut.signal]))
        throw new ServerFailure('server-error', 'it is broken')
      }
    const report = await watch(600_000, served, { logs })
    expect(report).toMatchObject({
      kind: 'failed',
      breach: { outcome: { expected: 'a log that can be read', actual: expect.stringContaining('it is broken') } }
    })
  })
})
