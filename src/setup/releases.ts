import semver from 'semver'
import * as z from 'zod'
import { withRetries } from '../retry.ts'
import { exchange, followRedirects, hostOf, type Network, passingProblem, reasonOf } from '../spacetimedb/network.ts'
import type { Answer } from '../spacetimedb/transport.ts'
import { insistOnGoing } from './failure.ts'

/** A SHA-256 in lower-case hex. */
export type Sha256 = string & { readonly brand: 'Sha256' }

/** A release of SpacetimeDB. */
export type Release = {
  readonly version: string
  readonly isPrerelease: boolean
  readonly assets: readonly ReleaseAsset[]
}

export type ReleaseAsset = {
  readonly name: string
  readonly url: string
  /** In bytes. */
  readonly size: number
  /** `undefined` where GitHub states none: files that were uploaded before June 2025. */
  readonly digest: Sha256 | undefined
}

/** The releases of SpacetimeDB, as GitHub's API tells. Reasons are sentences. */
export type Releases = {
  byVersion(version: string): Promise<ReleaseLookup>
  /** Without drafts; at most the newest thousand. */
  all(): Promise<ReleaseList>
}

export type ReleaseLookup =
  | { readonly kind: 'found'; readonly release: Release }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string }

export type ReleaseList =
  | { readonly kind: 'listed'; readonly releases: readonly Release[] }
  | { readonly kind: 'unavailable'; readonly reason: string }

export type ReleasesOptions = {
  /** The API that the job belongs to: `GITHUB_API_URL`. */
  readonly apiUrl: string
  /** For that API alone. */
  readonly token?: string | undefined
  readonly network: Network
}

/** Where SpacetimeDB is released. */
export const repository = 'clockworklabs/SpacetimeDB'
const publicApi = 'https://api.github.com'

/**
 * The releases by https://docs.github.com/rest/releases/releases. On a server of one's own (GHES) that has no copy of
 * the repository, github.com is asked, without the token.
 */
export function githubReleases(options: ReleasesOptions): Releases {
  const api = openApi(options)
  return {
    async byVersion(version) {
      const answer = await api.get(`/repos/${repository}/releases/tags/v${version}`, releaseAnswer)
      if (answer.kind === 'answered' && answer.value) return { kind: 'found', release: answer.value }
      if (answer.kind === 'missing') return { kind: 'missing', reason: await missing(version) }
      return { kind: 'unavailable', reason: answer.kind === 'unavailable' ? answer.reason : api.strange }
    },
    async all() {
      const releases: Release[] = []
      for (let page = 1; page <= 10; page++) {
        const answer = await api.get(`/repos/${repository}/releases?per_page=100&page=${page}`, z.array(releaseAnswer))
        if (answer.kind !== 'answered') {
          return { kind: 'unavailable', reason: answer.kind === 'missing' ? api.noRepository : answer.reason }
        }
        releases.push(...answer.value.filter((release) => release !== undefined))
        if (!/rel="next"/.test(String(answer.headers.link ?? ''))) break
      }
      return { kind: 'listed', releases }
    }
  }

  async function missing(version: string): Promise<string> {
    const answer = await api.get(`/repos/${repository}/releases?per_page=30`, z.array(releaseAnswer))
    const known = answer.kind === 'answered' ? answer.value.flatMap((release) => release?.version ?? []) : []
    const there =
      known.length === 0 ? '' : ` There are, among others, ${known.sort(semver.rcompare).slice(0, 8).join(', ')}.`
    return `There is no release ${version} of SpacetimeDB (404).${there} See https://github.com/${repository}/releases.`
  }
}

