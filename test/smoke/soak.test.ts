import { describe, expect, test } from '@jest/globals'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Finding } from '../../src/smoke/check-report.ts'
import type { CheckPlace } from '../../src/smoke/place.ts'
import { soak } from '../../src/smoke/soak.ts'
import { type FailureKind, type LogLine, type Server, ServerFailure } from '../../src/spacetimedb/server.ts'
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
    logs: logs ?? silence
  } as Partial<Server> as Server
}

async function* silence(): AsyncGenerator<LogLine> {}

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
    ['never', /^none for \d\d s: no answer within 10s$/]
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

  test('asks as the owner, since a module may let nobody else in', async () => {
    const clock = turnedClock()
    const closed = modelServer(clock, () => 'forbidden')
    const place = { expectedHash: hash, anonymous: closed }
    expect(await watch(60_000, served, { place })).toMatchObject({ kind: 'passed' })
  })
})

describe("a soak's look at the log", () => {
  const panic = (at: number, message = 'oh no'): LogLine => ({ level: 'Panic', timestamp: BigInt(at) * 1000n, message })
  const info = (at: number, message = ''): LogLine => ({ level: 'Info', timestamp: BigInt(at) * 1000n, message })

  /** The log of a server that gives the lines written by now, or fails as it is told to. */
  function logOf(
    lines: readonly LogLine[],
    failing: (now: number, asked: number) => FailureKind | 'never' | undefined = () => undefined
  ): (clock: Clock) => Server['logs'] {
    let asked = 0
    return (clock) =>
      async function* (_, { lines: count = lines.length, signal }) {
        const failure = failing(clock.now(), ++asked)
        if (failure === 'never')
          return void (await new Promise((resolve) => signal?.addEventListener('abort', resolve)))
        if (failure !== undefined) throw new ServerFailure(failure, `it is ${failure}`)
        const written = lines.filter(({ timestamp }) => timestamp <= BigInt(clock.now()) * 1000n)
        yield* written.slice(-count)
      }
  }

  const failed = (expected: string, actual: string) => ({
    kind: 'failed',
    breach: { outcome: { kind: 'failed', expected, actual: expect.stringContaining(actual) } }
  })
  const panicked = failed('no line of level panic', 'oh no')

  test('sees what comes, to the end', async () => {
    expect(await watch(60_000, served, { logs: logOf([info(0), panic(58_000)]) })).toMatchObject(panicked)
    expect(await watch(60_000, served, { logs: logOf([panic(0), info(70_000)]) })).toEqual({
      kind: 'passed',
      milliseconds: 60_000,
      looks: 21
    })
  })

  test('has no token in its report', async () => {
    const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c`
    const report = await watch(60_000, served, { logs: logOf([info(0), panic(9000, `oh no: ${token}`)]) })
    expect(report).toMatchObject(panicked)
    expect(report.kind === 'failed' && report.breach.outcome).not.toMatchObject({
      actual: expect.stringContaining('aaaa')
    })
    expect(report.kind === 'failed' && report.breach.logLines[0]?.message).not.toContain('aaaa')
  })

  test('goes on where the checks have stopped to look', async () => {
    const clock = turnedClock()
    const logs = logOf([panic(-9000, 'by a check'), info(-5000), panic(-2000)])(clock)
    const server = modelServer(clock, served, logs)
    const place = modelPlace(clock, { server, anonymous: server, expectedHash: hash })
    const checks = { checks: [], deadline: 1 }
    const since = { after: -5_000_000n, what: 'start' as const }
    expect(await clock.turnUntil(soak(checks, place, 10_000, { since }))).toMatchObject(panicked)
    expect(await clock.turnUntil(soak(checks, place, 10_000))).toMatchObject({ kind: 'passed' })
  })

  test('is not ended by an answer that is lost, or by a token that is refused once', async () => {
    for (const kind of ['unauthorized', 'interrupted', 'server-error'] as const) {
      const logs = logOf([info(0), panic(200_000)], (_, asked) => (asked === 1 || asked === 4 ? kind : undefined))
      expect(await watch(600_000, served, { logs })).toMatchObject(panicked)
    }
  })

  test.each<[FailureKind | 'never', number, string]>([
    ['server-error', 600_000, 'it is server-error'],
    ['server-error', 2000, 'it is server-error'],
    ['unauthorized', 2000, 'it is unauthorized'],
    ['never', 2000, 'no end of it within 20s']
  ])('ends it where the log can not be read: %s, in %d ms', async (kind, milliseconds, actual) => {
    const report = await watch(milliseconds, served, { logs: logOf([], () => kind) })
    expect(report).toMatchObject(failed('a log that can be read', actual))
    expect(report.milliseconds).toBeLessThan(80_000)
    const later = await watch(600_000, served, { logs: logOf([], (now) => (now > 100_000 ? kind : undefined)) })
    expect(later).toMatchObject(failed('a log that can be read', actual))
  })

  test('waits for a log that can not be read when the time is over', async () => {
    const logs = logOf([info(0), panic(59_000)], (now) => (now > 55_000 && now < 70_000 ? 'server-error' : undefined))
    expect(await watch(60_000, served, { logs })).toMatchObject(panicked)
  })

  test('is told to be missing for one who may not read the log', async () => {
    const report = await watch(60_000, served, { logs: logOf([], () => 'forbidden') })
    expect(report).toMatchObject({ kind: 'passed', note: 'The log was not watched: it is forbidden' })
    const later = await watch(60_000, served, {
      logs: logOf([], (now) => (now > 30_000 ? 'forbidden' : undefined))
    })
    expect(later).toMatchObject({ kind: 'passed', note: 'The log was not watched to the end: it is forbidden' })
  })

  test('tells of lines that are gone before it could see them', async () => {
    const early = Array.from({ length: 10 }, (_, index) => info(index * 1000))
    const late = Array.from({ length: 5 }, (_, index) => info(40_000 + index * 1000))
    const logs = (clock: Clock): Server['logs'] =>
      async function* (...asked) {
        yield* logOf(clock.now() < 30_000 ? early : late)(clock)(...asked)
      }
    expect(await watch(60_000, served, { logs })).toMatchObject({
      kind: 'passed',
      note: expect.stringMatching(/^Not all lines of the log were seen: those of before 1970-01-01T00:00:40.000Z /)
    })
  })

  test("judges each line once by the file's checks of the log, but for what has to come once", async () => {
    const lines = Array.from({ length: 30_000 }, (_, index) => info(Math.floor(index / 5) * 10, `tick ${index}`))
    const written = [{ log: { with: 'never comes', without: 'tick 29999$' } }]
    const logs = logOf([info(-1), ...lines])
    const since = { after: -1000n, what: 'start' as const }
    const clock = turnedClock()
    const server = modelServer(clock, served, logs(clock))
    const place = modelPlace(clock, { server, anonymous: server, expectedHash: hash })
    const report = await clock.turnUntil(soak({ checks: checksFrom(written), deadline: 1 }, place, 300_000, { since }))
    expect(report).toMatchObject(failed('no line that matches /tick 29999$/', '1 of '))
    // A look each 15 s, of 500 lines a second.
    expect(JSON.stringify(report.kind === 'failed' && report.breach.outcome)).toMatch(
      /1 of \d{4} lines since the last look/
    )
  })
})
