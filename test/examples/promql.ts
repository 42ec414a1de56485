import { parser } from '@prometheus-io/lezer-promql'

/** What a PromQL expression asks for: metrics, each with the labels that are compared. */
export type Selector = { readonly metric: string; readonly labels: readonly string[] }

/** Reads an expression as Prometheus does; throws where it does not parse. */
export function selectorsIn(expression: string): Selector[] {
  const selectors: { metric: string; labels: string[] }[] = []
  parser.parse(expression).iterate({
    enter({ name, type, from, to }) {
      const text = expression.slice(from, to)
      if (type.isError) throw new Error(`wrong at ${from}: ${expression}`)
      if (name === 'VectorSelector') selectors.push({ metric: '', labels: [] })
      const selector = selectors.at(-1)
      if (selector === undefined) return
      if (name === 'Identifier' && selector.metric === '') selector.metric = text
      if (name === 'LabelName' && isInMatcher(expression, to)) selector.labels.push(text)
    }
  })
  return selectors
}

/** A label in `by (…)` has no operator after it. */
function isInMatcher(expression: string, end: number): boolean {
  return /^\s*(=|!=|=~|!~)/.test(expression.slice(end))
}
