import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { scheduleOf } from '../../../src/smoke/load/schedule.ts'

describe('scheduleOf', () => {
  test.each([
    [100, 1000, 100],
    [3, 1000, 3],
    [0.5, 1000, 1],
    [0.5, 2000, 1],
    [0.5, 2001, 2],
    [7, 333, 3],
    [1 / 3, 9000, 3],
    [100_000, 100, 10_000]
  ])('%d a second for %d ms are %d calls', (rate, duration, calls) => {
    expect(scheduleOf(rate, duration).calls).toBe(calls)
  })

  test('has all calls that are due in its time and no others, at even distances', () => {
    const rate = fc.double({ min: 0.001, max: 100_000, noNaN: true })
    fc.assert(
      fc.property(rate, fc.integer({ min: 100, max: 21_600_000 }), (rate, duration) => {
        const { calls, due } = scheduleOf(rate, duration)
        expect(due(0)).toBe(0)
        expect(due(calls - 1)).toBeLessThan(duration)
        expect(due(calls)).toBeGreaterThanOrEqual(duration)
        expect(due(calls) / calls).toBeCloseTo(1000 / rate, 5)
      })
    )
  })
})
