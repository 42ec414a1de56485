import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type CallEnd, drive, type LoadEnd, type LoadPlan, type SendCall } from '../../../src/smoke/load/drive.ts'
import { scheduleOf } from '../../../src/smoke/load/schedule.ts'
import type { LoadFigures } from '../../../src/smoke/load-figures.ts'
import { TurnedClock } from './turned-clock.ts'

const ok: CallEnd = { kind: 'succeeded' }
const refused: CallEnd = { kind: 'failed', reason: 'nothing listens', fate: 'not-sent', isLasting: false }

const basis: LoadPlan = { callers: 4, rate: 100, duration: 1000, timeout: 500 }

/** A load against a server that needs `service` milliseconds for a call, as many at once as there are. */
async function load(
  plan: Partial<LoadPlan>,
  service: (now: number, index: number) => number,
  end: (now: number, index: number) => CallEnd = () => ok
) {
  const clock = new TurnedClock()
  const sent: { readonly at: number; readonly caller: number }[] = []
  let now = 0
  let most = 0
  const send: SendCall = async (caller, timeout) => {
    const at = clock.now()
    const index = sent.push({ at, caller }) - 1
    most = Math.max(most, ++now)
    const needed = service(at, index)
    await clock.sleep(Math.min(needed, timeout))
    now -= 1
    if (needed > timeout) return { kind: 'failed', reason: 'too late', fate: 'lost', isLasting: false }
    return end(at, index)
  }
  const work = drive({ ...basis, ...plan }, send, clock, new AbortController().signal)
  const result = await clock.turnUntil(work)
  return { result, sent, most, clock }
}

function figuresOf(end: LoadEnd): LoadFigures {
  if (end.kind !== 'done') throw new Error(`it ended ${end.kind}`)
  return end.tally.figures(end.milliseconds)
}

describe('a load by a schedule', () => {
  test('that is kept has as long latencies as services, and nothing late', async () => {
    const { result, sent } = await load({}, () => 5)
    const figures = figuresOf(result)
    expect(figures).toMatchObject({ calls: 100, failed: 0, milliseconds: 1000, throughput: 100 })
    expect(figures.late).toEqual({ calls: 0, worst: 0 })
    expect(figures.latency.max).toBeCloseTo(5, 6)
    expect(figures.service.max).toBeCloseTo(5, 6)
    expect(sent.map(({ at }) => Math.round(at))).toEqual(Array.from({ length: 100 }, (_, index) => index * 10))
  })

  test('shows a stall of the server in the latency, and hardly in the service', async () => {
    const { result } = await load({ callers: 1 }, (now) => (now >= 500 && now < 501 ? 300 : 5))
    const { latency, service, late, calls } = figuresOf(result)
    expect(calls).toBe(100)
    expect(service.p50).toBeCloseTo(5, 1)
    expect(service.p95).toBeCloseTo(5, 1)
    expect(service.max).toBe(300)
    // Those that were due in these 300 ms waited; the queue then shrinks by a call in 10 ms, as it is worked off in 5 ms each.
    expect(latency.p95).toBeGreaterThan(200)
    expect(late.calls).toBe(49)
    expect(late.worst).toBeCloseTo(290, 0)
  })

  test('that is not kept goes on as long as one call may take, and counts what was never sent', async () => {
    // One caller that needs 20 ms for each call does half of the 100 in a second, and the other 25 in half of one more.
    const { result, sent, clock } = await load({ callers: 1, timeout: 500 }, () => 20)
    const figures = figuresOf(result)
    expect(clock.now()).toBe(1500)
    expect(sent).toHaveLength(75)
    expect(figures).toMatchObject({ calls: 100, failed: 25, milliseconds: 1480 })
    expect(figures.reasons).toEqual([{ reason: expect.stringContaining('never sent'), count: 25 }])
    expect(figures.throughput).toBeCloseTo(75 / 1.48, 5)
    expect(figures.latency.max).toBe(1500 - 740)
    expect(figures.service.max).toBe(20)
  })

  test('gives a call that ends the load no more time than is left', async () => {
    const { result, clock } = await load({ callers: 100 }, (_, index) => (index === 99 ? 10_000 : 1))
    expect(clock.now()).toBe(990 + 500)
    expect(figuresOf(result)).toMatchObject({ calls: 100, failed: 1, reasons: [{ reason: 'too late', count: 1 }] })
  })

  test('never has more calls on their way than callers, sends each when it is due or later, and loses none', async () => {
    const plans = fc.record({
      callers: fc.integer({ min: 1, max: 8 }),
      rate: fc.double({ min: 1, max: 300, noNaN: true }),
      duration: fc.integer({ min: 100, max: 1000 }),
      timeout: fc.integer({ min: 1, max: 300 }),
      services: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 20 })
    })
    await fc.assert(
      fc.asyncProperty(plans, async ({ services, ...plan }) => {
        const service = (_: number, index: number) => services[index % services.length] ?? 0
        const { result, sent, most, clock } = await load(plan, service)
        const schedule = scheduleOf(plan.rate, plan.duration)
        const { calls, latency, service: served, failed } = figuresOf(result)
        expect(calls).toBe(schedule.calls)
        expect(most).toBeLessThanOrEqual(plan.callers)
        expect(sent.length).toBeLessThanOrEqual(calls)
        expect(failed).toBeGreaterThanOrEqual(calls - sent.length)
        for (const [index, { at }] of sent.entries()) expect(at).toBeGreaterThanOrEqual(schedule.due(index) - 0.5)
        expect(clock.now()).toBeLessThanOrEqual(plan.duration + plan.timeout + 1e-6)
        for (const quantile of ['p50', 'p95', 'p99', 'max'] as const) {
          expect(latency[quantile]).toBeGreaterThanOrEqual(served[quantile] * 0.998 - 0.002)
        }
      }),
      { numRuns: 50 }
    )
  })
})

