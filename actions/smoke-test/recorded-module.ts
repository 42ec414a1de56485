import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import { driftText } from '../../src/release/drift.ts'
import { driftOf, readHistory } from '../../src/release/ledger/history.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { openLedger } from '../ledger.ts'

type LedgerInputs = { readonly environment: string | undefined; readonly githubToken: string | undefined }

/**
 * The hash of the module that the ledger of releases says has to be live; none when no `environment` is given, or nothing
 * was released there yet. Throws when the ledger can't be asked: a `ConfigurationError` where there is none.
 */
export async function recordedHash(
  { environment: name, githubToken }: LedgerInputs,
  server: Server,
  database: string,
  environment: Environment
): Promise<ModuleHash | undefined> {
  if (name === undefined) return undefined
  const ledger = await openLedger({ ledger: 'github', environment: name, githubToken }, database, environment)
  if (ledger === undefined) {
    throw new ConfigurationError(
      'The input `environment` says to look up in the ledger of releases which module has to be live, and there is none here: it needs a run of GitHub Actions and a `github-token` that may read deployments. Leave it out, or give `module-hash`.'
    )
  }
  const { hash } = await server.live(database)
  const history = readHistory(ledger, { server: server.url, database })
  const standing = await driftOf(history, hash)
  if (standing.kind === 'failed') throw new Error(`The ledger of releases could not be read: ${standing.reason}`)
  const drift = standing.value
  if (drift) {
    log(driftText(drift))
    return drift.expected.record.moduleHash as ModuleHash
  }
  for await (const release of history.releases()) {
    if (release.kind === 'failed') throw new Error(`The ledger of releases could not be read: ${release.reason}`)
    log(`The database runs what the ledger of releases says.`)
    return hash
  }
  log(`Nothing was released to ${database} in the environment ${name} yet, so that any module may be live.`)
  return undefined
}
