import { basename, resolve } from 'node:path'
import type { Environment } from '../../src/action/inputs.ts'
import { workspaceOf } from '../../src/action/workspace.ts'
import { knownEnvironment, readSpacetimeJson, type Target } from '../../src/build/spacetime-json.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { chooseDatabases, type NamedDatabases } from '../../src/release/promote/choose-databases.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import { serverAddress } from '../../src/spacetimedb/server-url.ts'

export type DatabaseInputs = {
  readonly database: string | undefined
  readonly databases: string | undefined
  readonly environment: string | undefined
  readonly path: string | undefined
}

/**
 * The databases that the inputs mean on a server. Throws a `ConfigurationError` for a pattern that fits none, or with
 * nothing to look it up in.
 */
export async function databasesIn(
  { database, databases, environment, path }: DatabaseInputs,
  serverUrl: string,
  variables: Environment
): Promise<readonly string[]> {
  if (database !== undefined) return [databaseName(database)]
  const workspace = workspaceOf(variables)
  const start = resolve(workspace, path ?? '.')
  const names = await chooseDatabases(databases ?? '', () =>
    namedIn({ start, topmost: workspace, environment }, serverUrl)
  )
  return names.map(databaseName)
}

type Place = Parameters<typeof readSpacetimeJson>[0]

async function namedIn(place: Place, serverUrl: string): Promise<NamedDatabases> {
  // The name of an environment is first of all one of GitHub: it need not have files.
  const config = await readSpacetimeJson({ ...place, environment: await knownEnvironment(place) })
  if (config === undefined) {
    throw new ConfigurationError(
      'Input `databases`: a pattern is looked up in spacetime.json, and there is none. Was the repository checked out by `actions/checkout`? Else give `path`, the folder that it is in, or the names themselves.'
    )
  }
  const named = config.targets.flatMap((target) => (target.database === undefined ? [] : [target.database]))
  const here = config.targets.filter((target) => isOn(target, serverUrl)).flatMap(({ database }) => database ?? [])
  const file = config.files.map((path) => basename(path)).join(' + ')
  return { file, names: here, elsewhere: named.filter((name) => !here.includes(name)) }
}

/** One that names no server is meant wherever the module goes. */
function isOn({ server }: Target, serverUrl: string): boolean {
  if (server === undefined) return true
  const url = /^([a-z]+|https?:\/\/.*)$/i.test(server) ? server : `http://${server}`
  try {
    return serverAddress(url, { withToken: false, allowInsecure: true }).url === serverUrl
  } catch {
    return false
  }
}
