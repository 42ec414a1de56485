import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Check, CheckKind } from '../../src/smoke/check.ts'
import type { CheckReport, Finding } from '../../src/smoke/check-report.ts'
import { stageOf } from '../../src/smoke/needs.ts'
import type { Attempt } from '../../src/smoke/place.ts'
import { runChecks } from '../../src/smoke/run-checks.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { checksFrom, modelPlace, runnersOf, turnedClock } from './model-place.ts'

const passed: Finding = { kind: 'passed', detail: 'fine' }
const failed: Finding = { kind: 'failed', expected: '1', actual: '2' }
const never = () => new Promise<Finding>(() => {})

/** What a kind is written as, besides what all have. */
const written: Readonly<Record<'ping' | 'load' | 'connections' | 'metrics' | 'log', object>> = {
  ping: { ping: true },
  load: { load: 'add', for: '1s' },
  connections: { connections: 5, stay: '1s' },
  metrics: { metrics: { p99: '1s', window: '1s' } },
  log: { log: { below: 'error' } }
}

type Options = { readonly deadline?: number; readonly atOnce?: number; readonly cancel?: AbortController }

/** Runs checks by a clock that is turned by hand. */
async function run(
  list: readonly object[],
  behave: (check: Check, attempt: Attempt, clock: Clock) => Promise<Finding>,
  options: Options = {}
) {
  const clock = turnedClock()
  const place = modelPlace(clock, { cancelled: (options.cancel ?? new AbortController()).signal })
  const ended: string[] = []
  const report = await clock.turnUntil(
    runChecks({ checks: checksFrom(list), deadline: options.deadline ?? 600_000 }, place, {
      runners: runnersOf((check, attempt) => behave(check, attempt, clock)),
      onReport: ({ check }) => ended.push(check.name),
      ...(options.atOnce !== undefined && { atOnce: options.atOnce })
    })
  )
  return { ...report, ended, outcomes: report.reports.map(({ outcome }) => outcome) }
}

type Clock = ReturnType<typeof turnedClock>

