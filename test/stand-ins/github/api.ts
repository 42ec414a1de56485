import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { FaultRules } from '../fault-rules.ts'
import { gitHubNotFound, type Host, type HostAnswer, type HostRequest, jsonAnswer } from '../http-answer.ts'
import { type InternetFault, send } from '../internet-fault.ts'
import { RateLimit } from '../rate-limit.ts'
import type { ResultsService } from '../results-service.ts'
import { type Answer, type Call, type Handler, type Handlers, notFound, refusal } from './call.ts'
import { complete } from './complete.ts'
import { answerProblems, answerSchema, type Operation, type Read, readRequest } from './description.ts'
import { commentOperations } from './operations/comments.ts'
import { deploymentOperations } from './operations/deployments.ts'
import { environmentOperations } from './operations/environments.ts'
import { issueOperations } from './operations/issues.ts'
import { pullRequestOperations } from './operations/pull-requests.ts'
import { releaseOperations } from './operations/releases.ts'
import { runOperations } from './operations/runs.ts'
import { GitHubState, type GitHubUser, type Permissions, type RepositoryChoice } from './state.ts'
import { Storage, storagePath } from './storage.ts'
import { answerQuery } from './viewer.ts'

export type GitHubApiOptions = {
  /** `/api/v3` for a GitHub Enterprise. */
  readonly base?: string
  /** Of other repositories, which may read what is public. */
  readonly otherTokens?: readonly string[]
  /** Requests that whoever has no token may make. */
  readonly anonymousLimit?: number
}

export type GitHubRequest = {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
  /** Once it is answered. */
  status: number | undefined
}

/** Something that is to go wrong with the requests that fit everything given, always or as often as `times` says. */
export type GitHubRule = {
  readonly on?: (request: GitHubRequest) => boolean
  /** Of the path with its query. */
  readonly path?: RegExp
  readonly times?: number
  /** `reset-after`: it is carried out and the connection reset. So is what hangs or breaks off; the others are not. */
  readonly fault: InternetFault | { readonly kind: 'reset-after' }
}

/**
 * Starts a stand-in for GitHub's API on a free port of loopback, for one repository and what `state` has of it. Each
 * request is compared with GitHub's own description of its REST API, and each answer. It differs from GitHub: what
 * should not have been asked is kept in `unexpected` besides being answered, lists of a private repository need a token
 * as downloads of any do, a token is of one repository and may read nothing that it was not given a permission for, and
 * what the stand-in keeps nothing of is filled with the examples of the description.
 */
export async function startGitHubApi(
  results?: ResultsService,
  repository: RepositoryChoice = {},
  base = ''
): Promise<GitHubApi> {
  const api = new GitHubApi(new GitHubState(results, repository), { base })
  await api.listen()
  return api
}

