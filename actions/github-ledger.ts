import { log } from '../src/action/log.ts'
import { systemClock } from '../src/clock.ts'
import { gitHubApi } from '../src/github/api.ts'
import { gitHubDeployments } from '../src/github/deployments.ts'
import type { Ledger } from '../src/release/ledger/ledger.ts'
import { type DeploymentsLedgerOptions, deploymentsLedger } from '../src/release/ledger/store.ts'
import type { Patience } from '../src/retry.ts'
import { version } from '../src/version.ts'

export type GitHubLedgerOptions = Omit<DeploymentsLedgerOptions, 'deployments'> & {
  /** `GITHUB_API_URL`. */
  readonly url: string
  readonly token: string
  /** `owner/name`. */
  readonly repository: string
}

/** What tells the deployments of this project from others'. */
export const ledgerTask = 'stdb-actions'

/** Milliseconds for each request: a release waits for it. */
const timeout = 10_000
const patience: Patience = { attempts: 2, firstDelay: 500, longestDelay: 1_000, total: 10_000 }

/** The ledger in the deployments of a repository on GitHub: those of the task `stdb-actions`. */
export function gitHubLedger({ url, token, repository, ...options }: GitHubLedgerOptions): Ledger {
  const api = gitHubApi({ url, token, version, clock: systemClock, timeout, patience, onRetry: log })
  const deployments = gitHubDeployments({ api, repository, task: ledgerTask, clock: systemClock })
  return deploymentsLedger({ ...options, deployments })
}
