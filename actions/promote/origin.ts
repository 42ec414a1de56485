import { warn } from '../../src/action/annotations.ts'
import { connectAsNobody, openConnection } from '../../src/action/connection.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import type { Ledger } from '../../src/release/ledger/ledger.ts'
import { findModule, triedTexts } from '../../src/release/module-sources.ts'
import { chooseModule, type From, nameOf, placeIn } from '../../src/release/promote/from.ts'
import type { Provenance } from '../../src/release/promote/summary.ts'
import type { DeployTools } from '../../src/release/work.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { openLedger } from '../ledger.ts'
import { sourcesFor } from '../module-sources.ts'
import type { spec } from './spec.ts'

export type Origin =
  | { readonly kind: 'found'; readonly module: Module; readonly provenance: Provenance }
  /** In whole sentences. */
  | { readonly kind: 'refused'; readonly reason: string; readonly hash?: ModuleHash }

/**
 * What is promoted to a server, its bytes proved by their hash. Throws a `ConfigurationError` when it is not said which
 * database it comes from.
 */
export async function findOrigin(
  inputs: Inputs<typeof spec>,
  { server: to, folder, cancelled: signal }: Pick<DeployTools, 'server' | 'folder' | 'cancelled'>,
  environment: Environment
): Promise<Origin> {
  const from = await fromIn(inputs, to, environment)
  log(`From:     ${nameOf(from)}`)
  const choice = await chooseModule(from)
  if (choice.kind === 'refused') return choice
  const { hash, release, warning } = choice
  if (warning !== undefined) warn('promote', warning)
  const { server, database } = from
  const known = { live: { server, database }, githubToken: inputs.githubToken, folder, signal }
  const search = await findModule(hash, sourcesFor(release?.record, known, environment))
  for (const text of triedTexts(search.tried)) log(text)
  if (search.kind === 'not-found') {
    const tried = triedTexts(search.tried).join('\n')
    return { kind: 'refused', hash, reason: `The bytes of module ${hash} were not found.\n${tried}\n${deployInstead}` }
  }
  log(`Module:   ${hash}, from ${search.source}`)
  const provenance = { from: nameOf(from), release, source: search.source }
  return { kind: 'found', module: search.module, provenance }
}

const deployInstead = 'If you have the file, deploy it with the action `deploy`.'

async function fromIn(inputs: Inputs<typeof spec>, to: Server, environment: Environment): Promise<From> {
  const { fromDatabase, fromEnvironment, moduleHash, allowUnchecked } = inputs
  const ledger = await openLedger({ ...inputs, environment: fromEnvironment }, fromDatabase ?? '', environment)
  const { server, database } = await placeOf(inputs, to, ledger, environment)
  const wanted = moduleHash?.toLowerCase() as ModuleHash | undefined
  return { server, database: databaseName(database), ledger, wanted, allowUnchecked }
}

async function placeOf(
  inputs: Inputs<typeof spec>,
  to: Server,
  ledger: Ledger | undefined,
  environment: Environment
): Promise<{ readonly server: Server; readonly database: string }> {
  const { fromServer, fromDatabase: database } = inputs
  if (fromServer !== undefined && database !== undefined) {
    return { server: await namedServer(fromServer, inputs, environment), database }
  }
  if (database !== undefined) return { server: to, database }
  if (ledger === undefined) {
    throw new ConfigurationError(
      'Which database `from-environment` means, the ledger of releases says, and there is none here: it is read from GitHub, in a run of GitHub Actions, with `ledger: github` and a `github-token` that has `deployments: read`. Give `from-server` and `from-database`.'
    )
  }
  const found = await placeIn(ledger)
  if (found.kind === 'none') {
    throw new ConfigurationError(
      `${found.reason} Give \`from-server\` and \`from-database\`, or correct \`from-environment\`.`
    )
  }
  const { server } = found.place
  // A server that only the ledger names is not given our credential: what is live anybody may ask.
  return { server: server === to.url ? to : connectAsNobody(server), database: found.place.database }
}

/** As `from-token`, or as the credential of the other inputs. */
async function namedServer(server: string, inputs: Inputs<typeof spec>, environment: Environment): Promise<Server> {
  const { fromToken } = inputs
  const credential = fromToken === undefined ? {} : { token: fromToken, auth: undefined, audience: undefined }
  return (await openConnection({ ...inputs, server, ...credential }, environment)).server
}
