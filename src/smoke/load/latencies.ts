import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { LoadFigures, Quantiles } from '../load-figures.ts'

/** Six hours and some: no load lasts longer. In microseconds. */
const longest = 13 * 3600 * 1_000_000

/** Of the chart's counters: one is 2.2 % longer than the one before it. */
const countersInOctave = 32

const octaves = Math.ceil(Math.log2(longest))

const mostBars = 16

/** How long calls took, in a room that does not grow with their number. Times are in milliseconds, exact to a
 * microsecond and to three digits. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: longest, figures: 3 })
  readonly #counters = new Float64Array(octaves * countersInOctave + 1)
  #worst = 0

  record(milliseconds: number): void {
    const micros = Math.min(longest, Math.max(1, Math.round(milliseconds * 1000)))
    this.#histogram.record(micros)
    const counter = Math.ceil(Math.log2(micros) * countersInOctave)
    this.#counters[counter] = (this.#counters[counter] ?? 0) + 1
    this.#worst = Math.max(this.#worst, micros / 1000)
  }

  /** All 0 where nothing was recorded. */
  quantiles(): Quantiles {
    const at = (percentile: number) => Math.min(this.#histogram.percentile(percentile) / 1000, this.#worst)
    return { p50: at(50), p95: at(95), p99: at(99), max: this.#worst }
  }

  /** At most 16 bars between the shortest and the longest, each as much longer than the one before it. */
  bars(): LoadFigures['histogram'] {
    const counts = [...this.#counters]
    const first = counts.findIndex((count) => count > 0)
    if (first < 0) return []
    const used = counts.slice(first, counts.findLastIndex((count) => count > 0) + 1)
    const width = Math.ceil(used.length / mostBars)
    return Array.from({ length: Math.ceil(used.length / width) }, (_, bar) => {
      const last = Math.min((bar + 1) * width, used.length) - 1
      const calls = used.slice(bar * width, last + 1).reduce((sum, count) => sum + count, 0)
      return { upTo: Math.min(2 ** ((first + last) / countersInOctave) / 1000, this.#worst), calls }
    })
  }
}
