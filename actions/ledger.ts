import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { originOf } from '../src/action/origin.ts'
import type { Ledger } from '../src/release/ledger/ledger.ts'
import type { ReleaseNotes } from '../src/release/ledger/record.ts'

/** What inputs say of the ledger (src/action/ledger-inputs.ts). */
export type LedgerChoice = {
  readonly ledger: 'github' | 'none'
  readonly environment?: string | undefined
  readonly githubToken?: string | undefined
  /** Whether the environment goes away again. */
  readonly isTransient?: boolean
}

/**
 * The ledger that the releases of a database are written down in, or none: when it isn't wanted, outside of a run of
 * GitHub Actions, and without a token. Nothing is asked of GitHub yet.
 */
export async function openLedger(
  { ledger, environment: name, githubToken: token, isTransient }: LedgerChoice,
  database: string,
  environment: Environment
): Promise<Ledger | undefined> {
  if (ledger === 'none') return undefined
  const { GITHUB_REPOSITORY: repository, GITHUB_SHA: commit, GITHUB_API_URL } = environment
  if (!repository || !token) {
    const reason = repository ? 'there is no `github-token`' : 'this is no run of GitHub Actions'
    log(`Releases are not written down: ${reason}.`)
    return undefined
  }
  // A deploy outside of GitHub does without this code.
  const { gitHubLedger } = await import('./github-ledger.ts')
  const url = GITHUB_API_URL ?? 'https://api.github.com'
  const { run } = originOf(environment)
  return gitHubLedger({ url, token, repository, environment: name ?? database, commit, run, isTransient })
}

/**
 * What this run is to say of a release in the ledger. `more` wins: a module that was not built from the commit of this
 * run has another one.
 */
export function notesOf(
  action: ReleaseNotes['action'],
  environment: Environment,
  more: Partial<ReleaseNotes> = {}
): ReleaseNotes {
  const { GITHUB_SHA: commit, GITHUB_REF: ref, GITHUB_TRIGGERING_ACTOR, GITHUB_ACTOR } = environment
  const { run } = originOf(environment)
  const actor = GITHUB_TRIGGERING_ACTOR ?? GITHUB_ACTOR
  return { action, commit, ref, run, actor, ...more }
}
