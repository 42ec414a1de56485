import { timeText } from '../../duration.ts'
import type { Check } from '../check.ts'
import type { LoadFigures } from '../load-figures.ts'
import type { Breach } from './breach.ts'
import { perSecond, share } from './figure-texts.ts'
import { reasonsText } from './reasons.ts'

/** Everything that the figures of a load breach. Times are judged from when a call was due. */
export function breachesOf(wanted: Check<'load'>['wanted'], figures: LoadFigures): readonly Breach[] {
  const times = (['p50', 'p95', 'p99', 'max'] as const).flatMap((name): Breach[] => {
    const most = wanted[name]
    const actual = figures.latency[name]
    if (most === undefined || actual <= most) return []
    return [{ expected: `${name} at most ${timeText(most)}`, actual: `${name} ${timeText(actual)}` }]
  })
  return [...times, ...tooManyFailed(wanted['error-rate'], figures), ...tooFew(wanted.throughput, figures)]
}

function tooManyFailed(most: number, { failed, calls, reasons }: LoadFigures): readonly Breach[] {
  if (failed <= most * calls) return []
  const expected = most === 0 ? 'no call fails' : `at most ${share(most)} of the calls fail`
  return [{ expected, actual: `${failed} of ${calls} (${share(failed / calls)}) failed: ${reasonsText(reasons)}` }]
}

function tooFew(least: number | undefined, { throughput }: LoadFigures): readonly Breach[] {
  if (least === undefined || throughput >= least) return []
  return [{ expected: `at least ${perSecond(least)}`, actual: perSecond(throughput) }]
}
