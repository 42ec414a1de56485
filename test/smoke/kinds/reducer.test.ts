import { describe, expect, test } from '@jest/globals'
import { runReducer } from '../../../src/smoke/kinds/reducer.ts'
import { type Fault, startProxy } from '../../faults/proxy.ts'
import { prepareWorld, rows } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

type Written = Readonly<Record<string, unknown>>

async function reducer(module: string, written: Written) {
  const place = await placeOf(world, await world.shared(module))
  return tryOnce(runReducer, checkOf('reducer', written), place)
}

const health = { reducer: 'health_check' }

describe('a reducer ends as it should', () => {
  test.each<[string, Written, string | RegExp]>([
    ['counter', health, /^ok, [\d.]+ m?s on the server$/],
    ['counter', { reducer: 'increment_counter', args: [7], 'max-duration': '5s' }, /^ok, /],
    ['counter-unhealthy', { ...health, expect: { error: true } }, /^error: /],
    ['counter-unhealthy', { ...health, expect: { error: 'unhealthy' } }, /^error: .*unhealthy/],
    ['counter-unhealthy', { ...health, expect: { error: { matches: '^.*unhealthy' } } }, /^error: .*unhealthy/],
    ['counter-panics', { ...health, expect: { error: true } }, /^a panic, whose text is in the log/]
  ])('%s: %j', async (module, written, detail) => {
    expect(await reducer(module, written)).toEqual({ kind: 'passed', detail: expect.stringMatching(detail) })
  })
})

describe('a reducer ends otherwise', () => {
  test.each<[string, Written, expected: string, actual: RegExp]>([
    ['counter-unhealthy', health, 'ok', /^error: .*unhealthy/],
    [
      'counter-unhealthy',
      { ...health, expect: { error: 'too slow' } },
      'an error with "too slow"',
      /^error: .*unhealthy/
    ],
    [
      'counter-unhealthy',
      { ...health, expect: { error: { matches: '^slow' } } },
      'an error that matches /^slow/',
      /^error: .*unhealthy/
    ],
    ['counter-panics', health, 'ok', /^a panic, whose text is in the log \(The instance/],
    ['counter', { ...health, expect: { error: true } }, 'an error', /^ok$/]
  ])('%s: %j', async (module, written, expected, actual) => {
    expect(await reducer(module, written)).toEqual({
      kind: 'failed',
      expected,
      actual: expect.stringMatching(actual),
      final: true
    })
  })

  test('it takes longer on the server than it may', async () => {
    const written = { reducer: 'spin_for', args: [20_000_000], 'max-duration': '1ms' }
    expect(await reducer('counter-slow', written)).toEqual({
      kind: 'failed',
      expected: 'at most 1 ms on the server',
      actual: expect.stringMatching(/^[\d.]+ m?s$/)
    })
  })

  test('it is not done when the time is over', async () => {
    const begin = Date.now()
    const name = await world.create('counter-slow')
    const finding = await tryOnce(
      runReducer,
      checkOf('reducer', { ...health, timeout: '200ms' }),
      await placeOf(world, name)
    )
    expect(finding).toEqual({ kind: 'failed', expected: 'an answer within 200ms', actual: 'none' })
    expect(Date.now() - begin).toBeLessThan(5000)
  })
})

describe('a reducer can not be called', () => {
  test.each<[string, Written, string]>([
    ['counter', { reducer: 'helth_check' }, 'Did you mean `health_check`?'],
    ['counter', { reducer: 'x' }, 'was not run: No such procedure. There are: `clear_counters`, '],
    ['counter', { reducer: 'increment_counter', args: ['x'] }, 'It takes 1: id.'],
    ['counter', { reducer: 'increment_counter' }, 'It takes 1: id.'],
    ['counter', { ...health, args: [1] }, 'It takes no arguments.'],
    ['rich', { reducer: 'on_tick', args: [[1, [0, [1]]]], as: 'anonymous' }, 'It is private: with `as: owner`']
  ])('%s: %j', async (module, written, reason) => {
    expect(await reducer(module, written)).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining(reason),
      final: true
    })
  })
})

describe('answers that are lost', () => {
  const increment = checkOf('reducer', { reducer: 'increment_counter', args: [1], timeout: '1500ms' })

  async function withFault(fault: Fault, nth?: number) {
    const proxy = await startProxy(world.url)
    try {
      proxy.inject({ match: { path: /\/call\//, ...(nth !== undefined && { nth }) }, fault })
      const name = await world.create('counter')
      const finding = await tryOnce(runReducer, increment, await placeOf(world, name, { url: proxy.url }))
      const calls = proxy.requests.filter(({ path }) => path.includes('/call/')).length
      return { finding, calls, value: await rows(world.owner, name, 'SELECT value FROM counter WHERE id = 1') }
    } finally {
      await proxy.close()
    }
  }

  test('a call that may have been carried out is sent once', async () => {
    for (const kind of ['reset-before', 'reset-after'] as const) {
      const { finding, calls, value } = await withFault({ kind })
      expect(finding).toEqual({
        kind: 'failed',
        expected: 'an answer',
        actual: expect.stringContaining('the connection broke before the whole answer was there')
      })
      expect(calls).toBe(1)
      expect(value).toEqual(kind === 'reset-after' ? [[1]] : [])
    }
  })

  test('a call without an answer is over with its time', async () => {
    const { finding, calls, value } = await withFault({ kind: 'hang', forward: true })
    expect(finding).toEqual({ kind: 'failed', expected: 'an answer within 1500ms', actual: 'none' })
    expect(calls).toBe(1)
    expect(value).toEqual([[1]])
  })

  test('a call that was turned away is sent again', async () => {
    const { finding, calls, value } = await withFault({ kind: 'answer', status: 429, body: 'slow down' }, 1)
    expect(finding).toMatchObject({ kind: 'passed' })
    expect(calls).toBe(2)
    expect(value).toEqual([[1]])
  })

  test('a server that can not be reached is waited for', async () => {
    const proxy = await startProxy(world.url)
    const place = await placeOf(world, await world.create('counter'), { url: proxy.url })
    try {
      await proxy.close()
      const finding = tryOnce(runReducer, increment, place)
      await new Promise((resolve) => setTimeout(resolve, 300))
      await proxy.comeUp()
      expect(await finding).toMatchObject({ kind: 'passed' })
    } finally {
      await proxy.close()
    }
    expect(await tryOnce(runReducer, increment, place)).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining('nothing listens')
    })
  })
})