describe('the order of checks', () => {
  type Plan = { kind: keyof typeof written; needs: number[]; takes: number; finding: Finding }
  const order = ['asking', 'loading', 'watching', 'concluding']
  const rank = (kind: CheckKind) => order.indexOf(stageOf(kind))
  const plans = fc
    .array(
      fc.record({
        kind: fc.constantFrom<keyof typeof written>('ping', 'ping', 'ping', 'load', 'connections', 'metrics', 'log'),
        needs: fc.array(fc.nat(20), { maxLength: 3 }),
        takes: fc.nat(8000),
        finding: fc.constantFrom(passed, passed, passed, failed, { kind: 'not-run', reason: 'no' } as Finding)
      }),
      { minLength: 1, maxLength: 12 }
    )
    .map((list) =>
      list.map(
        (plan, index): Plan => ({
          ...plan,
          needs: [...new Set(plan.needs)].filter(
            (need) => need < index && rank(list[need]?.kind ?? 'log') <= rank(plan.kind)
          )
        })
      )
    )

  test('holds for any needs', async () => {
    await fc.assert(
      fc.asyncProperty(
        plans,
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 4 }),
        async (list, chance, atOnce) => {
          const byName = new Map(list.map((plan, index) => [`c${index}`, plan]))
          const inFile = [...byName].map(([name, { kind, needs }]) => ({
            name,
            ...written[kind],
            ...(needs.length > 0 && { needs: needs.map((need) => `c${need}`) })
          }))
          const shuffled = inFile.map((each) => ({ each, key: chance.next().value ?? 0 }))
          const file = shuffled.sort((one, other) => one.key - other.key).map(({ each }) => each)
          const begun = new Map<string, number>()
          const over = new Map<string, number>()
          const running = new Set<string>()
          let moment = 0
          const result = await run(
            file,
            async ({ name, kind }, attempt, clock) => {
              expect(begun.has(name)).toBe(false)
              begun.set(name, moment++)
              if (kind !== 'metrics') running.add(name)
              expect(running.size).toBeLessThanOrEqual(atOnce)
              if (stageOf(kind) === 'loading') expect(running.size).toBe(1)
              await clock.sleep(byName.get(name)?.takes ?? 0, attempt.signal)
              if (kind === 'metrics' && !attempt.othersOver?.aborted) {
                await new Promise((resolve) => attempt.othersOver?.addEventListener('abort', resolve))
              }
              running.delete(name)
              over.set(name, moment++)
              return byName.get(name)?.finding ?? passed
            },
            { atOnce }
          )
          expect(result.reports.map(({ check }) => check.name)).toEqual(file.map(({ name }) => name))
          expect([...result.ended].sort()).toEqual(file.map(({ name }) => name).sort())
          const reports = new Map(result.reports.map((report) => [report.check.name, report]))
          for (const [name, { kind, needs, finding }] of byName) {
            const needed = needs.map((need) => reports.get(`c${need}`)?.outcome.kind)
            const isBegun = begun.has(name)
            expect(isBegun).toBe(needed.every((outcome) => outcome === 'passed'))
            expect(reports.get(name)?.outcome.kind).toBe(isBegun ? finding.kind : 'skipped')
            if (!isBegun) continue
            const start = begun.get(name) ?? 0
            const before = [...byName].filter(
              ([other, plan]) => other !== name && over.has(other) && isWaitedFor(plan, kind)
            )
            for (const [other] of before) expect(over.get(other)).toBeLessThan(start)
            for (const need of needs) expect(over.get(`c${need}`)).toBeLessThan(start)
          }
        }
      ),
      { numRuns: 60 }
    )
  })

  function isWaitedFor(other: Plan, kind: CheckKind): boolean {
    if (stageOf(kind) === 'concluding') return stageOf(other.kind) !== 'concluding'
    return stageOf(kind) === 'loading' && stageOf(other.kind) === 'asking'
  }

  test('independent checks run at once', async () => {
    const list = Array.from({ length: 16 }, (_, index) => ({ name: `c${index}`, ping: true }))
    const { milliseconds } = await run(list, async (_, __, clock) => {
      await clock.sleep(1000)
      return passed
    })
    expect(milliseconds).toBe(1000)
  })

  test('metrics watch the loads, and their timeout counts from then on', async () => {
    const list = [
      { name: 'watch', ...written.metrics, timeout: '2s' },
      { name: 'load', load: 'add', for: '1m' }
    ]
    const { outcomes, ended } = await run(list, async (check, attempt, clock) => {
      if (check.kind === 'load') await clock.sleep(60_000)
      else await new Promise((resolve) => attempt.othersOver?.addEventListener('abort', resolve))
      return passed
    })
    expect(outcomes).toEqual([passed, passed])
    expect(ended).toEqual(['load', 'watch'])
  })
})

describe('a check that needs one that did not pass', () => {
  const list = (first: object, second: object = {}) => [
    { name: 'first', ping: true, ...first },
    { name: 'second', ping: true, needs: 'first', ...second },
    { name: 'third', ping: true, needs: 'second' }
  ]
  const outcomes = async (file: object[], finding: Finding) =>
    (await run(file, async ({ name }) => (name === 'first' ? finding : passed))).outcomes

  test('is skipped where that one failed the run, and so is what needs it', async () => {
    expect(await outcomes(list({}), failed)).toEqual([
      failed,
      { kind: 'skipped', reason: 'It needs "first", which did not pass.' },
      { kind: 'skipped', reason: 'It needs "second", which did not pass.' }
    ])
  })

  test('fails the run where that one was skipped, unless it is optional', async () => {
    const notRun: Finding = { kind: 'not-run', reason: 'no connection' }
    expect(await outcomes(list({ optional: true }), notRun)).toMatchObject([
      { kind: 'skipped', reason: 'no connection' },
      { kind: 'not-run', reason: 'It needs "first", which was skipped.' },
      { kind: 'skipped' }
    ])
    expect(await outcomes(list({ optional: true }, { optional: true }), notRun)).toMatchObject([
      { kind: 'skipped' },
      { kind: 'skipped' },
      { kind: 'not-run', reason: 'It needs "second", which was skipped.' }
    ])
  })
})