type ApiAnswer<T> =
  | { readonly kind: 'answered'; readonly value: T; readonly headers: Answer['headers'] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unavailable'; readonly reason: string }

function openApi({ apiUrl, token, network }: ReleasesOptions) {
  const own = apiUrl.replace(/\/+$/, '')
  const apis =
    own === publicApi
      ? [{ url: own, token }]
      : [
          { url: own, token },
          { url: publicApi, token: undefined }
        ]

  async function get<T>(path: string, schema: z.ZodType<T>): Promise<ApiAnswer<T>> {
    for (const api of apis) {
      const answer = await ask(api, path, schema)
      if (answer.kind !== 'missing') return answer
    }
    return { kind: 'missing' }
  }

  async function ask<T>(api: Api, path: string, schema: z.ZodType<T>): Promise<ApiAnswer<T>> {
    const host = hostOf(api.url)
    const result = await withRetries(
      () => followRedirects(api.url + path, (url, redirects) => send(url, redirects === 0 ? api.token : undefined)),
      (given) => (network.signal?.aborted ? undefined : passingProblem(given, host)),
      { ...network, onRetry: ({ reason }) => network.onRetry(`${reason}; asking again.`) }
    )
    insistOnGoing(network.signal)
    if (!('answer' in result))
      return { kind: 'unavailable', reason: `GitHub's API could not be asked: ${reasonOf(result, host)}.` }
    const { answer } = result
    if (answer.status === 404) return { kind: 'missing' }
    if (answer.status !== 200)
      return { kind: 'unavailable', reason: explain(answer, host, api.token !== undefined, network.clock.now()) }
    const parsed = schema.safeParse(jsonOf(answer.body))
    if (parsed.success) return { kind: 'answered', value: parsed.data, headers: answer.headers }
    const [issue] = parsed.error.issues
    const place = issue?.path.length ? ` at \`${issue.path.join('.')}\`` : ''
    return {
      kind: 'unavailable',
      reason: `The answer of ${host} is not a release as GitHub's API has it${place}. Is a proxy between that answers itself?`
    }
  }

  function send(url: string, bearer: string | undefined) {
    return exchange(network, {
      method: 'GET',
      url,
      headers: {
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` })
      },
      timeout: 30_000,
      longestAnswer: 64 << 20,
      mayShareConnection: false
    })
  }

  return {
    get,
    strange: `${hostOf(own)} has a release under this tag whose name is no version.`,
    noRepository: `${apis.map(({ url }) => hostOf(url)).join(' and ')} know no repository ${repository} (404).`
  }
}

type Api = { readonly url: string; readonly token: string | undefined }

function explain({ status, headers, body }: Answer, host: string, hasToken: boolean, now: number): string {
  const limited =
    status === 429 ||
    (status === 403 && (headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined))
  if (limited) {
    const way = hasToken
      ? "Run the job again then, or give `version` exactly and the archive's `sha256`, which needs no API."
      : 'Pass a `github-token`, which has a limit of its own: without one all jobs behind one address share 60 requests an hour.'
    return `${host} takes no more requests for now (${status}, rate limit)${resetTime(headers, now)}. ${way}`
  }
  if (status === 401)
    return `${host} refuses the \`github-token\` (401). Leave the input out for the job's own, or give a valid one.`
  if (status === 403)
    return `${host} forbids it (403): "${startOf(body)}". Check what the \`github-token\` may do, and the proxy.`
  return `${host} answered ${status}: "${startOf(body)}".`
}

function resetTime(headers: Answer['headers'], now: number): string {
  const after = Number(headers['retry-after'])
  const reset = Number(headers['x-ratelimit-reset']) * 1000
  const at = after > 0 ? now + after * 1000 : reset
  if (!(at > 0) || !Number.isFinite(new Date(at).getTime())) return ''
  return `; it does again at ${new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')}, in ${Math.max(1, Math.ceil((at - now) / 60_000))} min`
}

function startOf(body: string): string {
  return body.replace(/\s+/g, ' ').trim().slice(0, 200)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `undefined` for a draft and for a tag that is no version. */
const releaseAnswer = z
  .object({
    tag_name: z.string(),
    draft: z.boolean().default(false),
    prerelease: z.boolean().default(false),
    assets: z.array(
      z
        .object({
          name: z.string(),
          browser_download_url: z.url(),
          size: z.int().nonnegative(),
          digest: z.string().nullish()
        })
        .transform(({ name, browser_download_url: url, size, digest }) => ({
          name,
          url,
          size,
          digest: sha256In(digest)
        }))
    )
  })
  .transform(({ tag_name, draft, prerelease, assets }): Release | undefined => {
    const version = semver.valid(tag_name)
    if (draft || version === null) return undefined
    return { version, isPrerelease: prerelease || semver.prerelease(version) !== null, assets }
  })

function sha256In(digest: string | null | undefined): Sha256 | undefined {
  return parseSha256(/^sha256:(.*)$/.exec(digest ?? '')?.[1] ?? '')
}

/** A text as a SHA-256, if it is one. */
export function parseSha256(text: string): Sha256 | undefined {
  const digits = text.trim().toLowerCase()
  return /^[0-9a-f]{64}$/.test(digits) ? (digits as Sha256) : undefined
}
