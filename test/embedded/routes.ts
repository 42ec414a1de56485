import { moduleHashToU256 } from '../../src/module/hash.ts'
import { callFunction, runStatement } from './calling.ts'
import type { DatabaseRecord } from './database.ts'
import { type Answer, authorize, badQuery, flag, json, type Request, type Server, text, variant } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { metricsText } from './metrics.ts'
import { addName, setNames } from './name-routes.ts'
import { moduleOf, publish } from './publish-routes.ts'
import { planUpdate } from './publishing.ts'
import type { Json } from './sats-json.ts'
import { schemaAnswer } from './schema-answer.ts'
import type { Bearer } from './tokens.ts'

/** Answers what is not about one database, and needs nobody's token. `undefined` when there is no such route. */
export async function answerPublic(
  { tokens, control }: Server,
  { method, path }: Request
): Promise<Answer | undefined> {
  if (method === 'GET' && path[0] === 'identity' && path[2] === 'databases' && path.length === 3) {
    return json({ identities: control.ownedBy(path[1] ?? '') })
  }
  switch (`${method} /${path.join('/')}`) {
    case 'POST /identity': {
      const { identity, token } = await tokens.issue()
      return json({ identity, token })
    }
    case 'GET /identity/public-key':
      return { status: 200, contentType: 'application/pem-certificate-chain', body: `${await tokens.publicKey()}\n` }
    case 'GET /metrics':
      return text(metricsText(control.running.values()))
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

async function remove({ control }: Server, name: string, bearer: Bearer): Promise<Answer> {
  const identity = control.resolve(name)
  const database = control.running.get(identity)
  if (database === undefined) return { status: 200, body: '' }
  authorize(database.record, bearer, 'delete database')
  if (control.state.locked.has(identity))
    throw new HttpError(403, 'Database is locked and cannot be deleted. Run `spacetime unlock` first.')
  control.running.delete(identity)
  control.state.databases.delete(identity)
  await database.retire()
  return { status: 200, body: '' }
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