describe('tries', () => {
  test('are repeated with pauses that double, until one passes', async () => {
    const starts: number[] = []
    const { reports } = await run([{ ping: true, retries: 5 }], async (_, __, clock) => {
      starts.push(clock.now())
      return starts.length < 4 ? failed : passed
    })
    expect(reports).toMatchObject([{ outcome: passed, tries: 4 }])
    expect(starts).toEqual([0, 750, 2250, 5250])
  })

  test.each<[string, Finding, number]>([
    ['failed', failed, 3],
    ['not run', { kind: 'not-run', reason: 'no' }, 3],
    ['failed for good', { ...failed, final: true }, 1],
    ['not run for good', { kind: 'not-run', reason: 'no', final: true }, 1],
    ['skipped', { kind: 'skipped', reason: 'hidden' }, 1]
  ])('%s', async (_, finding, tries) => {
    const { reports } = await run([{ ping: true, retries: 2 }], async () => finding)
    expect(reports).toMatchObject([{ outcome: { kind: finding.kind }, tries }])
  })

  test('a mistake of ours is told, even in an optional check, and the others go on', async () => {
    const list = [
      { name: 'a', ping: true, optional: true, retries: 3 },
      { name: 'b', ping: true }
    ]
    const { reports } = await run(list, async ({ name }) => {
      if (name === 'a') throw new TypeError('x is undefined')
      return passed
    })
    expect(reports).toMatchObject([
      { outcome: { kind: 'not-run', reason: expect.stringContaining('x is undefined') }, tries: 1 },
      { outcome: passed }
    ])
  })
})

