import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** Who asks, by a token: an app's or `GITHUB_TOKEN`'s (whose login ends in `[bot]`), or a user's. */
export type GitHubUser = { readonly login: string; readonly pullRequests: 'write' | 'read' | 'none' }

export type StoredComment = { id: number; body: string; readonly login: string | null }

export type GitHubRequest = { readonly method: string; readonly path: string; readonly body: string }

/** What goes wrong with a request, as often as `times` says, or always. */
export type GitHubFault = { readonly on: (request: GitHubRequest) => boolean; times?: number } & (
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body: unknown
      readonly headers?: Record<string, string>
    }
  /** The connection is reset before anything was carried out, or after it. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** It is carried out, and never answered. */
  | { readonly kind: 'hang' }
)

/**
 * A stand-in for the part of GitHub's API that comments are written with, on a free port of loopback: the comments of
 * issues (https://docs.github.com/rest/issues/comments), open pull requests by their head
 * (https://docs.github.com/rest/pulls/pulls), the GraphQL API's `viewer`. It holds one repository.
 */
export async function startGitHubComments(base = ''): Promise<GitHubComments> {
  const gitHub = new GitHubComments(base)
  await gitHub.listen()
  return gitHub
}

export class GitHubComments {
  readonly users = new Map<string, GitHubUser>()
  /** In the order in which they were made. */
  readonly comments: StoredComment[] = []
  readonly pullRequests: {
    readonly number: number
    readonly owner: string
    readonly branch: string
    readonly sha: string
  }[] = []
  readonly faults: GitHubFault[] = []
  readonly requests: GitHubRequest[] = []
  /** Milliseconds until a request is carried out, and from then until it is answered. */
  delays: (request: GitHubRequest) => readonly [number, number] = () => [0, 0]
  readonly #base: string
  #lastId = 1_000
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch((error) => response.destroy(error))
  })

  /** `base` is `/api/v3` for a GitHub Enterprise. */
  constructor(base: string) {
    this.#base = base
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#base}`
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  add(login: string | null, body: string): StoredComment {
    this.#lastId += 1
    const comment = { id: this.#lastId, login, body }
    this.comments.push(comment)
    return comment
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = { method: incoming.method ?? '', path: incoming.url ?? '', body: await text(incoming) }
    this.requests.push(request)
    const fault = this.#faultOf(request)
    const [before, after] = this.delays(request)
    if (fault?.kind === 'reset' && fault.when === 'before') return void incoming.socket.destroy()
    if (before > 0) await sleep(before)
    const user = this.users.get(incoming.headers.authorization?.replace(/^Bearer /, '') ?? '')
    const answer = fault?.kind === 'answer' ? fault : this.#answer(request, user)
    if (after > 0) await sleep(after)
    if (fault?.kind === 'reset') return void incoming.socket.destroy()
    if (fault?.kind === 'hang') return
    response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8', ...answer.headers })
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
  }

  #faultOf(request: GitHubRequest): GitHubFault | undefined {
    const fault = this.faults.find(({ on, times }) => times !== 0 && on(request))
    if (fault?.times !== undefined) fault.times -= 1
    return fault
  }

  #answer({ method, path, body }: GitHubRequest, user: GitHubUser | undefined): Answer {
    if (!user) return { status: 401, body: { message: 'Bad credentials' } }
    const url = new URL(path, this.url)
    const route = url.pathname.replace(/^\/api(\/v3)?/, '')
    if (url.pathname === `${this.#base.replace(/\/v3$/, '')}/graphql`) return viewer(body, user)
    if (!url.pathname.startsWith(`${this.#base}/`)) return notFound
    if (method === 'GET' && user.pullRequests === 'none') return notAccessible
    if (method !== 'GET' && user.pullRequests !== 'write') return notAccessible
    if (route === '/repos/org/game/pulls') return this.#pullRequests(url)
    if (route === '/repos/org/game/issues/7/comments') {
      return method === 'POST' ? this.#create(body, user) : this.#list(url)
    }
    const id = Number(/^\/repos\/org\/game\/issues\/comments\/(\d+)$/.exec(route)?.[1])
    return this.#one(method, id, body)
  }

  #pullRequests(url: URL): Answer {
    const head = url.searchParams.get('head')
    const found = this.pullRequests.filter(({ owner, branch }) => `${owner}:${branch}` === head)
    return { status: 200, body: found.map(({ number, sha }) => ({ number, state: 'open', head: { sha } })) }
  }

  #list(url: URL): Answer {
    const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100)
    const page = Number(url.searchParams.get('page') ?? 1)
    const comments = this.comments.slice((page - 1) * size, page * size).map((comment) => this.#shown(comment))
    if (page * size >= this.comments.length) return { status: 200, body: comments }
    url.searchParams.set('page', String(page + 1))
    return { status: 200, body: comments, headers: { link: `<${url.href}>; rel="next"` } }
  }

  #create(sent: string, { login }: GitHubUser): Answer {
    const { body } = JSON.parse(sent)
    return tooLong(body) ?? { status: 201, body: this.#shown(this.add(login, body)) }
  }

  #one(method: string, id: number, sent: string): Answer {
    const index = this.comments.findIndex((comment) => comment.id === id)
    const comment = this.comments[index]
    if (!comment) return notFound
    if (method === 'DELETE') {
      this.comments.splice(index, 1)
      return { status: 204 }
    }
    const { body } = JSON.parse(sent)
    const refusal = tooLong(body)
    if (refusal) return refusal
    comment.body = body
    return { status: 200, body: this.#shown(comment) }
  }

  #shown({ id, body, login }: StoredComment) {
    const user = login === null ? null : { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' }
    return { id, body, user, html_url: `https://github.com/org/game/pull/7#issuecomment-${id}` }
  }
}

type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }

const notFound: Answer = { status: 404, body: { message: 'Not Found' } }

const notAccessible: Answer = { status: 403, body: { message: 'Resource not accessible by integration' } }

function viewer(sent: string, { login }: GitHubUser): Answer {
  return /viewer\s*\{\s*login\s*\}/.test(JSON.parse(sent).query)
    ? { status: 200, body: { data: { viewer: { login } } } }
    : { status: 200, body: { errors: [{ message: 'Parse error' }] } }
}

function tooLong(body: string): Answer | undefined {
  if ([...body].length <= 65_536) return undefined
  return { status: 422, body: { message: 'Validation Failed', errors: [{ message: 'body is too long' }] } }
}
