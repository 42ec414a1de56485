import { warn } from '../../src/action/annotations.ts'
import type { Ledger, LedgerPlace } from '../../src/release/ledger/ledger.ts'

/** As many of the newest as may still be shown as deployed. */
const mostLooked = 10

/**
 * Writes down that a database is gone, so that the ledger does not show its releases as deployed any more; `except` is one
 * of a database that was made anew under its name. It never fails the step.
 */
export async function retireReleases(ledger: Ledger | undefined, place: LedgerPlace, except?: number): Promise<void> {
  if (ledger === undefined) return
  let looked = 0
  for await (const release of ledger.releases(place)) {
    const isKept = release.kind === 'ok' && release.value.id === except
    const answer = release.kind === 'ok' && !isKept ? await ledger.retire(release.value.id) : release
    if (answer.kind === 'failed') {
      warn('The ledger still shows a preview that is gone', answer.reason)
      return
    }
    looked += 1
    if (looked === mostLooked) return
  }
}