describe('time', () => {
  test.each<[object, number]>([
    [{ ping: true, timeout: '2s' }, 2000],
    [{ sql: 'SELECT 1', timeout: '2s', eventually: '30s' }, 32_000],
    [{ connections: 2, timeout: '2s', stay: '1m' }, 62_000],
    [{ load: 'add', timeout: '2s', for: '1m' }, 63_000],
    [{ subscription: 'SELECT * FROM a', timeout: '2s', call: { reducer: 'add', row: { id: 1 }, within: '1s' } }, 3000]
  ])('%j has %d ms, and a second to say why', async (check, limit) => {
    const deaf = await run([check], never)
    expect(deaf.milliseconds).toBe(limit + 1000)
    expect(deaf.outcomes).toMatchObject([{ kind: 'failed', actual: 'it was still running then' }])
    const telling = await run([check], async (_, { signal }, clock) => {
      await clock.sleep(10 ** 7, signal)
      return { kind: 'failed', expected: 'a row', actual: 'none' }
    })
    expect(telling.milliseconds).toBe(limit)
    expect(telling.outcomes).toEqual([{ kind: 'failed', expected: 'a row', actual: 'none' }])
  })

  test('one that passes when its time is over has not passed', async () => {
    const { outcomes } = await run([{ ping: true, timeout: '2s' }], async (_, { signal }, clock) => {
      await clock.sleep(10 ** 7, signal)
      return passed
    })
    expect(outcomes).toEqual([{ kind: 'failed', expected: 'an end within 2s', actual: 'it was still running then' }])
  })

  test('the deadline ends what runs, and what has not begun', async () => {
    const list = [
      { name: 'slow', ping: true, timeout: '1m', retries: 3 },
      { name: 'later', ping: true, needs: 'quick' },
      { name: 'quick', ping: true },
      { name: 'last', ...written.log },
      { name: 'last, optional', ...written.log, optional: true }
    ]
    const { outcomes, milliseconds } = await run(
      list,
      async ({ name }, { timeout }) => {
        if (name !== 'slow') return passed
        expect(timeout).toBe(5000)
        return never()
      },
      { deadline: 5000 }
    )
    expect(milliseconds).toBe(6000)
    const late = 'The deadline of all checks, 5s, was over before it could begin.'
    expect(outcomes).toEqual([
      {
        kind: 'failed',
        expected: 'an end before the deadline of all checks, 5s, is over',
        actual: 'it was still running then'
      },
      passed,
      passed,
      { kind: 'not-run', reason: late },
      { kind: 'skipped', reason: late }
    ])
  })

  test('the deadline does not take what was found until then', async () => {
    const list = [{ name: 'slow', ping: true, timeout: '1m', retries: 3 }]
    const found = (finding: Finding) =>
      run(
        list,
        async (_, { signal }, clock) => {
          await clock.sleep(60_000, signal)
          return finding
        },
        { deadline: 5000 }
      )
    const over = '(the deadline of all checks, 5s, was over)'
    expect((await found(failed)).outcomes).toEqual([{ ...failed, actual: `2 ${over}` }])
    const notRun: Finding = { kind: 'not-run', reason: 'no connection' }
    expect((await found(notRun)).outcomes).toEqual([{ kind: 'not-run', reason: `no connection ${over}` }])
    expect((await found(passed)).outcomes).toMatchObject([{ actual: 'it was still running then' }])
  })

  test('holds however long checks, their retries and needs take', async () => {
    const plan = fc.record({
      takes: fc.nat(30_000),
      timeout: fc.integer({ min: 1, max: 20 }).map((seconds) => `${seconds}s`),
      retries: fc.nat(5),
      isDeaf: fc.boolean(),
      passes: fc.boolean(),
      kind: fc.constantFrom<keyof typeof written>('ping', 'load', 'metrics', 'log')
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1000, max: 40_000 }),
        async (list, deadline) => {
          const file = list.map(({ kind, timeout, retries }, index) => ({
            name: `${index}`,
            ...written[kind],
            timeout,
            retries
          }))
          const { milliseconds, reports } = await run(
            file,
            async ({ name }, { signal }, clock) => {
              const { takes = 0, isDeaf, passes } = list[Number(name)] ?? {}
              await clock.sleep(takes, isDeaf ? undefined : signal)
              return passes ? passed : failed
            },
            { deadline, atOnce: 3 }
          )
          expect(milliseconds).toBeLessThanOrEqual(deadline + 1000)
          expect(reports).toHaveLength(list.length)
        }
      ),
      { numRuns: 60 }
    )
  })
})

test('a job that is cancelled begins no more checks, and ends those that run', async () => {
  const cancel = new AbortController()
  const list = [
    { name: 'done', ping: true },
    { name: 'running', ping: true, retries: 5, timeout: '1m' },
    { name: 'deaf', ping: true, timeout: '1m' },
    { name: 'waiting', ping: true, needs: 'running' },
    { name: 'log', ...written.log }
  ]
  const begun: string[] = []
  const { outcomes, milliseconds } = await run(
    list,
    async ({ name }, { signal }, clock) => {
      begun.push(name)
      if (name === 'done') return passed
      if (name === 'deaf') return never()
      void clock.sleep(3000).then(() => cancel.abort())
      await clock.sleep(60_000, signal)
      return failed
    },
    { cancel }
  )
  expect(begun).toEqual(['done', 'running', 'deaf'])
  expect(milliseconds).toBe(4000)
  expect(outcomes).toEqual([
    passed,
    { kind: 'skipped', reason: 'The job was cancelled while it ran.' },
    { kind: 'skipped', reason: 'The job was cancelled while it ran.' },
    { kind: 'skipped', reason: 'The job was cancelled.' },
    { kind: 'skipped', reason: 'The job was cancelled.' }
  ])
})

