import type { LedgerEnding, LedgerPlace } from '../../../src/release/ledger/ledger.ts'
import type { ReleaseRecord } from '../../../src/release/ledger/record.ts'

export const place: LedgerPlace = { server: 'https://stdb.example.org', database: 'my-game' }

/** The hash of a module that is called so. */
export function hashOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0')
}

/** A release of a module to the place. */
export function recordOf(name: string, more: Partial<ReleaseRecord> = {}): ReleaseRecord {
  const { server, database } = place
  return { version: 1, action: 'deploy', server, database, moduleHash: hashOf(name), ...more }
}

export function ended(result: LedgerEnding['result'], more: Partial<LedgerEnding> = {}): LedgerEnding {
  return { result, isChecked: false, ...more }
}
