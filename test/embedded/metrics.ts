import type { Database } from './database.ts'
import type { Histogram } from './histogram.ts'

type Labels = Readonly<Record<string, string>>
/** The end of a sample's name, its labels and its value. */
type Sample = readonly [suffix: string, labels: Labels, value: number]

/** Prometheus text: some of a real server's metrics, by its names and labels. */
export function metricsText(databases: Iterable<Database>): string {
  const all = [...databases]
  const samples = (of: (database: Database) => readonly Sample[]) => all.flatMap(of)
  const records = (of: (record: Database['record']) => readonly Sample[]) => samples(({ record }) => of(record))
  return [
    metric(
      'spacetime_data_size_table_num_rows',
      'gauge',
      'The number of rows in a table',
      records(({ identity: db, tables }) =>
        [...tables].map(([name, rows]) => ['', { db, table_name: name }, rows.size])
      )
    ),
    metric(
      'spacetime_num_txns_total',
      'counter',
      'The cumulative number of transactions, including both commits and rollbacks',
      records(({ identity: db, statistics }) =>
        statistics.transactions.flatMap(({ committed, rolledBack, reducer, type }) =>
          (
            [
              ['true', committed],
              ['false', rolledBack]
            ] as const
          ).flatMap(([isCommitted, count]): Sample[] =>
            count === 0 ? [] : [['', { committed: isCommitted, db, reducer, txn_type: type }, count]]
          )
        )
      )
    ),
    metric(
      'spacetime_reducer_plus_query_duration_sec',
      'histogram',
      'The time spent executing a reducer (in seconds), plus the time spent evaluating its subscription queries',
      records(({ identity: db, statistics, program }) =>
        program.schema.reducers.flatMap(({ name: reducer }) => histogram({ db, reducer }, statistics.runsOf(reducer)))
      )
    ),
    metric(
      'spacetime_reducer_wait_time_sec',
      'histogram',
      'The amount of time (in seconds) a reducer spends in the queue waiting to run',
      records(({ identity: db, statistics }) =>
        statistics.waits.flatMap(([reducer, seconds]) => histogram({ db, reducer }, seconds))
      )
    ),
    metric(
      'spacetime_subscription_connections',
      'gauge',
      'Number of connections with active subscriptions',
      samples(({ record, subscribers }) => [
        ['', { database_identity: record.identity }, [...subscribers].filter(({ isSubscribed }) => isSubscribed).length]
      ])
    ),
    metric(
      'spacetime_txn_elapsed_time_sec',
      'histogram',
      'The total elapsed (wall) time of a transaction (in seconds)',
      records(({ identity: db, statistics }) =>
        statistics.transactions.flatMap(({ reducer, type, seconds }) =>
          histogram({ db, reducer, txn_type: type }, seconds)
        )
      )
    ),
    metric(
      'spacetime_worker_connected_clients',
      'gauge',
      'Number of clients connected to the worker.',
      samples(({ record, subscribers }) => [['', { database_identity: record.identity }, subscribers.size]])
    ),
    metric(
      'spacetime_worker_instance_operation_queue_length',
      'gauge',
      'Length of the wait queue for access to a module instance.',
      samples(({ record, queueLength }) => [['', { database_identity: record.identity }, queueLength]])
    ),
    metric(
      'spacetime_worker_instance_operation_queue_length_histogram',
      'histogram',
      'Length of the wait queue for access to a module instance.',
      records(({ identity, statistics }) => histogram({ database_identity: identity }, statistics.queueLengths))
    ),
    metric(
      'spacetime_worker_sender_errors_total',
      'counter',
      'The number of sender errors returned from reducers.',
      records(({ statistics, ...record }) => byReducer(record, statistics.errors))
    ),
    metric(
      'spacetime_worker_wasm_instance_errors_total',
      'counter',
      'The number of fatal WASM instance errors, such as reducer panics.',
      records(({ statistics, ...record }) => byReducer(record, statistics.crashes))
    )
  ].join('')
}

function byReducer(
  { identity, program }: Pick<Database['record'], 'identity' | 'program'>,
  counts: readonly (readonly [reducer: string, count: number])[]
): readonly Sample[] {
  return counts.map(([reducer, count]) => [
    '',
    { database_identity: identity, module_hash: program.module.hash, reducer_symbol: reducer },
    count
  ])
}

function histogram(labels: Labels, { bounds, cumulative, sum, count }: Histogram): readonly Sample[] {
  return [
    ...bounds.map((bound, i): Sample => ['_bucket', { ...labels, le: String(bound) }, cumulative[i] ?? 0]),
    ['_bucket', { ...labels, le: '+Inf' }, count],
    ['_sum', labels, sum],
    ['_count', labels, count]
  ]
}

function metric(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([suffix, labels, value]) => {
    const inner = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
    return `${name}${suffix}{${inner.join(',')}} ${value}`
  })
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}
