import type { GitHubState, GitHubUser, Permission } from './state.ts'

/** A request that fits the description. */
export type Call = {
  readonly state: GitHubState
  /** As it was asked, with its query. */
  readonly url: URL
  readonly path: Readonly<Record<string, string | number>>
  /** Defaults included. */
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly accept: string
  /** Nobody without a token. */
  readonly user: GitHubUser | undefined
  /** A URL at which whoever has it can read the bytes, without the token. */
  readonly storageUrl: (name: string, bytes: Buffer) => string
}

/** What is answered: an object is completed by what else GitHub's has (`complete.ts`). */
export type Answer = {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** How an operation is answered, and what a token must be allowed for it: one of several permissions. */
export type Handler = {
  readonly permissions: readonly Permission[]
  readonly access: 'read' | 'write'
  /** Whoever has no token may not, whatever the repository. */
  readonly needsToken?: boolean
  readonly answer: (call: Call) => Answer
}

/** By GitHub's names of its operations. */
export type Handlers = Readonly<Record<string, Handler>>

export const notFound: Answer = refusal(404, 'Not Found')

export function refusal(status: number, message: string, more: object = {}): Answer {
  const documentation_url = 'https://docs.github.com/rest'
  return { status, body: { message, ...more, documentation_url, status: String(status) } }
}

/** A field's value that GitHub does not take, though its description does not say so. */
export function validationFailed(resource: string, field: string, message: string): Answer {
  return refusal(422, 'Validation Failed', { errors: [{ resource, code: 'custom', field, message }] })
}

/** The URLs of GitHub's API and pages, which lead nowhere but to a stand-in for the internet. */
export function apiUrl(state: GitHubState, path: string): string {
  return `https://api.github.com/repos/${state.fullName}${path}`
}

export function pageUrl(state: GitHubState, path: string): string {
  return `${state.web}/${state.fullName}${path}`
}

export function userJson(login: string): object {
  const isBot = login.endsWith('[bot]')
  return { login, id: isBot ? 41898282 : 583231, type: isBot ? 'Bot' : 'User', html_url: `https://github.com/${login}` }
}