describe('a load without a rate', () => {
  test('calls again when there is an answer, and counts until the last of them', async () => {
    const { result, sent } = await load({ rate: undefined, callers: 2 }, () => 300)
    const figures = figuresOf(result)
    expect(sent).toHaveLength(8)
    expect(figures).toMatchObject({ calls: 8, milliseconds: 1200, late: { calls: 0, worst: 0 } })
    expect(figures.throughput).toBeCloseTo(8 / 1.2, 5)
    expect(figures.latency).toEqual(figures.service)
  })

  test('does not hurry from failure to failure when the server dies', async () => {
    const { result } = await load(
      { rate: undefined, callers: 1 },
      (now) => (now < 500 ? 10 : 0),
      (now) => (now < 500 ? ok : refused)
    )
    expect(figuresOf(result)).toMatchObject({
      calls: 55,
      failed: 5,
      reasons: [{ reason: 'nothing listens', count: 5 }]
    })
  })
})

describe.each([100, undefined])('a load at rate %s', (rate) => {
  test('is given up when nobody is there, after each caller has tried', async () => {
    const { result, sent } = await load(
      { rate },
      () => 0,
      () => refused
    )
    expect(result).toEqual({ kind: 'hopeless', reason: 'nothing listens', isLasting: false })
    expect(sent).toHaveLength(4)
  })

  test('is given up when the first answer says that none can succeed', async () => {
    const wrong: CallEnd = { kind: 'failed', reason: 'No such procedure', fate: 'answered', isLasting: true }
    const { result, sent } = await load(
      { rate },
      () => 1,
      () => wrong
    )
    expect(result).toEqual({ kind: 'hopeless', reason: 'No such procedure', isLasting: true })
    expect(sent.length).toBeLessThanOrEqual(4)
  })

  test('goes on when such an answer comes later', async () => {
    const broke: CallEnd = { kind: 'failed', reason: 'HTTP 402', fate: 'answered', isLasting: true }
    const { result } = await load(
      { rate },
      () => 10,
      (_, index) => (index < 10 ? ok : broke)
    )
    const { calls, failed } = figuresOf(result)
    expect(calls - failed).toBe(10)
  })

  test('ends at once when it is cancelled, while it waits and while it calls', async () => {
    for (const service of [1, 10_000]) {
      const clock = new TurnedClock()
      const cancel = new AbortController()
      const send: SendCall = async () => {
        await clock.sleep(service)
        return ok
      }
      const work = drive({ ...basis, rate, callers: 2, timeout: 20_000 }, send, clock, cancel.signal)
      void clock.sleep(333).then(() => cancel.abort())
      expect(await clock.turnUntil(work)).toEqual({ kind: 'cut', milliseconds: 333 })
    }
  })

  test('does not begin when it is cancelled before', async () => {
    let calls = 0
    const send: SendCall = async () => {
      calls++
      return ok
    }
    const end = await drive({ ...basis, rate }, send, new TurnedClock(), AbortSignal.abort())
    expect([end, calls]).toEqual([{ kind: 'cut', milliseconds: 0 }, 0])
  })
})

test('groups many different reasons without keeping them all', async () => {
  const { result } = await load(
    {},
    () => 1,
    (_, index) => ({
      kind: 'failed',
      reason: index % 2 === 0 ? 'the same' : `another ${index}`,
      fate: 'answered',
      isLasting: false
    })
  )
  const { reasons } = figuresOf(result)
  expect(reasons).toHaveLength(9)
  expect(reasons[0]).toEqual({ reason: 'the same', count: 50 })
  expect(reasons.find(({ reason }) => reason === 'other reasons')?.count).toBe(43)
})
