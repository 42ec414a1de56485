import { createHash, randomUUID } from 'node:crypto'
import { releaseArchives } from './archives.ts'
import {
  gitHubNotFound,
  type Host,
  type HostAnswer,
  type HostRequest,
  jsonAnswer,
  pageOf,
  redirect
} from './http-answer.ts'
import { type Credentials, RateLimit } from './rate-limit.ts'

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

type Asset = { readonly id: number; readonly name: string; readonly bytes: Buffer; readonly digest: string | null }

type Release = Required<Omit<ReleaseChoice, 'assets' | 'digests'>> & {
  readonly id: number
  readonly tag: string
  readonly assets: readonly Asset[]
}

const repository = 'clockworklabs/SpacetimeDB'
const assetHost = 'release-assets.githubusercontent.com'

/**
 * Stands in for what knows SpacetimeDB's releases: GitHub's API (https://docs.github.com/rest/releases/releases),
 * github.com and the host that it redirects downloads to, the mirror on S3, and mirrors of companies at `*.example`,
 * which have both the API (`…/releases`) and the files (`…/v2.8.3/ASSET`) below any path. The newest release is the
 * first that was given. What GitHub's API is asked about other repositories something else may answer. It differs from GitHub: drafts are shown to nobody, releases have no update programs, and what
 * S3 says of a file that it doesn't have is a guess (404).
 */
export async function releaseHosts(
  choices: readonly ReleaseChoice[],
  credentials: Credentials,
  otherRepositories: Host | undefined
): Promise<(host: string) => Host | undefined> {
  const releases = (await Promise.all(choices.map(makeRelease))).filter(({ draft }) => !draft)
  const signatures = new Map<string, Asset>()
  const limit = new RateLimit(credentials)
  const fixed: Readonly<Record<string, Host>> = {
    'api.github.com': (request) =>
      otherRepositories && !isOfRepository(request)
        ? otherRepositories(request)
        : limit.admit(request, () => answerApi(releases, request) ?? gitHubNotFound()),
    'github.com': (request) => answerWeb(releases, signatures, request),
    [assetHost]: (request) => answerAsset(signatures, request),
    'objects.githubusercontent.com': (request) => answerAsset(signatures, request),
    'spacetimedb-client-binaries.s3.amazonaws.com': (request) => answerMirror(releases, request)
  }
  const company: Host = (request) => answerApi(releases, request) ?? fileOf(releases, request.url.pathname)
  return (host) => fixed[host] ?? (host.endsWith('.example') ? company : undefined)
}

let lastId = 0

async function makeRelease(choice: ReleaseChoice): Promise<Release> {
  const { version, prerelease = false, draft = false, digests = true } = choice
  const archives = await releaseArchives(version)
  const assets = archives
    .filter(({ name }) => choice.assets?.includes(name) ?? true)
    .map(({ name, bytes, digest }) => ({ id: ++lastId, name, bytes, digest: digests ? digest : null }))
  return { version, prerelease, draft, id: ++lastId, tag: `v${version}`, assets }
}

function isOfRepository({ url }: HostRequest): boolean {
  return url.pathname.toLowerCase().startsWith(`/repos/${repository}/`.toLowerCase())
}

/** GitHub's API, or a company's copy of it: links to files lead to the host that was asked. */
function answerApi(releases: readonly Release[], { url, host }: HostRequest): HostAnswer | undefined {
  const [, root = '', rest = ''] = /^(.*\/releases)(?:\/(latest|tags\/[^/]+))?$/.exec(url.pathname) ?? []
  const isGitHub = host === 'api.github.com'
  if (root === '' || (isGitHub && root.toLowerCase() !== `/repos/${repository}/releases`.toLowerCase()))
    return undefined
  const files = isGitHub ? `https://github.com/${repository}/releases/download` : `https://${host}${root}/download`
  const show = (release: Release | undefined) => release && jsonAnswer(200, releaseJson(release, files))
  if (rest === 'latest') return show(releases.find(({ prerelease }) => !prerelease))
  if (rest !== '') return show(releases.find(({ tag }) => `tags/${tag}` === decodeURIComponent(rest)))
  const { items, headers } = pageOf(releases, url)
  return jsonAnswer(
    200,
    items.map((release) => releaseJson(release, files)),
    headers
  )
}

function releaseJson({ id, tag, version, draft, prerelease, assets }: Release, files: string) {
  return {
    id,
    url: `https://api.github.com/repos/${repository}/releases/${id}`,
    html_url: `https://github.com/${repository}/releases/tag/${tag}`,
    tag_name: tag,
    name: `Release ${version}`,
    draft,
    prerelease,
    created_at: '2026-01-01T00:00:00Z',
    published_at: '2026-01-01T00:00:00Z',
    assets: assets.map((asset) => ({
      id: asset.id,
      url: `https://api.github.com/repos/${repository}/releases/assets/${asset.id}`,
      name: asset.name,
      label: '',
      state: 'uploaded',
      content_type: asset.name.endsWith('.zip') ? 'application/zip' : 'application/gzip',
      size: asset.bytes.length,
      digest: asset.digest,
      download_count: 0,
      browser_download_url: `${files}/${tag}/${asset.name}`
    }))
  }
}

/** Downloads are redirected to a signed URL. */
function answerWeb(
  releases: readonly Release[],
  signatures: Map<string, Asset>,
  { url: { pathname } }: HostRequest
): HostAnswer | undefined {
  const [, tag, name] = new RegExp(`^/${repository}/releases/download/([^/]+)/([^/]+)$`, 'i').exec(pathname) ?? []
  const asset = assetNamed(releases, tag, name)
  if (asset === undefined) return undefined
  const signature = randomUUID()
  signatures.set(signature, asset)
  const disposition = encodeURIComponent(`attachment; filename=${asset.name}`)
  const query = `sig=${signature}&response-content-disposition=${disposition}`
  return redirect(`https://${assetHost}/github-production-release-asset/${asset.id}?${query}`)
}

function answerAsset(signatures: ReadonlyMap<string, Asset>, { url }: HostRequest): HostAnswer | undefined {
  const asset = signatures.get(url.searchParams.get('sig') ?? '')
  return asset && file(asset)
}

/** The mirror also has the latest version, without which a CLI could not know it. */
function answerMirror(releases: readonly Release[], { url: { pathname } }: HostRequest): HostAnswer | undefined {
  const latest = releases.find(({ prerelease }) => !prerelease)
  if (pathname === '/latest-version' && latest !== undefined) {
    return { status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(`${latest.tag}\n`) }
  }
  return pathname.startsWith('/refs/tags/') ? fileOf(releases, pathname) : undefined
}

/** The asset that a path ends with: `…/TAG/NAME`. */
function fileOf(releases: readonly Release[], pathname: string): HostAnswer | undefined {
  const [, tag, name] = /\/([^/]+)\/([^/]+)$/.exec(pathname) ?? []
  const asset = assetNamed(releases, tag, name)
  return asset && file(asset)
}

function assetNamed(releases: readonly Release[], tag?: string, name?: string): Asset | undefined {
  return releases.find((release) => release.tag === tag)?.assets.find((asset) => asset.name === name)
}

function file({ name, bytes }: Asset): HostAnswer {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename=${name}`,
    etag: `"${createHash('md5').update(bytes).digest('hex')}"`
  }
  return { status: 200, headers, body: bytes }
}
