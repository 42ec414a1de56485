import { resolve } from 'node:path'
import { connectionInputs } from '../../src/action/connection-inputs.ts'
import { knownEnvironment, readSpacetimeJson, type Target } from '../../src/build/spacetime-json.ts'
import { ConfigurationError } from '../../src/errors.ts'

/** Where a deploy goes. */
export type Place = { readonly server: string; readonly database: string }

export type PlaceInputs = {
  readonly server: string | undefined
  readonly database: string | undefined
  readonly environment: string | undefined
  readonly path: string | undefined
}

/**
 * Where a deploy goes, as far as the inputs don't say it, by the `spacetime.json` of the environment. Throws a
 * `ConfigurationError` when that doesn't say it either, or says it of several databases.
 */
export async function placeIn(inputs: PlaceInputs, workspace: string): Promise<Place> {
  const { environment, path } = inputs
  const place = { start: resolve(workspace, path ?? '.'), topmost: workspace, environment }
  if ((await knownEnvironment(place)) === undefined) throw nowhereSaid(inputs)
  const config = await readSpacetimeJson(place)
  const { server, database } = targetIn(config?.targets ?? [], inputs)
  if (server === undefined) {
    throw new ConfigurationError(
      `Of the database \`${database}\` ${namesOf(environment)} say no server. Give the input \`server\`, or add \`"server"\` there.`
    )
  }
  return { server: checked('server', server, environment), database: checked('database', database, environment) }
}

function targetIn(targets: readonly Target[], { server, database, environment }: PlaceInputs) {
  const named = targets.flatMap((target) =>
    target.database === undefined ? [] : [{ database: target.database, server: server ?? target.server }]
  )
  const [first, ...others] = database === undefined ? named : named.filter((target) => target.database === database)
  if (first !== undefined && others.length === 0) return first
  const names = named.map((target) => `\`${target.database}\``).join(', ')
  if (database !== undefined) {
    throw new ConfigurationError(
      `Input \`server\` is missing, and ${namesOf(environment)} name no database \`${database}\`${names && ` (but ${names})`}. Give \`server\`, or correct \`database\`.`
    )
  }
  throw new ConfigurationError(
    first === undefined
      ? `Input \`database\` is missing, and ${namesOf(environment)} name none. Give it, or add \`"database"\` there.`
      : `${namesOf(environment)} name several databases: ${names}. Say by the input \`database\` which one to deploy to.`
  )
}

function nowhereSaid({ server, database, environment }: PlaceInputs): ConfigurationError {
  const missing = [
    ...(server === undefined ? ['`server`'] : []),
    ...(database === undefined ? ['`database`'] : [])
  ].join(' and ')
  return new ConfigurationError(
    `Give ${missing}, or add a spacetime.${environment}.json beside the spacetime.json: there is none that would say it for the environment \`${environment}\`. Was the repository checked out by \`actions/checkout\`?`
  )
}

function namesOf(environment: string | undefined): string {
  return `spacetime.json and spacetime.${environment}.json`
}

/** What a file says has to be what an input may be. */
function checked(name: 'server' | 'database', given: string, environment: string | undefined): string {
  const { schema } = connectionInputs[name]
  if (schema.safeParse(given).success) return given
  throw new ConfigurationError(
    `${namesOf(environment)} say the ${name} \`${given.slice(0, 100)}\`; allowed is ${schema.description}. Correct it, or give the input \`${name}\`.`
  )
}
