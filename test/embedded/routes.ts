import { messageOf } from '../../src/errors.ts'
import { hashModule, moduleHashToU256 } from '../../src/module/hash.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import { callFunction, runStatement } from './calling.ts'
import { type Control, nameProblem } from './control.ts'
import type { DatabaseRecord } from './database.ts'
import { HttpError } from './http-error.ts'
import { metricsText } from './metrics.ts'
import { clearDatabase, createDatabase, type Policy, planUpdate, updateDatabase } from './publishing.ts'
import { type Json, stringify } from './sats-json.ts'
import { schemaAnswer } from './schema-answer.ts'
import type { Bearer, Tokens } from './tokens.ts'
import type { WorkerPool } from './worker-pool.ts'

/** A request whose body has arrived whole. */
export type Request = {
  readonly method: string
  /** Decoded parts of the path, without `v1`. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly contentType: string | undefined
  readonly body: Buffer
  /** Whether the connection has ended. */
  isAbandoned(): boolean
}

export type Answer = {
  readonly status: number
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  /** More of the body as it comes; returns how to stop it. */
  readonly follow?: (send: (text: string) => void) => () => void
}

export type Server = {
  readonly control: Control
  readonly tokens: Tokens
  readonly workers: WorkerPool
  readonly firstPublishAbandonedOnReset: boolean
}

/** Answers what is not about one database, and needs nobody's token. `undefined` when there is no such route. */
export async function answerPublic(
  { tokens, control }: Server,
  { method, path }: Request
): Promise<Answer | undefined> {
  switch (`${method} /${path.join('/')}`) {
    case 'POST /identity': {
      const { identity, token } = await tokens.issue()
      return json({ identity, token })
    }
    case 'GET /identity/public-key':
      return { status: 200, contentType: 'application/pem-certificate-chain', body: `${await tokens.publicKey()}\n` }
    case 'GET /metrics':
      return { ...text(metricsText(control.state.databases.values())), contentType: 'text/plain; version=0.0.4' }
    default:
      return undefined
  }
}

/** Answers what is about databases. Throws HttpError. */
export async function answerDatabase(server: Server, request: Request, bearer: Bearer): Promise<Answer> {
  const { control } = server
  const [, name, action = '', detail] = request.path
  const route = `${request.method} ${action}${detail === undefined ? '' : '/*'}`
  if (name === undefined) {
    if (request.method === 'POST') return publish(server, request, bearer, undefined)
    throw new HttpError(405, '')
  }
  control.find(name)
  switch (route) {
    case 'PUT ':
      return publish(server, request, bearer, name)
    case 'DELETE ':
      return remove(server, name, bearer)
    case 'GET identity':
      return text(control.resolve(name))
  }
  const database = control.database(name)
  const { record } = database
  if (request.body.length > bodyLimit && action !== 'pre_publish')
    throw new HttpError(413, 'Failed to buffer the request body: length limit exceeded')
  switch (route) {
    case 'GET ':
      return json(infoOf(record))
    case 'GET names':
      return json({ names: control.namesOf(record.identity) })
    case 'POST names':
      return addName(control, record, request, bearer)
    case 'PUT names':
      return setNames(control, record, request, bearer)
    case 'GET schema':
      return { ...text(schemaAnswer(record.program, request.query.get('version'))), contentType: 'application/json' }
    case 'GET logs':
      return logs(record, request, bearer)
    case 'POST pre_publish': {
      authorize(record, bearer, 'update database')
      const style = variant(request, 'style', ['AnsiColor', 'NoColor'])
      const module = moduleOf(request)
      return json(await database.exclusively(() => planUpdate(database, module, style, server.workers)))
    }
    case 'POST call/*':
      return callFunction(database, detail ?? '', request, bearer)
    case 'POST sql':
      return runStatement(database, request.body.toString(), bearer)
    case 'POST lock':
    case 'POST unlock':
      authorize(record, bearer, 'delete database')
      if (action === 'lock') control.state.locked.add(record.identity)
      else control.state.locked.delete(record.identity)
      return { status: 200, body: '' }
    case 'GET subscribe':
      throw new HttpError(501, 'the embedded server does not support /subscribe')
    default:
      throw new HttpError(405, '')
  }
}

/** What a database has routes for; other paths are answered without asking who sends them. */
export function isDatabaseRoute([, , action = '', detail, ...more]: readonly string[]): boolean {
  if (more.length > 0) return false
  return detail === undefined ? databaseActions.includes(action) : action === 'call'
}

const databaseActions = ['', 'identity', 'names', 'schema', 'logs', 'pre_publish', 'sql', 'lock', 'unlock', 'subscribe']

/** Bytes that a body may have, unless it is a module. */
const bodyLimit = 2 * 1024 * 1024

async function publish(server: Server, request: Request, bearer: Bearer, name: string | undefined): Promise<Answer> {
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
  const isAbandoned = () => server.firstPublishAbandonedOnReset && request.isAbandoned()
  await createDatabase(control, identity, bearer, module, workers, isAbandoned)
  return published(name, identity, 'created')
}

/** The identity that a name stands for from now on. */
function claim(control: Control, bearer: Bearer, name: string | undefined): Identity {
  const identity = name === undefined ? control.newIdentity() : control.find(name)
  if (identity !== undefined || name === undefined) return identity ?? control.newIdentity()
  const claimed = control.newIdentity()
  if (!control.addName(name, claimed, bearer.identity))
    throw new HttpError(401, stringify({ PermissionDenied: { name } }), 'application/json')
  return claimed
}

