import { timeText } from '../../duration.ts'
import type { Finding } from '../check-report.ts'
import { Crowd } from '../load/crowd.ts'
import type { Latencies } from '../load/latencies.ts'
import { reasonsText } from '../load/reasons.ts'
import type { RunCheck } from '../place.ts'
import { serverFor } from './within-try.ts'

/**
 * Connects clients over WebSocket, has them stay, and looks whether all of them are still there. Where one did not come,
 * the others need not stay. All leave in any case.
 */
export const runConnections: RunCheck<'connections'> = async (check, place, { signal }) => {
  const { connections: count, stay, timeout } = check.wanted
  const server = serverFor(check, place)
  const crowd = new Crowd((options) => server.connectClient(place.database, options))
  const cut = () => crowd.abandon()
  if (signal.aborted) cut()
  signal.addEventListener('abort', cut, { once: true })
  try {
    await crowd.gather(count, timeout)
    if (crowd.connected === count) await place.clock.sleep(stay, signal)
    return findingOf(crowd, count, stay, signal.aborted)
  } finally {
    signal.removeEventListener('abort', cut)
    await crowd.leave(place.clock)
  }
}

function findingOf(crowd: Crowd, count: number, stay: number, isCut: boolean): Finding {
  const { connected, refusals, losses, handshakes } = crowd
  if (crowd.isOutOfFiles) return outOfFiles(count, connected)
  if (connected === count && losses.total === 0 && !isCut) {
    return { kind: 'passed', detail: `${count} connected (${handshakeTimes(handshakes)}) and stayed ${timeText(stay)}` }
  }
  const untried = count - connected - refusals.total
  const parts = [
    connected === 0 ? 'none connected' : `${connected} connected (${handshakeTimes(handshakes)})`,
    ...(refusals.total > 0 ? [`${refusals.total} did not: ${reasonsText(refusals.list())}`] : []),
    ...(untried > 0 ? [`${untried} had not by the end, or were not tried any more`] : []),
    ...(losses.total > 0 ? [`${losses.total} did not stay: ${reasonsText(losses.list())}`] : []),
    ...(isCut && connected === count ? ['the time was over before they had stayed'] : [])
  ]
  return { kind: 'failed', expected: `${count} connect and stay ${timeText(stay)}`, actual: parts.join('; ') }
}

function outOfFiles(count: number, connected: number): Finding {
  return {
    kind: 'not-run',
    reason: `This machine allows the process no more open files than it had with ${connected} of ${count} connections. Raise the limit of the runner (ulimit -n), or connect fewer.`,
    final: true
  }
}

function handshakeTimes(handshakes: Latencies): string {
  const { p50, p95, max } = handshakes.quantiles()
  return `handshakes: p50 ${timeText(p50)}, p95 ${timeText(p95)}, max ${timeText(max)}`
}
