import type { Clock } from '../../clock.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { Ending } from '../deployment.ts'
import { endRelease } from './end-release.ts'
import type { Ledger, LedgerAnswer, LedgerEnding } from './ledger.ts'
import { LedgerPatience } from './patience.ts'
import { writtenEnding } from './record-of.ts'

/**
 * In a post step: writes down how a release ended that was cut off, or whose end the main step could not write down.
 * `ending` is what the post step found out, if it had to. `undefined` when there is nothing to write. Never throws.
 */
export async function endCutOff(
  ledger: Ledger,
  left: Checkpoint,
  ending: Ending | undefined,
  { action, clock }: { readonly action: string; readonly clock: Clock }
): Promise<LedgerAnswer<{ readonly id: number; readonly result: LedgerEnding['result'] }> | undefined> {
  const { releaseId: id, unwritten } = left
  const written = ending ? writtenEnding(ending, false, action) : unwritten
  if (id === undefined || written === undefined) return undefined
  const isLive = ending ? ending.live.kind === 'new' : left.phase === 'settled'
  const patience = new LedgerPatience(clock, new AbortController().signal)
  const answer = await patience.wait(() => endRelease(ledger, id, written, isLive ? left.replaces : undefined))
  return answer.kind === 'ok' ? { kind: 'ok', value: { id, result: written.result } } : answer
}

/** Whether the main step left something that has to be written down still, although the release is over. */
export function isUnwritten({ releaseId, unwritten }: Checkpoint): boolean {
  return releaseId !== undefined && unwritten !== undefined
}
