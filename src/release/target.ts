import { ConfigurationError } from '../errors.ts'
import { type Identity, isIdentity } from '../spacetimedb/identity.ts'
import type { Resolution } from '../spacetimedb/server.ts'

/** The database that a deploy is for, as it is before anything is changed. */
export type Target =
  | { readonly kind: 'existing'; readonly identity: Identity }
  /** A database to create; `claimed` when its name has been taken without a database coming of it. */
  | { readonly kind: 'new'; readonly claimed: boolean }

export type TargetRequest = {
  /** The server's URL, for messages. */
  readonly server: string
  readonly database: string
  readonly create: boolean
  readonly organization?: string | undefined
  /** Who we are. */
  readonly identity: Identity
}

/**
 * The one database that is meant, given what the server has under its name: it must be ours to change. Throws a
 * `ConfigurationError` when it isn't there and may not be created, or when it belongs to someone else.
 */
export function targetOf(resolution: Resolution, request: TargetRequest): Target {
  const { server, database, identity } = request
  if (resolution.kind === 'exists') {
    if (resolution.owner !== identity) requireOrganization(request, resolution.owner)
    return { kind: 'existing', identity: resolution.identity }
  }
  if (isIdentity(database)) {
    throw new ConfigurationError(
      `There is no database ${database} on ${server}. An identity can't be created: give a name, or correct it.`
    )
  }
  const claimed = resolution.kind === 'claimed'
  if (!request.create) {
    const state = claimed
      ? `The name "${database}" is claimed on ${server} but holds no database: it was deleted, or its first publish failed.`
      : `There is no database "${database}" on ${server}.`
    throw new ConfigurationError(
      `${state} Check the inputs "server" and "database", or set "create: true" to create it as identity ${identity}.`
    )
  }
  return { kind: 'new', claimed }
}

/**
 * A database of an organisation has the organisation as its owner; whether we may act for it only the server knows,
 * and says so when it is asked for a plan.
 */
function requireOrganization({ database, identity, organization }: TargetRequest, owner: Identity): void {
  const named = organization !== undefined && (!isIdentity(organization) || organization === owner)
  if (named) return
  throw new ConfigurationError(
    `Not the owner: the database "${database}" belongs to identity ${owner}, and this job is ${identity}. ` +
      'Nothing was changed. Check the inputs "server" and "database"; deploy with the credential that created the ' +
      'database (with OIDC another repository, branch or environment is another identity); or, when the owner is an ' +
      'organization that you act for, name it in the input "organization".'
  )
}
