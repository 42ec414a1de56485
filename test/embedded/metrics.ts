import type { DatabaseRecord } from './database.ts'

/** Prometheus text with the names that a real server uses; only what happened here is counted. */
export function metricsText(databases: Iterable<DatabaseRecord>): string {
  const records = [...databases]
  const transactions = records.flatMap((record) =>
    [...record.transactions.values()].map((entry) => ({ ...entry, db: record.identity }))
  )
  const calls = transactions.filter(({ type }) => type === 'Reducer')
  return [
    metric('spacetime_data_size_table_num_rows', 'gauge', 'The number of rows in a table', [
      ...records.flatMap(({ identity, tables }) =>
        [...tables].map(([table, rows]) => line({ db: identity, table_name: table }, rows.size))
      )
    ]),
    metric(
      'spacetime_num_txns_total',
      'counter',
      'The cumulative number of transactions, including both commits and rollbacks',
      [
        ...transactions.map(({ committed, db, reducer, type, count }) =>
          line({ committed: String(committed), db, reducer, txn_type: type }, count)
        )
      ]
    ),
    metric(
      'spacetime_reducer_plus_query_duration_sec',
      'histogram',
      'The time spent executing a reducer (in seconds)',
      [
        ...calls.flatMap(({ db, reducer, micros, count }) => [
          `_sum${line({ db, reducer }, micros / 1e6)}`,
          `_count${line({ db, reducer }, count)}`
        ])
      ]
    ),
    metric('spacetime_worker_connected_clients', 'gauge', 'The number of connected clients', [
      ...records.map(({ identity }) => line({ db: identity }, 0))
    ]),
    metric('spacetime_worker_wasm_instance_errors_total', 'counter', 'The number of fatal WASM instance errors', [
      ...records.flatMap(({ identity, crashes, program }) =>
        [...crashes].map(([reducer, count]) =>
          line({ caller_identity: identity, module_hash: program.module.hash, reducer_symbol: reducer }, count)
        )
      )
    ])
  ].join('')
}

function metric(name: string, type: string, help: string, lines: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines.map((text) => name + text), ''].join('\n')
}

function line(labels: Readonly<Record<string, string>>, value: number): string {
  const inner = Object.entries(labels).map(([name, text]) => `${name}="${text}"`)
  return `{${inner.join(',')}} ${value}`
}
