import { createHash, randomUUID } from 'node:crypto'
import { releaseArchives } from './archives.ts'
import { GitHubApi } from './github/api.ts'
import { GitHubState, type ReleaseAsset } from './github/state.ts'
import { type Host, type HostAnswer, type HostRequest, redirect } from './http-answer.ts'

/** A release as a test wants it. */
export type ReleaseChoice = {
  /** Without a `v`. */
  readonly version: string
  readonly prerelease?: boolean
  /** Not shown to anybody but those who may publish it. */
  readonly draft?: boolean
  /** `false` for a release from before GitHub kept digests of assets. */
  readonly digests?: boolean
  /** Names of assets that it has; all without. */
  readonly assets?: readonly string[]
}

export type ReleaseHostsOptions = {
  /** Newest first. */
  readonly releases: readonly ReleaseChoice[]
  /** Tokens that GitHub's API knows. */
  readonly tokens: readonly string[]
  readonly anonymousLimit: number
  /** What answers for other repositories at GitHub's API. */
  readonly otherRepositories: Host | undefined
}

export type ReleaseHosts = {
  hostOf(host: string): Host | undefined
  /** What GitHub's API should not have been asked, and why. */
  unexpected(): readonly string[]
}

const repository = { owner: 'clockworklabs', name: 'SpacetimeDB', isPrivate: false }
const path = `${repository.owner}/${repository.name}`
const assetHost = 'release-assets.githubusercontent.com'

/**
 * Stands in for what knows SpacetimeDB's releases: GitHub's API, github.com and the host that it redirects downloads to,
 * the mirror on S3, and the hosts of companies at `*.example`, each of which is a GitHub Enterprise with a copy of the
 * releases, and a mirror that has the files (`…/v2.8.3/ASSET`) below any path. It differs from GitHub: releases have no
 * update programs, and what S3 says of a file that it doesn't have is a guess (404).
 */
export async function releaseHosts(options: ReleaseHostsOptions): Promise<ReleaseHosts> {
  const { tokens: otherTokens, anonymousLimit, otherRepositories } = options
  const state = await releasesOf(options.releases)
  const api = new GitHubApi(state, { otherTokens, anonymousLimit })
  const companies = new Map<string, GitHubApi>()
  const signatures = new Map<string, ReleaseAsset>()
  const fixed: Readonly<Record<string, Host>> = {
    'api.github.com': (request) =>
      otherRepositories && !isOfRepository(request) ? otherRepositories(request) : api.answer(request),
    'github.com': (request) => answerWeb(state, signatures, request),
    [assetHost]: (request) => answerAsset(signatures, request),
    'objects.githubusercontent.com': (request) => answerAsset(signatures, request),
    'spacetimedb-client-binaries.s3.amazonaws.com': (request) => answerMirror(state, request)
  }
  const company: Host = (request) => {
    if (!request.url.pathname.startsWith('/api/v3/')) return fileOf(state, request.url.pathname)
    const known = companies.get(request.host) ?? enterprise(state, request.host, options)
    companies.set(request.host, known)
    return known.answer(request)
  }
  return {
    hostOf: (host) => fixed[host] ?? (host.endsWith('.example') ? company : undefined),
    unexpected: () => [api, ...companies.values()].flatMap((each) => each.unexpected)
  }
}

async function releasesOf(choices: readonly ReleaseChoice[]): Promise<GitHubState> {
  const state = new GitHubState(undefined, repository)
  for (const { version, prerelease = false, draft = false, digests = true, assets } of [...choices].reverse()) {
    const archives = await releaseArchives(version)
    const wanted = archives.filter(({ name }) => assets?.includes(name) ?? true)
    const files = Object.fromEntries(wanted.map(({ name, bytes }) => [name, bytes]))
    state.addRelease(`v${version}`, files, { isDraft: draft, isPrerelease: prerelease, hasDigests: digests })
  }
  return state
}

/** A copy, whose links lead to its own host. */
function enterprise(state: GitHubState, host: string, options: ReleaseHostsOptions): GitHubApi {
  const copy = new GitHubState(undefined, repository)
  copy.releases.push(...state.releases)
  copy.web = `https://${host}`
  return new GitHubApi(copy, { base: '/api/v3', otherTokens: options.tokens, anonymousLimit: options.anonymousLimit })
}

function isOfRepository({ url }: HostRequest): boolean {
  return `${url.pathname}/`.toLowerCase().startsWith(`/repos/${path}/`.toLowerCase())
}

/** Downloads are redirected to a signed URL. */
function answerWeb(
  state: GitHubState,
  signatures: Map<string, ReleaseAsset>,
  { url: { pathname } }: HostRequest
): HostAnswer | undefined {
  const [, tag, name] = new RegExp(`^/${path}/releases/download/([^/]+)/([^/]+)$`, 'i').exec(pathname) ?? []
  const asset = assetNamed(state, tag, name)
  if (asset === undefined) return undefined
  const signature = randomUUID()
  signatures.set(signature, asset)
  const disposition = encodeURIComponent(`attachment; filename=${asset.name}`)
  const query = `sig=${signature}&response-content-disposition=${disposition}`
  return redirect(`https://${assetHost}/github-production-release-asset/${asset.id}?${query}`)
}

function answerAsset(signatures: ReadonlyMap<string, ReleaseAsset>, { url }: HostRequest): HostAnswer | undefined {
  const asset = signatures.get(url.searchParams.get('sig') ?? '')
  return asset && file(asset)
}

/** The mirror also has the latest version, without which a CLI could not know it. */
function answerMirror(state: GitHubState, { url: { pathname } }: HostRequest): HostAnswer | undefined {
  const latest = state.releases.findLast(({ isDraft, isPrerelease }) => !isDraft && !isPrerelease)
  if (pathname === '/latest-version' && latest !== undefined) {
    return { status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(`${latest.tag}\n`) }
  }
  return pathname.startsWith('/refs/tags/') ? fileOf(state, pathname) : undefined
}

/** The asset that a path ends with: `…/TAG/NAME`. */
function fileOf(state: GitHubState, pathname: string): HostAnswer | undefined {
  const [, tag, name] = /\/([^/]+)\/([^/]+)$/.exec(pathname) ?? []
  const asset = assetNamed(state, tag, name)
  return asset && file(asset)
}

function assetNamed({ releases }: GitHubState, tag?: string, name?: string): ReleaseAsset | undefined {
  const release = releases.find((each) => !each.isDraft && each.tag === tag)
  return release?.assets.find((asset) => asset.name === name)
}

function file({ name, bytes }: ReleaseAsset): HostAnswer {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename=${name}`,
    etag: `"${createHash('md5').update(bytes).digest('hex')}"`
  }
  return { status: 200, headers, body: bytes }
}
