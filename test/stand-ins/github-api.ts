import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FaultRules } from './fault-rules.ts'
import { type Route, routes } from './github-routes.ts'
import { GitHubState, type Permissions, type RepositoryChoice, type RunChoice } from './github-state.ts'
import { gitHubNotFound, type Host, type HostAnswer, type HostRequest, jsonAnswer } from './http-answer.ts'
import { type InternetFault, send } from './internet-fault.ts'
import { RateLimit } from './rate-limit.ts'
import type { ResultsService } from './results-service.ts'

export type GitHubRequest = {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly authorization: string | undefined
  readonly status: number
}

export type GitHubRule = {
  /** Of the path with its query. */
  readonly path?: RegExp
  readonly times?: number
  readonly fault: InternetFault
}

/**
 * Starts a stand-in for GitHub's REST API on a free port of loopback, for one repository: what runs have uploaded to a
 * results service, by `github-routes.ts`. It differs from the real one: a route that is not there, a parameter that a
 * route doesn't have and a missing user agent are kept in `unexpected` besides being answered, lists of a private
 * repository need a token as downloads of any do, a token is of one repository, and objects have only those of their
 * fields that are documented here.
 */
export async function startGitHubApi(results: ResultsService, repository: RepositoryChoice = {}): Promise<GitHubApi> {
  const api = new GitHubApi(new GitHubState(results, repository))
  await api.listen()
  return api
}

export class GitHubApi {
  readonly state: GitHubState
  readonly requests: GitHubRequest[] = []
  /** What should not have been asked, and why. A test expects none. */
  readonly unexpected: string[] = []
  readonly #faults = new FaultRules<GitHubRule>()
  readonly #tokens: string[] = []
  readonly #limit = new RateLimit({ tokens: this.#tokens, anonymousLimit: 60 })
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch((failure: unknown) => response.destroy(failure as Error))
  })

  constructor(state: GitHubState) {
    this.state = state
  }

  /** As `GITHUB_API_URL` has it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Of what is asked at `url`. May be changed at any time. */
  get faults(): GitHubRule[] {
    return this.#faults.list
  }

  /** All tokens that were given out. */
  get secrets(): readonly string[] {
    return this.#tokens
  }

  addRun(run: RunChoice): void {
    this.state.runs.push(run)
  }

  /** A `GITHUB_TOKEN`. */
  issueToken(permissions: Permissions = { contents: 'read', actions: 'read' }): string {
    const token = `ghs_${randomUUID().replaceAll('-', '')}`
    this.#tokens.push(token)
    this.state.permissions.set(token, permissions)
    return token
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  /** The answer to a request that came another way, such as through the stand-in for the internet. */
  readonly answer: Host = (request) => {
    const answer = this.#answer(request)
    const { method, url, headers } = request
    const path = `${url.pathname}${url.search}`
    this.requests.push({ method, path, authorization: headers.authorization, status: answer.status })
    return answer
  }

  #answer(request: HostRequest): HostAnswer {
    if (request.headers['user-agent'] === undefined) {
      this.#unexpected(request, 'it has no user agent')
      return jsonAnswer(403, { message: 'Request forbidden by administrative rules.' })
    }
    return this.#limit.admit(request, (token) => this.#route(request, token)) ?? gitHubNotFound()
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming
    const url = new URL(path, this.url)
    const { authorization } = headers
    incoming.resume()
    response.once('close', () => this.requests.push({ method, path, authorization, status: response.statusCode }))
    const fault = this.#faults.take((rule) => rule.path?.test(path) ?? true)?.fault
    await send(response, this.#answer({ method, host: url.host, url, headers }), fault, url)
  }

  #route(request: HostRequest, token: string | undefined): HostAnswer {
    const { method, url } = request
    const { owner, name, isPrivate } = this.state.repository
    const [, repository = '', rest = ''] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(decodeURI(url.pathname)) ?? []
    const route = routes.find(({ path }) => path.test(rest))
    if (route === undefined || repository === '' || method !== 'GET') {
      this.#unexpected(request, 'there is no such route')
      return gitHubNotFound()
    }
    const unknown = [...url.searchParams.keys()].find((parameter) => !route.query.includes(parameter))
    if (unknown !== undefined) this.#unexpected(request, `it has no parameter ${unknown}`)
    const isThis = repository.toLowerCase() === `${owner}/${name}`.toLowerCase()
    if (!isThis || (isPrivate && token === undefined)) return gitHubNotFound()
    return this.#answerBy(route, rest, url, token)
  }

  #answerBy(route: Route, rest: string, url: URL, token: string | undefined): HostAnswer {
    const permissions = this.state.permissions.get(token ?? '') ?? {}
    return route.answer({ state: this.state, url, token, permissions, id: Number(route.path.exec(rest)?.[1] ?? 0) })
  }

  #unexpected({ method, url }: HostRequest, why: string): void {
    this.unexpected.push(`${method} ${url.pathname}${url.search}: ${why}`)
  }
}
