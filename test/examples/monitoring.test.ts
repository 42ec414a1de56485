import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from '../../scripts/repository.ts'
import { documentsOf, textOf } from './example.ts'
import { selectorsIn } from './promql.ts'

type Rule = {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook_url: string }
}
type Panel = {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string }[]
}
type Case = { readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: unknown[] }[] }

const rules: Rule[] = documentsOf('monitoring/rules.yml').flatMap(({ groups }) =>
  groups.flatMap((group: { rules: Rule[] }) => group.rules)
)
const dashboard = JSON.parse(textOf('monitoring/grafana-dashboard.json'))
const panels: Panel[] = dashboard.panels
const runbook = textOf('monitoring/RUNBOOK.md')

/** The server's own metrics and their labels, as a real one answered. */
const served = new Map<string, Set<string>>()
for (const line of readFileSync(join(root, 'test/fixtures/metrics.txt'), 'utf8').split('\n')) {
  const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
  if (name === undefined) continue
  const known = served.get(name) ?? new Set(['job', 'instance'])
  for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(`${label}`)
  served.set(name, known)
}

/** The metrics of others, by the table of the runbook. */
const foreign = new Set([...runbook.matchAll(/^\| `(\w+)` \| [^|]+ \|$/gm)].map(([, name]) => name))

/** With Grafana's variables replaced by what they stand for. */
const expressions = [
  ...rules.map(({ alert, expr }) => ({ name: alert, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: `panel ${title}`, expr })))
].map(({ name, expr }) => ({ name, expr: expr.replaceAll('$__rate_interval', '1m').replace(/\$\w+/g, '.*') }))

test('there is a recording of metrics, and a table of those of others', () => {
  expect(served.size).toBeGreaterThan(10)
  expect(foreign.size).toBeGreaterThan(5)
})

test.each(expressions)('$name asks for metrics and labels that there are', ({ expr }) => {
  const selectors = selectorsIn(expr)
  expect(selectors.length).toBeGreaterThan(0)
  for (const { metric, labels } of selectors) {
    if (foreign.has(metric)) continue
    expect([...served.keys()]).toContain(metric)
    expect([...(served.get(metric) ?? [])]).toEqual(expect.arrayContaining([...labels]))
  }
})

test('an expression that is wrong, and labels of a matcher, are noticed', () => {
  expect(() => selectorsIn('rate(up[5m]')).toThrow('wrong at')
  expect(selectorsIn('sum by (db) (rate(a{x="1",y=~"2"}[5m])) / b')).toEqual([
    { metric: 'a', labels: ['x', 'y'] },
    { metric: 'b', labels: [] }
  ])
})

describe.each(rules)('the alert $alert', ({ alert, labels, annotations }) => {
  test('has a severity, a summary, and a section of the runbook', () => {
    expect(labels.severity).toMatch(/^(warning|critical)$/)
    expect(annotations.summary).not.toBe('')
    const page = 'https://github.com/org/stdb-actions/blob/v1/examples/counter/monitoring/RUNBOOK.md'
    expect(annotations.runbook_url).toBe(`${page}#${alert.toLowerCase()}`)
    expect(runbook.split('\n')).toContain(`## ${alert}`)
  })

  test('has a test in which it fires, and one in which it does not', () => {
    const cases: Case[] = documentsOf('monitoring/rules.test.yml')[0].tests
    const expected = cases
      .flatMap((each) => each.alert_rule_test)
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => exp_alerts.length > 0)
    expect(new Set(expected)).toEqual(new Set([true, false]))
  })
})

test('connections, errors, latency, queue and CPU have alerts', () => {
  const metrics = new Set(rules.flatMap(({ expr }) => selectorsIn(expr).map(({ metric }) => metric)))
  expect([...metrics]).toEqual(
    expect.arrayContaining([
      'up',
      'spacetime_worker_connected_clients',
      'spacetime_num_txns_total',
      'spacetime_reducer_plus_query_duration_sec_bucket',
      'spacetime_worker_instance_operation_queue_length',
      'container_cpu_usage_seconds_total',
      'node_cpu_seconds_total'
    ])
  )
})

test('the dashboard has panels that do not overlap, each with an id of its own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`)
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
})

test('the dashboard has the variables that its panels use', () => {
  const given = dashboard.templating.list.map(({ name }: { name: string }) => name)
  const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name)
  expect(new Set(used)).toEqual(new Set(given))
})

test('Prometheus scrapes the path of metrics, and where compose.yaml has the server', () => {
  const [{ scrape_configs: local }] = documentsOf('monitoring/prometheus.yml')
  const [{ services }] = documentsOf('compose.yaml')
  expect(local[0]).toMatchObject({ job_name: 'counter', metrics_path: '/v1/metrics' })
  const [target] = local[0].static_configs[0].targets
  expect(Object.keys(services)).toContain(target.split(':')[0])
  expect(services.counter.ports[0]).toMatch(new RegExp(`:${target.split(':')[1]}$`))

  const [{ scrape_configs: cluster }] = documentsOf('monitoring/prometheus-kubernetes.yml')
  const [stateful] = documentsOf('kubernetes/stateful-set.yaml')
  const pod = stateful.spec.template
  expect(cluster[0]).toMatchObject({ job_name: 'counter', metrics_path: '/v1/metrics' })
  expect(cluster[0].relabel_configs[0].regex).toBe(
    `${pod.metadata.labels['app.kubernetes.io/name']};${pod.spec.containers[0].ports[0].name}`
  )
})
