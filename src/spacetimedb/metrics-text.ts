import { textLines } from './text-lines.ts'

/** One number of Prometheus' text. */
export type MetricSample = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * The samples in Prometheus' text, as it arrives
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). Lines for which `isWanted` is
 * false, and lines that are no sample, are left out.
 */
export async function* metricSamples(
  chunks: AsyncIterable<Uint8Array>,
  isWanted: (line: string) => boolean = () => true
): AsyncGenerator<MetricSample> {
  for await (const line of textLines(chunks)) {
    const sample = isWanted(line) ? parseSample(line) : undefined
    if (sample !== undefined) yield sample
  }
}

/** A line's sample. The time that it may end with is not kept. `undefined` for a comment, or anything else. */
export function parseSample(line: string): MetricSample | undefined {
  const [, name, labelText = '', valueText = ''] =
    /^[ \t]*([a-zA-Z_:][\w:]*)[ \t]*(?:\{(.*)\})?[ \t]*(\S+)(?:[ \t]+-?\d+)?\s*$/s.exec(line) ?? []
  const labels = parseLabels(labelText.trim())
  const value = parseValue(valueText)
  return name === undefined || labels === undefined || value === undefined ? undefined : { name, labels, value }
}

function parseLabels(text: string): MetricSample['labels'] | undefined {
  const pattern = /[ \t]*([a-zA-Z_]\w*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)/sy
  const labels: [string, string][] = []
  while (pattern.lastIndex < text.length) {
    const [, name = '', value = ''] = pattern.exec(text) ?? []
    if (name === '') return undefined
    labels.push([name, value.replace(/\\(.)/gs, (_, character) => (character === 'n' ? '\n' : character))])
  }
  return Object.fromEntries(labels)
}

function parseValue(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN
  const value = Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'))
  return Number.isNaN(value) ? undefined : value
}
