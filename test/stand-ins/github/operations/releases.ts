import { createHash } from 'node:crypto'
import { pageOf } from '../../http-answer.ts'
import { type Answer, apiUrl, type Call, type Handler, type Handlers, notFound, pageUrl, userJson } from '../call.ts'
import type { ReleaseAsset, StoredRelease } from '../state.ts'

const reads = (answer: Handler['answer']): Handler => ({ permissions: ['contents'], access: 'read', answer })

/** https://docs.github.com/rest/releases. Drafts are shown to nobody. */
export const releaseOperations: Handlers = {
  'repos/list-releases': reads(list),
  'repos/get-latest-release': reads((call) =>
    one(
      call,
      published(call).find(({ isPrerelease }) => !isPrerelease)
    )
  ),
  'repos/get-release-by-tag': reads((call) =>
    one(
      call,
      published(call).find(({ tag }) => tag === call.path.tag)
    )
  ),
  'repos/get-release': reads((call) =>
    one(
      call,
      published(call).find(({ id }) => id === call.path.release_id)
    )
  ),
  'repos/list-release-assets': reads(listAssets),
  'repos/get-release-asset': reads(asset)
}

/** The newest first. */
function published({ state }: Call): StoredRelease[] {
  return state.releases.filter(({ isDraft }) => !isDraft).reverse()
}

function one(call: Call, release: StoredRelease | undefined): Answer {
  return release ? { status: 200, body: json(call, release) } : notFound
}

function list(call: Call): Answer {
  const { items, headers } = pageOf(published(call), call.url)
  return { status: 200, headers, body: items.map((release) => json(call, release)) }
}

function listAssets(call: Call): Answer {
  const release = published(call).find(({ id }) => id === call.path.release_id)
  if (release === undefined) return notFound
  const { items, headers } = pageOf(release.assets, call.url)
  return { status: 200, headers, body: items.map((each) => assetJson(call, release, each)) }
}

/** Its bytes, for whoever accepts those, from a storage that takes no token. */
function asset(call: Call): Answer {
  const release = published(call).find(({ assets }) => assets.some(({ id }) => id === call.path.asset_id))
  const found = release?.assets.find(({ id }) => id === call.path.asset_id)
  if (release === undefined || found === undefined) return notFound
  if (!call.accept.includes('application/octet-stream')) {
    return { status: 200, body: assetJson(call, release, found) }
  }
  return { status: 302, headers: { location: call.storageUrl(found.name, found.bytes) } }
}

function json(call: Call, release: StoredRelease): object {
  const { id, tag, isDraft, isPrerelease, assets } = release
  return {
    id,
    tag_name: tag,
    name: tag,
    draft: isDraft,
    prerelease: isPrerelease,
    url: apiUrl(call.state, `/releases/${id}`),
    html_url: pageUrl(call.state, `/releases/tag/${tag}`),
    assets_url: apiUrl(call.state, `/releases/${id}/assets`),
    author: userJson(call.state.repository.owner),
    assets: assets.map((each) => assetJson(call, release, each))
  }
}

function assetJson({ state }: Call, { tag, hasDigests }: StoredRelease, { id, name, bytes }: ReleaseAsset): object {
  return {
    id,
    name,
    url: apiUrl(state, `/releases/assets/${id}`),
    browser_download_url: pageUrl(state, `/releases/download/${tag}/${name}`),
    state: 'uploaded',
    content_type: 'application/octet-stream',
    size: bytes.length,
    digest: hasDigests ? `sha256:${createHash('sha256').update(bytes).digest('hex')}` : null
  }
}
