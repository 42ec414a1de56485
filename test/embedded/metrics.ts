import type { DatabaseRecord } from './database.ts'

/** Prometheus text: some of a real server's metrics, by its names and labels. */
export function metricsText(databases: Iterable<DatabaseRecord>): string {
  const records = [...databases]
  const lines = (of: (record: DatabaseRecord) => readonly string[]) => records.flatMap(of)
  return [
    metric(
      'spacetime_data_size_table_num_rows',
      'gauge',
      'The number of rows in a table',
      lines(({ identity: db, tables }) =>
        [...tables].map(([name, rows]) => sample({ db, table_name: name }, rows.size))
      )
    ),
    metric(
      'spacetime_num_txns_total',
      'counter',
      'The cumulative number of transactions, including both commits and rollbacks',
      lines(({ identity: db, statistics }) =>
        statistics.transactions.map(({ committed, reducer, type, count }) =>
          sample({ committed: String(committed), db, reducer, txn_type: type }, count)
        )
      )
    ),
    metric(
      'spacetime_reducer_plus_query_duration_sec',
      'histogram',
      'The time spent executing a reducer (in seconds)',
      lines(({ identity: db, statistics, program }) =>
        program.schema.reducers.flatMap(({ name: reducer }) => {
          const { count, micros } = statistics.runsOf(reducer)
          return [`_sum${sample({ db, reducer }, micros / 1e6)}`, `_count${sample({ db, reducer }, count)}`]
        })
      )
    ),
    metric(
      'spacetime_worker_connected_clients',
      'gauge',
      'Number of clients connected to the worker.',
      lines(({ identity }) => [sample({ database_identity: identity }, 0)])
    ),
    metric(
      'spacetime_worker_wasm_instance_errors_total',
      'counter',
      'The number of fatal WASM instance errors, such as reducer panics.',
      lines(({ identity, statistics, program }) =>
        statistics.crashes.map(([reducer, count]) =>
          sample({ database_identity: identity, module_hash: program.module.hash, reducer_symbol: reducer }, count)
        )
      )
    )
  ].join('')
}

function metric(name: string, type: string, help: string, samples: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((text) => name + text), ''].join('\n')
}

function sample(labels: Readonly<Record<string, string>>, value: number): string {
  const inner = Object.entries(labels).map(([name, text]) => `${name}="${text}"`)
  return `{${inner.join(',')}} ${value}`
}