test('a report tells how to ask by hand, and what the log says', async () => {
  const clock = turnedClock()
  const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c`
  const line = (seconds: number, message: string) => ({
    level: 'Info',
    timestamp: BigInt(seconds) * 1_000_000n,
    message
  })
  const log = [
    line(50, 'long before'),
    ...Array.from({ length: 30 }, (_, index) => line(100, `line ${index}`)),
    line(101, `token ${token}`)
  ]
  const place = modelPlace(clock, { log, since: { after: 60_000_000n, what: 'publish' } })
  const checks = checksFrom([{ reducer: 'add', args: [2n ** 64n] }, { ping: true }])
  const runners = runnersOf(async ({ kind }) => (kind === 'ping' ? passed : failed))
  const { reports } = await clock.turnUntil(runChecks({ checks, deadline: 60_000 }, place, { runners }))
  const [call, ping] = reports as [CheckReport, CheckReport]
  expect(call.logLines.map(({ message }) => message)).toEqual([
    ...Array.from({ length: 19 }, (_, index) => `line ${index + 11}`),
    'token ***'
  ])
  expect(call.byHand).toContain("--data-raw '[18446744073709551616]' 'http://127.0.0.1:3000/v1/database/game/call/add'")
  expect(ping).toMatchObject({ outcome: passed, logLines: [], byHand: expect.stringContaining('/v1/ping') })
})

describe('for a soak', () => {
  /** A log that has one line for each millisecond so far, and of which it is known when it was read. */
  function logUntilNow(clock: Clock, reads: number[]): Server {
    return {
      url: 'http://127.0.0.1:3000',
      async *logs() {
        reads.push(clock.now())
        yield { level: 'Info', timestamp: BigInt(clock.now()), message: '' }
      }
    } as Partial<Server> as Server
  }

  async function marked(list: readonly object[], isSoakNext: boolean) {
    const clock = turnedClock()
    const reads: number[] = []
    const began: Record<string, number> = {}
    const runners = runnersOf(async ({ kind }) => {
      began[kind] = clock.now()
      await clock.sleep(1000)
      return passed
    })
    const place = modelPlace(clock, { server: logUntilNow(clock, reads) })
    const checks = { checks: checksFrom(list), deadline: 600_000 }
    const { logMark } = await clock.turnUntil(runChecks(checks, place, { runners, isSoakNext }))
    return { logMark, reads, began }
  }

  test('the log is marked when all is over but the checks of the log, which wait for that', async () => {
    const { logMark, reads, began } = await marked([written.ping, written.load, written.metrics, written.log], true)
    expect(began).toMatchObject({ ping: 0, load: 1000, log: 2000 })
    expect(reads).toEqual([2000])
    expect(logMark).toEqual({ after: 2000n, what: 'start' })
    expect((await marked([written.ping], true)).logMark).toEqual({ after: 1000n, what: 'start' })
    expect(await marked([written.ping, written.log], false)).toMatchObject({ logMark: undefined, reads: [] })
  })
})

test('no token of a log, an answer or a header is in a report', async () => {
  const clock = turnedClock()
  const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c`
  const text = `before ${token} and Bearer s3cr3t-key after`
  const shown = 'before *** and *** after'
  const place = modelPlace(clock, { log: [{ level: 'Error', timestamp: 5n, message: text }] })
  const findings: Readonly<Record<string, Finding>> = {
    passed: { kind: 'passed', detail: text },
    failed: { kind: 'failed', expected: text, actual: text },
    'not-run': { kind: 'not-run', reason: text },
    skipped: { kind: 'skipped', reason: text }
  }
  const route = { 'http-route': '/a', headers: { 'x-api-key': 'Bearer s3cr3t-key', accept: 'before' } }
  const checks = checksFrom(Object.keys(findings).map((name) => ({ name, ...route })))
  const runners = runnersOf(async ({ name }) => findings[name] ?? passed)
  const { reports } = await clock.turnUntil(runChecks({ checks, deadline: 60_000 }, place, { runners }))
  expect(reports.map(({ outcome }) => outcome)).toEqual([
    { kind: 'passed', detail: shown },
    { kind: 'failed', expected: shown, actual: shown },
    { kind: 'not-run', reason: shown },
    { kind: 'skipped', reason: shown }
  ])
  expect(reports[1]?.logLines).toMatchObject([{ message: shown }])
  expect(reports.map(({ byHand }) => byHand).join()).not.toContain('s3cr3t')
})
