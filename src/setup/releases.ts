import semver from 'semver'
import * as z from 'zod'
import { orCancelled } from '../cancellation.ts'
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

/** GitHub's API, as far as it is asked for releases. Reasons are sentences. */
export type ReleasesApi = {
  get<T>(path: string, shape: z.ZodType<T>): Promise<ReleasesAnswer<T>>
  pages<T>(path: string, shape: z.ZodType<T>): AsyncIterable<ReleasesAnswer<T>>
}

export type ReleasesAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | {
      readonly kind: 'not-found' | 'forbidden' | 'rate-limited' | 'unreachable' | 'unexpected'
      readonly reason: string
    }

export type ReleasesOptions = {
  /**
   * The API that the job belongs to, and after it github.com's, for a server of one's own (GHES) that has no copy of the
   * repository.
   */
  readonly apis: readonly ReleasesApi[]
  /** Whether the job's API is asked with a token. */
  readonly hasToken: boolean
  readonly signal?: AbortSignal | undefined
}

/** Where SpacetimeDB is released. */
export const repository = 'clockworklabs/SpacetimeDB'

/** The releases by https://docs.github.com/rest/releases/releases. Throws a `SetupFailure` when the job is cancelled. */
export function githubReleases({ apis, hasToken, signal }: ReleasesOptions): Releases {
  const path = `/repos/${repository}/releases`
  return {
    async byVersion(version) {
      const answer = await firstKnown((api) => api.get(`${path}/tags/v${version}`, releaseAnswer))
      if (answer.kind === 'not-found') return { kind: 'missing', reason: await missing(version) }
      if (answer.kind !== 'ok') return unavailable(answer, hasToken)
      const strange = `GitHub has a release under the tag v${version} that is a draft, or whose name is no version.`
      return answer.value ? { kind: 'found', release: answer.value } : { kind: 'unavailable', reason: strange }
    },
    async all() {
      const answer = await firstKnown((api) => newest(api))
      if (answer.kind === 'ok') return { kind: 'listed', releases: answer.value }
      if (answer.kind !== 'not-found') return unavailable(answer, hasToken)
      return { kind: 'unavailable', reason: `GitHub knows no repository ${repository} (404).` }
    }
  }

  async function firstKnown<T>(ask: (api: ReleasesApi) => Promise<ReleasesAnswer<T>>): Promise<ReleasesAnswer<T>> {
    let answer: ReleasesAnswer<T> = { kind: 'not-found', reason: '' }
    for (const api of apis) {
      const asked = ask(api)
      const given = signal ? await orCancelled(asked, signal) : await asked
      insistOnGoing(signal)
      if (given !== 'cancelled') answer = given
      if (answer.kind !== 'not-found') break
    }
    return answer
  }

  async function newest(api: ReleasesApi): Promise<ReleasesAnswer<readonly Release[]>> {
    const releases: Release[] = []
    let pages = 0
    for await (const page of api.pages(`${path}?per_page=100`, z.array(releaseAnswer))) {
      if (page.kind !== 'ok') return page
      releases.push(...page.value.filter((release) => release !== undefined))
      pages += 1
      if (pages === mostPages) break
    }
    return { kind: 'ok', value: releases }
  }

  async function missing(version: string): Promise<string> {
    const answer = await firstKnown((api) => api.get(`${path}?per_page=30`, z.array(releaseAnswer)))
    const known = answer.kind === 'ok' ? answer.value.flatMap((release) => release?.version ?? []) : []
    const there =
      known.length === 0 ? '' : ` There are, among others, ${known.sort(semver.rcompare).slice(0, 8).join(', ')}.`
    return `There is no release ${version} of SpacetimeDB (404).${there} See https://github.com/${repository}/releases.`
  }
}

const mostPages = 10

/** What was answered, with what can be done here. */
function unavailable({ kind, reason }: Exclude<ReleasesAnswer<never>, { kind: 'ok' }>, hasToken: boolean) {
  const withToken = "Run the job again then, or give `version` exactly and the archive's `sha256`, which needs no API."
  const withoutToken = 'Without one all jobs behind one address share 60 requests an hour.'
  const cures: Partial<Record<typeof kind, string>> = {
    'rate-limited': hasToken ? withToken : withoutToken,
    forbidden: 'A proxy on the way may have refused it, too.',
    unexpected: 'Is there a proxy between that answers itself?'
  }
  return { kind: 'unavailable', reason: [reason, cures[kind]].filter(Boolean).join(' ') } as const
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