export class GitHubApi {
  readonly state: GitHubState
  readonly requests: GitHubRequest[] = []
  /** What should not have been asked, and why. A test that expects some takes them out. */
  readonly unexpected: string[] = []
  /** In a minute, for each token. */
  mostWrites = 80
  /** A request that fits is not carried out before. */
  readonly holds: { readonly on: (request: GitHubRequest) => boolean; readonly until: Promise<void> }[] = []
  /** Milliseconds until a request is carried out, and from then until it is answered. */
  delays: (request: GitHubRequest) => readonly [number, number] = () => [0, 0]
  readonly #base: string
  readonly #faults = new FaultRules<GitHubRule>()
  readonly #tokens: string[] = []
  readonly #limit: RateLimit
  readonly #storage = new Storage()
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch((failure: unknown) => response.destroy(failure as Error))
  })

  constructor(state: GitHubState, { base = '', otherTokens = [], anonymousLimit = 60 }: GitHubApiOptions) {
    const isKnown = (token: string) => this.#tokens.includes(token) || otherTokens.includes(token)
    this.state = state
    this.#base = base
    this.#limit = new RateLimit({ isKnown, anonymousLimit, mostWrites: () => this.mostWrites })
  }

  /** As `GITHUB_API_URL` has it. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#base}`
  }

  /** May be changed at any time. */
  get faults(): GitHubRule[] {
    return this.#faults.list
  }

  /** All tokens that were given out. */
  get secrets(): readonly string[] {
    return this.#tokens
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** A `GITHUB_TOKEN`. */
  issueToken(permissions: Permissions = { contents: 'read', actions: 'read' }): string {
    return this.addToken(`ghs_${randomUUID().replaceAll('-', '')}`, { login: 'github-actions[bot]', permissions })
  }

  addToken(token: string, user: GitHubUser): string {
    this.#tokens.push(token)
    this.state.users.set(token, user)
    return token
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Throws when something was asked that should not have been. */
  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
    if (this.unexpected.length > 0) throw new Error(`GitHub was asked wrongly:\n${this.unexpected.join('\n')}`)
  }

  /** The answer to a request that came another way, such as through the stand-in for the internet. */
  readonly answer: Host = (request) => {
    const recorded = this.#record(request)
    const answer = this.#answer(request)
    recorded.status = answer.status
    return answer
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming
    const url = new URL(path, `http://127.0.0.1:${this.#port}`)
    const request = { method, host: url.host, url, headers, body: await buffer(incoming) }
    if (path.startsWith(storagePath)) return send(response, this.#fromStorage(request), undefined, url)
    const recorded = this.#record(request)
    const fault = this.#faults.take((rule) => (rule.on?.(recorded) ?? true) && (rule.path?.test(path) ?? true))?.fault
    const [before, after] = this.delays(recorded)
    if (before > 0) await wait(before)
    await Promise.all(this.holds.filter(({ on }) => on(recorded)).map(({ until }) => until))
    const answer = isRefused(fault) ? gitHubNotFound() : this.#answer(request)
    if (after > 0) await wait(after)
    recorded.status = fault?.kind === 'answer' ? fault.status : answer.status
    if (fault?.kind === 'reset-after') response.socket?.destroy()
    else await send(response, answer, fault, url)
  }

  #record({ method, url, headers, body }: HostRequest): GitHubRequest {
    const path = `${url.pathname}${url.search}`
    const { authorization } = headers
    const recorded = { method, path, authorization, body: body?.toString() ?? '', status: undefined }
    this.requests.push(recorded)
    return recorded
  }

  #answer(request: HostRequest): HostAnswer {
    if (request.headers['user-agent'] === undefined) {
      this.#unexpected(request, 'it has no user agent')
      return jsonAnswer(403, { message: 'Request forbidden by administrative rules.' })
    }
    return this.#limit.admit(request, (token) => this.#route(request, this.state.users.get(token ?? '')))
  }

  #route(request: HostRequest, user: GitHubUser | undefined): HostAnswer {
    const { method, url, body = Buffer.alloc(0) } = request
    if (url.pathname === `${this.#base.replace(/\/v3$/, '')}/graphql`) return answerQuery(body.toString(), user)
    const isBelow = url.pathname.startsWith(`${this.#base}/`)
    const read = isBelow
      ? readRequest(method, `${url.pathname}${url.search}`.slice(this.#base.length), body)
      : undefined
    if (read === undefined) {
      this.#unexpected(request, 'there is no such route')
      return gitHubNotFound()
    }
    for (const problem of [...read.problems, ...read.bodyProblems]) this.#unexpected(request, problem)
    const answer = this.#answerTo(read, request, user)
    return this.#described(request, read.operation, answer)
  }

  #answerTo(read: Read, { url, headers }: HostRequest, user: GitHubUser | undefined): Answer {
    const { fullName: name, repository } = this.state
    const isThis = `${read.path.owner}/${read.path.repo}`.toLowerCase() === name.toLowerCase()
    const handler = handlers[read.operation.id]
    if (!isThis || handler === undefined || (repository.isPrivate && user === undefined)) return notFound
    const refused = notAllowed(handler, user) ?? notUnderstood(read)
    if (refused) return refused
    const { path, query, body } = read
    const storageUrl: Call['storageUrl'] = (fileName, bytes) =>
      `http://localhost:${this.#port}${this.#storage.pathOf(fileName, bytes)}`
    return handler.answer({ state: this.state, url, path, query, body, accept: headers.accept ?? '', user, storageUrl })
  }

  /** What is no error is completed, and has to be as it is described. */
  #described(request: HostRequest, operation: Operation, { status, body, headers = {} }: Answer): HostAnswer {
    const schema = answerSchema(operation, status)
    const whole = schema && body !== undefined ? complete(schema, body) : body
    for (const problem of answerProblems(operation, status, whole)) {
      this.#unexpected(request, `the stand-in's own answer: ${problem}`)
    }
    return whole === undefined ? { status, headers, body: Buffer.alloc(0) } : jsonAnswer(status, whole, headers)
  }

  #fromStorage(request: HostRequest): HostAnswer {
    if (request.headers.authorization === undefined) return this.#storage.answer(request.url) ?? gitHubNotFound()
    this.#unexpected(request, 'a token was sent to where files are stored')
    return jsonAnswer(400, { message: 'InvalidAuthenticationInfo' })
  }

  #unexpected({ method, url }: HostRequest, why: string): void {
    this.unexpected.push(`${method} ${url.pathname}${url.search}: ${why}`)
  }
}

const handlers: Handlers = {
  ...commentOperations,
  ...deploymentOperations,
  ...environmentOperations,
  ...issueOperations,
  ...pullRequestOperations,
  ...releaseOperations,
  ...runOperations
}

/** Whether a fault keeps a request from being carried out. */
function isRefused(fault: GitHubRule['fault'] | undefined): boolean {
  return fault !== undefined && ['answer', 'down', 'reset-before', 'redirect-loop'].includes(fault.kind)
}

/** A public repository is read by whoever has no token of it. */
function notAllowed({ permissions, access, needsToken }: Handler, user: GitHubUser | undefined): Answer | undefined {
  if (user === undefined) {
    return access === 'write' || needsToken ? refusal(401, 'Requires authentication') : undefined
  }
  const given = permissions.map((permission) => user.permissions[permission])
  if (permissions.length === 0 || given.includes('write')) return undefined
  return access === 'read' && given.includes('read')
    ? undefined
    : refusal(403, 'Resource not accessible by integration')
}

function notUnderstood({ body, bodyProblems }: Read): Answer | undefined {
  if (bodyProblems.length === 0) return undefined
  if (body === undefined) return refusal(400, 'Problems parsing JSON')
  return refusal(422, `Invalid request.\n\n${bodyProblems.join('\n')}`)
}