function published(name: string | undefined, identity: Identity, op: 'created' | 'updated'): Answer {
  const domain = name === undefined || name === identity ? null : name
  return json({ Success: { domain, database_identity: identity, op } })
}

async function remove({ control }: Server, name: string, bearer: Bearer): Promise<Answer> {
  const identity = control.resolve(name)
  const database = control.running.get(identity)
  if (database === undefined) return { status: 200, body: '' }
  authorize(database.record, bearer, 'delete database')
  if (control.state.locked.has(identity))
    throw new HttpError(403, 'Database is locked and cannot be deleted. Run `spacetime unlock` first.')
  control.running.delete(identity)
  control.state.databases.delete(identity)
  await database.stop()
  return { status: 200, body: '' }
}

function addName(control: Control, record: DatabaseRecord, { body }: Request, bearer: Bearer): Answer {
  const name = body.toString()
  const problem = nameProblem(name)
  if (problem !== undefined) throw new HttpError(400, problem)
  if (control.find(name) !== undefined) throw new HttpError(500, `record with the name ${name} already exists`)
  if (!control.addName(name, record.identity, bearer.identity))
    return { ...json({ PermissionDenied: { domain: name } }), status: 401 }
  return json({ Success: { domain: name, database_identity: record.identity } })
}

function setNames(control: Control, record: DatabaseRecord, { body, contentType }: Request, bearer: Bearer): Answer {
  requireJson(contentType)
  const names = namesIn(body.toString())
  for (const name of names) {
    const problem = nameProblem(name)
    if (problem !== undefined) throw new HttpError(400, `Error parsing \`${name}\`: ${problem}`)
  }
  if (record.owner !== bearer.identity)
    return { ...json({ NotYourDatabase: { database: record.identity } }), status: 401 }
  const taken = names.find((name) => control.find(name) !== undefined)
  if (taken !== undefined)
    return { ...json({ OtherError: `Cannot rename to ${taken} because it already is in use.` }), status: 400 }
  const foreign = [...control.namesOf(record.identity), ...names].find(
    (name) => (control.state.nameOwners.get(name) ?? record.owner) !== record.owner
  )
  if (foreign !== undefined) return { ...json({ PermissionDenied: { domain: foreign } }), status: 401 }
  control.dropNames(record.identity)
  for (const name of names) control.addName(name, record.identity, record.owner)
  return json('Success')
}

function namesIn(body: string): string[] {
  let names: unknown
  try {
    names = JSON.parse(body)
  } catch (error) {
    throw new HttpError(400, `Failed to parse the request body as JSON: ${messageOf(error)}`)
  }
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
  throw new HttpError(422, 'Failed to deserialize the JSON body into the target type: expected a sequence of strings')
}

function logs({ log, ...record }: DatabaseRecord, request: Request, bearer: Bearer): Answer {
  const lines = request.query.get('num_lines')
  if (lines !== null && !/^\d+$/.test(lines)) throw badQuery('invalid digit found in string')
  const isFollowing = flag(request, 'follow')
  authorize(record, bearer, 'view module logs')
  const tail = log.tail(lines === null ? undefined : Number(lines))
  const answer = { status: 200, contentType: 'application/x-ndjson', headers: { 'cache-control': 'no-cache' } }
  const body = tail.join('')
  return isFollowing ? { ...answer, body, follow: (send) => log.follow(send) } : { ...answer, body }
}

function infoOf({ identity, owner, hostType, initialProgram }: DatabaseRecord): Json {
  return {
    database_identity: { __identity__: `0x${identity}` },
    owner_identity: { __identity__: `0x${owner}` },
    host_type: { [hostType === 'wasm' ? 'Wasm' : 'Js']: [] },
    initial_program: moduleHashToU256(initialProgram)
  }
}

function authorize(record: Pick<DatabaseRecord, 'owner' | 'identity'>, { identity }: Bearer, action: string): void {
  if (record.owner === identity) return
  const who = `${identity} is not authorized to perform action on database ${record.identity}`
  throw new HttpError(403, `${who}: ${action}`)
}

function moduleOf(request: Request) {
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

function flag({ query }: Request, parameter: string): boolean {
  const given = query.get(parameter) ?? 'false'
  if (given !== 'true' && given !== 'false') throw badQuery('provided string was not `true` or `false`')
  return given === 'true'
}

function badQuery(why: string): HttpError {
  return new HttpError(400, `Failed to deserialize query string: ${why}`)
}

/** A parameter that has a few values, the first of which is meant when it is missing. */
function variant<Name extends string>({ query }: Request, parameter: string, names: readonly [Name, ...Name[]]): Name {
  const given = query.get(parameter) ?? names[0]
  const found = names.find((name) => name === given)
  if (found !== undefined) return found
  const known = names.map((name) => `\`${name}\``).join(' or ')
  throw badQuery(`unknown variant \`${given}\`, expected ${known}`)
}

/** Only this very type will do: a charset is refused. */
export function requireJson(contentType: string | undefined): void {
  if (contentType === undefined) throw new HttpError(400, 'Header of type `content-type` was missing')
  if (contentType !== 'application/json')
    throw new HttpError(415, 'Expected request with `Content-Type: application/json`')
}

export function json(value: Json): Answer {
  return { status: 200, contentType: 'application/json', body: stringify(value) }
}

export function text(body: string): Answer {
  return { status: 200, contentType: 'text/plain; charset=utf-8', body }
}
