import type { Ledger, LedgerAnswer, LedgerEnding } from './ledger.ts'

/**
 * Writes down how a release ended, and that another one gave way to it where that is known. When only the latter fails,
 * the other release is shown as live for longer, which says nothing wrong of what is live.
 */
export async function endRelease(
  ledger: Ledger,
  id: number,
  ending: LedgerEnding,
  replaces: number | undefined
): Promise<LedgerAnswer<undefined>> {
  const retired = replaces === undefined ? undefined : ledger.retire(replaces)
  const [ended] = await Promise.all([ledger.end(id, ending), retired])
  return ended
}
