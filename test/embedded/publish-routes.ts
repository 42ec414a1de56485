import { hashModule } from '../../src/module/hash.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { Control } from './control.ts'
import { type Answer, authorize, badQuery, flag, json, type Request, type Server, variant } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { clearDatabase, createDatabase, type Policy, updateDatabase } from './publishing.ts'
import { stringify } from './sats-json.ts'
import type { Bearer } from './tokens.ts'

/** Publishes a module to a name, an identity, or a new one. Throws HttpError. */
export async function publish(
  server: Server,
  request: Request,
  bearer: Bearer,
  name: string | undefined
): Promise<Answer> {
  const { control, workers } = server
  const policy = policyOf(request)
  const isClear = flag(request, 'clear')
  const module = moduleOf(request)
  if (name === undefined && isClear) throw new HttpError(400, 'Clear database requires database name or identity')
  const known = name === undefined ? undefined : control.find(name)
  const existing = known === undefined ? undefined : control.running.get(known)
  if (isClear && existing !== undefined) {
    authorize(existing.record, bearer, 'reset database')
    if (control.state.locked.has(existing.record.identity))
      throw new HttpError(
        403,
        'Database is locked and cannot be reset with --delete-data. Run `spacetime unlock` first.'
      )
    await existing.exclusively(() => clearDatabase(control, existing, bearer, module, workers))
    return published(name, existing.record.identity, 'updated')
  }
  for (const parameter of ['organization', 'org', 'parent']) {
    const other = request.query.get(parameter)
    if (other !== null && !control.state.nameOwners.has(other)) control.resolve(other)
  }
  if (existing !== undefined) {
    authorize(existing.record, bearer, 'update database')
    await existing.exclusively(() => updateDatabase(existing, module, policy(), workers))
    return published(name, existing.record.identity, 'updated')
  }
  const identity = claim(control, bearer, name)
  policy()
  const isAbandoned = async () => {
    if (!server.firstPublishAbandonedOnReset) return false
    await new Promise((resolve) => setTimeout(resolve, timeToAbandon))
    return request.isAbandoned()
  }
  await createDatabase(control, identity, bearer, module, workers, isAbandoned)
  return published(name, identity, 'created')
}

/** How soon a connection must end for its first publish to be dropped, in milliseconds. */
const timeToAbandon = 15

/** The identity that a name stands for from now on. */
function claim(control: Control, bearer: Bearer, name: string | undefined): Identity {
  const known = name === undefined ? undefined : control.find(name)
  if (known !== undefined) return known
  const identity = control.newIdentity()
  if (name !== undefined && !control.addName(name, identity, bearer.identity))
    throw new HttpError(401, stringify({ PermissionDenied: { name } }), 'application/json')
  return identity
}

function published(name: string | undefined, identity: Identity, op: 'created' | 'updated'): Answer {
  const domain = name === undefined || name === identity ? null : name
  return json({ Success: { domain, database_identity: identity, op } })
}

/** The module that a request brings. */
export function moduleOf(request: Request) {
  const kind = variant(request, 'host_type', ['Wasm', 'Js']) === 'Wasm' ? ('wasm' as const) : ('js' as const)
  const bytes = new Uint8Array(request.body)
  return { bytes, hash: hashModule(bytes), kind }
}

/** The policy, once it is asked for: that it lacks its token is found late. */
function policyOf(request: Request): () => Policy {
  const kind = variant(request, 'policy', ['Compatible', 'BreakClients'])
  const token = request.query.get('token')
  if (token === '') throw badQuery('cannot parse integer from empty string')
  if (token !== null && !/^0x[0-9a-f]{1,64}$/i.test(token)) throw badQuery('invalid digit found in string')
  return () => {
    if (kind === 'Compatible') return { kind: 'compatible' }
    if (token !== null) return { kind: 'break-clients', token }
    throw new HttpError(400, 'Migration policy is set to `BreakClients`, but no migration token was provided.')
  }
}
