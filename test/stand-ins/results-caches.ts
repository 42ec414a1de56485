import {
  field,
  ok,
  type ResultsAnswer,
  type ResultsCall,
  type ResultsMethod,
  text,
  twirpError
} from './results-calls.ts'
import type { CacheScope, ResultsJob } from './results-job.ts'

/** A cache that is there whole, or is being uploaded. */
export type CacheEntry = {
  readonly key: string
  /** A hash of its paths and how it is packed: entries of another one are not found. */
  readonly version: string
  /** The ref that saved it. */
  readonly scope: string
  readonly blob: string
  /** Set when it is there whole. Larger is newer. */
  id?: number
  size?: number
}

/**
 * Caches (v2), as `@actions/cache` 6 asks for them. What is saved belongs to a ref and is found by jobs whose token
 * opens that ref: an exact key first, then the newest that begins with the key or a restore key, ref by ref
 * (https://docs.github.com/actions/reference/workflows-and-actions/dependency-caching#cache-key-matching). Nothing is
 * ever evicted, unlike at GitHub.
 */
export class Caches {
  readonly entries: CacheEntry[] = []

  readonly methods: Readonly<Record<string, ResultsMethod>> = {
    CreateCacheEntry: (call) => this.#create(call),
    FinalizeCacheEntryUpload: (call) => this.#finalize(call),
    GetCacheEntryDownloadURL: (call) => this.#find(call)
  }

  #create(call: ResultsCall): ResultsAnswer {
    const key = text(call, 'key')
    const version = text(call, 'version')
    if (key === '' || version === '') return twirpError(400, 'invalid_argument', 'key and version are required')
    const scope = writable(call.job)
    if (scope === undefined) {
      return ok({ ok: false, signed_upload_url: '', message: 'cache write denied: the token of this run is read-only' })
    }
    if (this.#entry(key, version, scope)) {
      return twirpError(409, 'already_exists', 'cache entry with the same key, version, and scope already exists')
    }
    const entry: CacheEntry = { key, version, scope, blob: `cache-${call.newId()}` }
    this.entries.push(entry)
    return ok({ ok: true, signed_upload_url: call.urlOf(call.blobs.uploadPath(entry.blob)), message: '' })
  }

  #finalize(call: ResultsCall): ResultsAnswer {
    const entry = this.#entry(text(call, 'key'), text(call, 'version'), writable(call.job))
    const blob = entry && call.blobs.get(entry.blob)
    if (entry === undefined || blob === undefined) return twirpError(404, 'not_found', 'cache entry not found')
    if (Number(field(call, 'size_bytes')) !== blob.bytes.length) {
      return ok({ ok: false, entry_id: '0', message: 'the size differs from what was uploaded' })
    }
    entry.id = call.newId()
    entry.size = blob.bytes.length
    return ok({ ok: true, entry_id: String(entry.id), message: '' })
  }

  #find(call: ResultsCall): ResultsAnswer {
    const scopes = call.job.cacheScopes.filter(({ allows }) => allows !== 'write')
    if (scopes.length === 0) {
      return twirpError(403, 'permission_denied', 'cache read denied: the token of this run has no readable scope')
    }
    const keys = [text(call, 'key'), ...((field(call, 'restore_keys') ?? []) as string[])]
    const found = scopes.map((scope) => this.#match(keys, text(call, 'version'), scope)).find(Boolean)
    if (found === undefined) return ok({ ok: false, signed_download_url: '', matched_key: '' })
    const url = call.urlOf(call.blobs.downloadPath(found.blob))
    return ok({ ok: true, signed_download_url: url, matched_key: found.key })
  }

  #match(keys: readonly string[], version: string, { ref }: CacheScope): CacheEntry | undefined {
    const newestFirst = this.entries
      .filter((entry) => entry.id !== undefined && entry.version === version && entry.scope === ref)
      .sort((one, other) => (other.id ?? 0) - (one.id ?? 0))
    const exact = newestFirst.find(({ key }) => key === keys[0])
    const byPrefix = keys.map((prefix) => newestFirst.find(({ key }) => key.startsWith(prefix)))
    return exact ?? byPrefix.find(Boolean)
  }

  #entry(key: string, version: string, scope: string | undefined): CacheEntry | undefined {
    return this.entries.find((entry) => entry.key === key && entry.version === version && entry.scope === scope)
  }
}

function writable({ cacheScopes }: ResultsJob): string | undefined {
  return cacheScopes.find(({ allows }) => allows !== 'read')?.ref
}
