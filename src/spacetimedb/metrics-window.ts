import type { DatabaseMetrics, Histogram, ReducerMetrics } from './database-metrics.ts'

/** What happened between two readings of a database's metrics: of each reducer that was called, and in all. */
export type MetricsWindow = {
  readonly reducers: readonly ReducerActivity[]
  readonly all: Activity
  readonly instanceErrors: number
  /** The server was restarted in between: what it did before that is lost. */
  readonly wasRestarted: boolean
}

export type ReducerActivity = Activity & { readonly reducer: string }

export type Activity = {
  readonly calls: number
  /** Calls that returned an error or panicked. */
  readonly errors: number
  /** From 0 to 1; absent where nothing was called. */
  readonly errorRate?: number
  readonly seconds: Histogram
}

/**
 * What happened between two readings. Where a counter went back, the server was restarted in between, and all of them
 * count from zero: what it did before the restart is lost.
 */
export function metricsBetween(before: DatabaseMetrics, after: DatabaseMetrics): MetricsWindow {
  const restarted = wasRestarted(before, after)
  const start = restarted ? noMetrics : before
  const earlier = new Map(start.reducers.map((each) => [each.reducer, each]))
  const changes = after.reducers.map((each) => increase(earlier.get(each.reducer), each))
  return {
    reducers: changes
      .map((change) => ({ reducer: change.reducer, ...activity([change]) }))
      .filter(({ calls, seconds }) => calls > 0 || seconds.count > 0),
    all: activity(changes),
    instanceErrors: (after.instanceErrors ?? 0) - (start.instanceErrors ?? 0),
    wasRestarted: restarted
  }
}

/** In seconds: longer than `from`, and `upTo` at most. */
export type Bounds = { readonly from: number; readonly upTo: number }

/**
 * Between which bounds of the histogram the time lies that the share `q`, from 0 to 1, of the calls took at most: all
 * that is certain of it. `undefined` without calls or without an infinite bucket. Throws a `RangeError` for another `q`.
 */
export function quantileBounds({ buckets }: Histogram, q: number): Bounds | undefined {
  const index = bucketOf(buckets, q)
  const bucket = index === undefined ? undefined : buckets[index]
  if (index === undefined || bucket === undefined) return undefined
  return { from: buckets[index - 1]?.le ?? 0, upTo: bucket.le }
}

/**
 * The seconds that the share `q`, from 0 to 1, of the calls took at most, estimated as Prometheus' `histogram_quantile`
 * does: evenly spread within a bucket, and no more than the highest finite bound
 * (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile). `undefined` without calls or
 * without an infinite bucket. Throws a `RangeError` for another `q`.
 */
export function latencyQuantile({ buckets }: Histogram, q: number): number | undefined {
  const index = bucketOf(buckets, q)
  const bucket = index === undefined ? undefined : buckets[index]
  if (index === undefined || bucket === undefined) return undefined
  if (index === buckets.length - 1) return buckets.at(-2)?.le
  const { le: end, count } = bucket
  if (index === 0 && end <= 0) return end
  const { le: from, count: below } = buckets[index - 1] ?? { le: 0, count: 0 }
  const rank = q * (buckets.at(-1)?.count ?? 0)
  return count === below ? end : from + ((end - from) * (rank - below)) / (count - below)
}

/** The first bucket that this share of the calls lies in, or below. */
function bucketOf(buckets: Histogram['buckets'], q: number): number | undefined {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`a quantile is from 0 to 1, not ${q}`)
  const last = buckets.at(-1)
  if (last?.le !== Number.POSITIVE_INFINITY || buckets.length < 2 || last.count <= 0) return undefined
  return buckets.findIndex(({ count }) => count >= q * last.count)
}

const noMetrics: DatabaseMetrics = { reducers: [] }

function wasRestarted(before: DatabaseMetrics, after: DatabaseMetrics): boolean {
  if ((after.instanceErrors ?? 0) < (before.instanceErrors ?? 0)) return true
  const later = new Map(after.reducers.map((each) => [each.reducer, each]))
  return before.reducers.some((old) => {
    const now = later.get(old.reducer)
    // Counters are not there before they have counted something.
    return now === undefined ? old.committed + old.failed > 0 : wentBack(old, now)
  })
}

function wentBack(before: ReducerMetrics, after: ReducerMetrics): boolean {
  if (after.committed < before.committed || after.failed < before.failed) return true
  if (after.seconds.count < before.seconds.count || after.seconds.sum < before.seconds.sum) return true
  return after.seconds.buckets.some(({ le, count }) => count < countAt(before.seconds, le))
}

function increase(before: ReducerMetrics | undefined, after: ReducerMetrics): ReducerMetrics {
  if (before === undefined) return after
  return {
    reducer: after.reducer,
    committed: after.committed - before.committed,
    failed: after.failed - before.failed,
    seconds: {
      count: after.seconds.count - before.seconds.count,
      sum: after.seconds.sum - before.seconds.sum,
      buckets: after.seconds.buckets.map(({ le, count }) => ({ le, count: count - countAt(before.seconds, le) }))
    }
  }
}

function countAt({ buckets }: Histogram, bound: number): number {
  return buckets.find(({ le }) => le === bound)?.count ?? 0
}

function activity(changes: readonly ReducerMetrics[]): Activity {
  const committed = sumOf(changes, ({ committed: each }) => each)
  const errors = sumOf(changes, ({ failed }) => failed)
  const calls = committed + errors
  return {
    calls,
    errors,
    ...(calls > 0 && { errorRate: errors / calls }),
    seconds: together(changes.map(({ seconds }) => seconds))
  }
}

function together(histograms: readonly Histogram[]): Histogram {
  const bounds = new Set(histograms.flatMap(({ buckets }) => buckets.map(({ le }) => le)))
  return {
    count: sumOf(histograms, ({ count }) => count),
    sum: sumOf(histograms, ({ sum }) => sum),
    buckets: [...bounds]
      .sort((a, b) => a - b)
      .map((le) => ({ le, count: sumOf(histograms, (histogram) => countAt(histogram, le)) }))
  }
}

function sumOf<Item>(items: readonly Item[], number: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + number(item), 0)
}
