import { timeText } from '../../duration.ts'
import { perSecond, share } from '../load/figure-texts.ts'
import type { LoadFigures, Quantiles } from '../load-figures.ts'

/** What a load did, as plain text: how long calls took as bars, and the figures below. Lines are at most 80 characters. */
export function loadChart(load: LoadFigures): string {
  return [...bars(load.histogram), '', ...figures(load)].join('\n')
}

const mostBars = 16
const widestBar = 40
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function bars(histogram: LoadFigures['histogram']): readonly string[] {
  const rows = joined(trimmed(histogram))
  const most = Math.max(1, ...rows.map(({ calls }) => calls))
  const bounds = columnOf(rows.map(({ upTo }) => `≤ ${timeText(upTo)}`))
  return rows.map(({ calls }, index) => `${bounds[index]} │${bar(calls / most)} ${calls}`)
}

/** Without the empty bounds at both ends. */
function trimmed(histogram: LoadFigures['histogram']): LoadFigures['histogram'] {
  const first = histogram.findIndex(({ calls }) => calls > 0)
  const last = histogram.findLastIndex(({ calls }) => calls > 0)
  return first === -1 ? [] : histogram.slice(first, last + 1)
}

/** As many neighbours in one as it takes to have few enough. */
function joined(histogram: LoadFigures['histogram']): LoadFigures['histogram'] {
  const size = Math.ceil(histogram.length / mostBars)
  return Array.from({ length: Math.ceil(histogram.length / size) || 0 }, (_, index) => {
    const group = histogram.slice(index * size, (index + 1) * size)
    return { upTo: group.at(-1)?.upTo ?? 0, calls: group.reduce((sum, { calls }) => sum + calls, 0) }
  })
}

/** At least a sliver where there is something. */
function bar(share: number): string {
  const filled = share === 0 ? 0 : Math.max(1, Math.round(share * widestBar * 8))
  return '█'.repeat(Math.floor(filled / 8)) + eighths[filled % 8]
}

function figures({ calls, failed, reasons, milliseconds, throughput, latency, service, late }: LoadFigures): string[] {
  const waited = late.calls === 0 ? 'none began late' : `${late.calls} began late, by up to ${timeText(late.worst)}`
  return [
    ...quantileTable({ 'from when it was due': latency, 'from when it was sent': service }),
    '',
    `${calls} calls in ${timeText(milliseconds)}, ${waited}`,
    `${perSecond(throughput)} succeeded, ${failed} failed (${share(calls === 0 ? 0 : failed / calls)})`,
    ...reasons.map(({ reason, count }) => `  ${count} × ${firstLine(reason)}`)
  ]
}

function quantileTable(rows: Readonly<Record<string, Quantiles>>): readonly string[] {
  const names = ['p50', 'p95', 'p99', 'max'] as const
  const labels = columnOf(['a call took', ...Object.keys(rows)], 'left')
  const columns = names.map((name) => columnOf([name, ...Object.values(rows).map((row) => timeText(row[name]))]))
  return labels.map((label, index) => [label, ...columns.map((column) => column[index])].join('  '))
}

/** All of the width of the widest. */
function columnOf(texts: readonly string[], align: 'left' | 'right' = 'right'): readonly string[] {
  const width = Math.max(0, ...texts.map(({ length }) => length))
  return texts.map((text) => (align === 'left' ? text.padEnd(width) : text.padStart(width)))
}

function firstLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= 70 ? line : `${line.slice(0, 69)}…`
}
