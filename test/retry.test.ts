import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { defaultPatience, parseRetryAfter, withRetries } from '../src/retry.ts'

async function run(failures: number, chances: readonly number[], patience = defaultPatience, atLeast?: number) {
  const waits: number[] = []
  let now = 0
  let attempts = 0
  const result = await withRetries(
    async () => ++attempts,
    (attempt) => (attempt <= failures ? { reason: 'no', ...(atLeast !== undefined && { atLeast }) } : undefined),
    {
      patience,
      onRetry: () => {},
      clock: {
        now: () => now,
        random: () => chances[waits.length % chances.length] ?? 0,
        sleep: async (milliseconds) => {
          waits.push(milliseconds)
          now += milliseconds
        }
      }
    }
  )
  return { result, waits, attempts }
}

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('trying again', () => {
  test('stops with the first result that is good, and after the last attempt', async () => {
    expect(await run(0, [0.5])).toMatchObject({ result: 1, waits: [] })
    expect(await run(2, [0.5])).toMatchObject({ result: 3, waits: [188, 375] })
    expect(await run(99, [0])).toMatchObject({ result: defaultPatience.attempts })
  })

  test('gives a server that restarts some seconds, whatever the chances', async () => {
    const { waits } = await run(99, [0])
    expect(waits).toEqual([125, 250, 500, 1000, 2000])
  })

  test('waits at least half of a delay that doubles up to a limit, and at most all of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(chance, { minLength: 1, maxLength: 10 }), async (chances) => {
        const patience = { attempts: 10, firstDelay: 100, longestDelay: 1000, total: 1e9 }
        const { waits } = await run(99, chances, patience)
        expect(waits).toHaveLength(9)
        for (const [index, wait] of waits.entries()) {
          const longest = Math.min(1000, 100 * 2 ** index)
          expect(wait).toBeLessThanOrEqual(longest)
          expect(wait).toBeGreaterThanOrEqual(longest / 2)
        }
      })
    )
  })

  test('never waits beyond the total, and rather not at all than too short', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(chance, { minLength: 1 }),
        fc.nat(5000),
        fc.nat(5000),
        async (chances, total, least) => {
          const patience = { attempts: 8, firstDelay: 250, longestDelay: 4000, total }
          const { waits } = await run(99, chances, patience, least)
          expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(total)
          for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(least)
        }
      )
    )
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  test.each([
    [undefined, undefined],
    ['', undefined],
    ['soon', undefined],
    ['0', 0],
    [' 3 ', 3000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0]
  ])('"%s" means %s ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected)
  })
})
