import { ConfigurationError } from '../../errors.ts'
import { hostOf } from '../../spacetimedb/network.ts'
import type { Answer } from '../../spacetimedb/transport.ts'
import { type Attempted, failureOf, type Outcome, saidIn } from './failures.ts'
import type { Digest } from './reference.ts'
import type { Job, Registry } from './registry.ts'

/** Bytes and what names them. */
export type Blob = { readonly bytes: Uint8Array; readonly digest: Digest }

/**
 * Sees to it that a registry has a blob: uploads it in one piece unless it is there
 * (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put). What failed on the way is
 * begun anew, since blobs are named by what they are.
 */
export function ensureBlob(registry: Registry, job: Job, blob: Blob): Promise<void> {
  return registry.persist(() => attemptBlob(registry, job, blob))
}

async function attemptBlob(registry: Registry, job: Job, { bytes, digest }: Blob): Promise<Attempted<void>> {
  const found = await registry.send({ method: 'HEAD', job, at: { path: `blobs/${digest}` } })
  if (statusOf(found) === 200) return done
  // Storage that a registry redirects to may allow a GET alone; then it is uploaded once more.
  const isAbsent = statusOf(found) === 404 || (found.from === 'storage' && found.result.kind === 'answered')
  if (!isAbsent) return registry.failed(found, job)
  const begun = await registry.send({ method: 'POST', job, at: { path: 'blobs/uploads/' }, body: new Uint8Array() })
  if (begun.result.kind !== 'answered' || begun.result.answer.status !== 202) return registry.failed(begun, job)
  const place = uploadPlace(begun.result.answer, begun.url, digest)
  if (place.kind === 'refused') {
    return { kind: 'failed', error: failureOf(job, place.reason) }
  }
  const headers = { 'content-type': 'application/octet-stream' }
  const put = await registry.send({ method: 'PUT', job, at: { url: place.url }, headers, body: bytes })
  return isSuccess(put) ? done : registry.failed(put, job)
}

type Place = { readonly kind: 'place'; readonly url: string } | { readonly kind: 'refused'; readonly reason: string }

/** Its query is a state of the registry's own, and perhaps signed: it is kept as it is. */
function uploadPlace({ headers: { location } }: Answer, from: string, digest: Digest): Place {
  const host = hostOf(from)
  if (location === undefined || !URL.canParse(location, from)) {
    return { kind: 'refused', reason: `${host} does not say where to upload.` }
  }
  const url = new URL(location, from)
  url.hash = ''
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && from.startsWith('http:'))) {
    return {
      kind: 'refused',
      reason:
        `${host} sends the upload to ${url.protocol}//${url.host}, without encryption. If that is the same registry behind a proxy, ` +
        'the proxy has to pass the header X-Forwarded-Proto on to it.'
    }
  }
  const separator = url.search === '' ? '?' : '&'
  return { kind: 'place', url: `${url.href.replace(/\?$/, '')}${separator}digest=${encodeURIComponent(digest)}` }
}

export type ManifestUpload = {
  /** A tag, or the manifest's digest. */
  readonly as: string
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * Stores a manifest under a tag or its digest. Throws a `ConfigurationError` when the registry does not let the tag be
 * moved.
 */
export function putManifest(registry: Registry, job: Job, { as, mediaType, bytes }: ManifestUpload): Promise<void> {
  return registry.persist(async () => {
    const headers = { 'content-type': mediaType }
    const put = await registry.send({ method: 'PUT', job, at: { path: `manifests/${as}` }, headers, body: bytes })
    if (isSuccess(put)) return done
    return isImmutable(put) ? { kind: 'failed', error: immutable(job, as, put) } : registry.failed(put, job)
  })
}

/**
 * Registries have no common answer to it: Amazon ECR says 400 TAG_INVALID "… already exists … and cannot be overwritten
 * because the repository is immutable" (https://github.com/moby/buildkit/issues/3776), Harbor 412 "… configured as
 * immutable", others 409, 405 or 403. A bare 409 is what a tag is about that can't be moved.
 */
function isImmutable({ result }: Outcome): boolean {
  if (!('answer' in result)) return false
  const { status, body } = result.answer
  if (![400, 403, 405, 409, 412].includes(status)) return false
  return status === 409 || /immutab|cannot be overwritten|already exists/i.test(saidIn(body) ?? '')
}

function immutable(job: Job, tag: string, { url }: Outcome): ConfigurationError {
  return new ConfigurationError(
    `${hostOf(url)} does not let the tag "${tag}" of ${job.name} be moved to other content: tags are immutable there. Use a tag that is ` +
      'new for each version, or leave the tag out and use the digest.'
  )
}

const done = { kind: 'done', value: undefined } as const

function statusOf({ result }: Outcome): number | undefined {
  return 'answer' in result ? result.answer.status : undefined
}

function isSuccess(outcome: Outcome): boolean {
  const status = statusOf(outcome) ?? 0
  return status >= 200 && status <= 299
}
