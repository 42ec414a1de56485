import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Latencies } from '../../../src/smoke/load/latencies.ts'

const times = fc.array(
  fc.oneof(fc.double({ min: 0, max: 10, noNaN: true }), fc.double({ min: 0, max: 100_000, noNaN: true })),
  { minLength: 1, maxLength: 300 }
)

function recorded(given: readonly number[]): Latencies {
  const latencies = new Latencies()
  for (const time of given) latencies.record(time)
  return latencies
}

describe('Latencies', () => {
  test('has the quantiles of what was recorded, to three digits', () => {
    fc.assert(
      fc.property(times, (given) => {
        const sorted = [...given].sort((one, other) => one - other)
        const quantiles = recorded(given).quantiles()
        expect(quantiles.max).toBeCloseTo(sorted.at(-1) ?? 0, 2)
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99]
        ] as const) {
          // Between two calls either is right.
          const [under = 0, over = 0] = [Math.floor, Math.ceil].map(
            (rounded) => sorted[Math.max(0, rounded(share * sorted.length) - 1)]
          )
          expect(quantiles[name]).toBeGreaterThanOrEqual(under * 0.999 - 0.0011)
          expect(quantiles[name]).toBeLessThanOrEqual(over * 1.001 + 0.0011)
        }
      })
    )
  })

  test('has bars that hold each call once, below a bound that it does not exceed', () => {
    fc.assert(
      fc.property(times, (given) => {
        const bars = recorded(given).bars()
        expect(bars.length).toBeLessThanOrEqual(16)
        let counted = 0
        let last = 0
        for (const { upTo, calls } of bars) {
          expect(upTo).toBeGreaterThan(last)
          last = upTo
          counted += calls
          // A microsecond of rounding.
          expect(given.filter((time) => time <= upTo + 0.001).length).toBeGreaterThanOrEqual(counted)
          expect(given.filter((time) => time < upTo - 0.001).length).toBeLessThanOrEqual(counted)
        }
        expect(counted).toBe(given.length)
      })
    )
  })

  test('has a dozen bars or so where times differ', () => {
    const bars = recorded(Array.from({ length: 1000 }, (_, index) => 1 + index / 10)).bars()
    expect(bars.length).toBeGreaterThanOrEqual(9)
    expect(bars.at(-1)?.upTo).toBeCloseTo(100.9, 5)
  })

  test('is all zeros without a call', () => {
    expect(recorded([]).quantiles()).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 })
    expect(recorded([]).bars()).toEqual([])
  })

  test('takes what lasted longer than any load', () => {
    expect(recorded([1e12]).bars()).toMatchObject([{ calls: 1 }])
  })
})
