import type { MetricSample } from './metrics-text.ts'
import type { Server } from './server.ts'

export { latencyQuantile, type MetricsWindow, metricsBetween, quantileBounds } from './metrics-window.ts'

/** What a server has counted about one database since it started. */
export type DatabaseMetrics = {
  /** Those that the server knows, called or not; without its own for clients that come and go. */
  readonly reducers: readonly ReducerMetrics[]
  readonly connectedClients?: number
  /** How many operations wait for their turn. */
  readonly queueLength?: number
  /** Panics and other ends of a module's instance. */
  readonly instanceErrors?: number
}

export type ReducerMetrics = {
  readonly reducer: string
  readonly committed: number
  /** Those that returned an error or panicked. */
  readonly failed: number
  /** How long they ran, with the queries of subscribers that they made the server evaluate. */
  readonly seconds: Histogram
}

/** Buckets are cumulative, in ascending order: so many took at most `le` seconds. The last `le` is Infinity. */
export type Histogram = {
  readonly count: number
  readonly sum: number
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
}

/**
 * What the server has counted about a database, by name or identity; `undefined` where it hides its metrics. The names
 * of the metrics are in docs/server-behaviour.md, "Metrics".
 */
export async function readDatabaseMetrics(
  server: Pick<Server, 'databaseMetrics'>,
  database: string
): Promise<DatabaseMetrics | undefined> {
  const samples = await server.databaseMetrics(database)
  return samples === undefined ? undefined : databaseMetricsIn(samples)
}

/** The same out of samples of one database. */
export function databaseMetricsIn(samples: readonly MetricSample[]): DatabaseMetrics {
  const connectedClients = total(samples, 'spacetime_worker_connected_clients')
  const queueLength = total(samples, 'spacetime_worker_instance_operation_queue_length')
  // A counter is not there before it has counted something.
  const none = samples.length > 0 ? 0 : undefined
  const instanceErrors = total(samples, 'spacetime_worker_wasm_instance_errors_total') ?? none
  return {
    reducers: reducersIn(samples),
    ...(connectedClients !== undefined && { connectedClients }),
    ...(queueLength !== undefined && { queueLength }),
    ...(instanceErrors !== undefined && { instanceErrors })
  }
}

function total(samples: readonly MetricSample[], name: string): number | undefined {
  const values = samples.flatMap((sample) => (sample.name === name ? sample.value : []))
  return values.length === 0 ? undefined : sumOf(values)
}

/** What the server itself runs, under names of its own, when a client connects or leaves. */
const serversOwn: ReadonlySet<string> = new Set(['', 'call_identity_connected', '__identity_disconnected__'])

function reducersIn(samples: readonly MetricSample[]): readonly ReducerMetrics[] {
  const byReducer = new Map<string, MetricSample[]>()
  for (const sample of samples) {
    const reducer = sample.labels.reducer ?? ''
    if (!isAboutCalls(sample) || serversOwn.has(reducer)) continue
    const others = byReducer.get(reducer)
    if (others === undefined) byReducer.set(reducer, [sample])
    else others.push(sample)
  }
  return [...byReducer].map(([reducer, own]) => reducerIn(reducer, own))
}

const transactions = 'spacetime_num_txns_total'
const duration = 'spacetime_reducer_plus_query_duration_sec'

/** A reducer's transactions are counted again, as `Update`, where subscribers are told. */
function isAboutCalls({ name, labels }: MetricSample): boolean {
  return name === transactions ? labels.txn_type === 'Reducer' : name.startsWith(duration)
}

function reducerIn(reducer: string, samples: readonly MetricSample[]): ReducerMetrics {
  const count = (committed: string) =>
    total(
      samples.filter(({ labels }) => labels.committed === committed),
      transactions
    ) ?? 0
  const buckets = samples.flatMap(({ name, labels, value }) =>
    name === `${duration}_bucket` ? { le: boundOf(labels.le), count: value } : []
  )
  return {
    reducer,
    committed: count('true'),
    failed: count('false'),
    seconds: {
      count: total(samples, `${duration}_count`) ?? 0,
      sum: total(samples, `${duration}_sum`) ?? 0,
      buckets: buckets.sort((a, b) => a.le - b.le)
    }
  }
}

function boundOf(le: string | undefined): number {
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
