/** What was measured, in milliseconds: the median, and the quartiles as the noise around it. */
export type Measurement = { readonly median: number; readonly lower: number; readonly upper: number }

/** The median of samples and the half of them that lies around it. Throws when there are none. */
export function measurementOf(samples: readonly number[]): Measurement {
  if (samples.length === 0) throw new Error('nothing was measured')
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) }
}

/** Whether a measurement keeps a limit: within its noise of the limit nobody can tell. */
export function judge({ median, lower, upper }: Measurement, limit: number): 'met' | 'over' | 'too close to tell' {
  if (upper <= limit) return 'met'
  if (lower > limit) return 'over'
  return median <= limit ? 'met' : 'too close to tell'
}

/** How long something takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
