import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** A blob that is there whole. */
export type Blob = {
  readonly bytes: Buffer
  readonly contentType: string
}

export type BlobRequest = {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export type BlobAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: Buffer
}

/** What a signed URL allows, until the store is gone. */
type Grant = { readonly id: string; readonly allows: 'read' | 'write'; readonly fileName?: string }

/**
 * A stand-in for the part of Azure's blob storage that `@actions/cache` and `@actions/artifact` use: block blobs put
 * whole or in blocks, and read whole, by signed URLs
 * (https://learn.microsoft.com/rest/api/storageservices/put-block-list). It differs from the real one: everything is in
 * memory, a signature never expires, checksums that the client sends are not looked at, and ranges are not served: the
 * clients ask for them only at Azure's own host names.
 */
export class BlobStore {
  readonly #blobs = new Map<string, Blob>()
  readonly #blocks = new Map<string, Buffer>()
  readonly #grants = new Map<string, Grant>()

  get(id: string): Blob | undefined {
    return this.#blobs.get(id)
  }

  /** The signatures that were given out: whoever has one can read or write its blob. */
  get signatures(): string[] {
    return [...this.#grants.keys()]
  }

  /** A path with its query, by which a blob can be written. */
  uploadPath(id: string): string {
    return this.#sign({ id, allows: 'write' })
  }

  /** A path with its query, by which a blob can be read. `fileName`: what a browser would call the file. */
  downloadPath(id: string, fileName?: string): string {
    return this.#sign({ id, allows: 'read', ...(fileName && { fileName }) })
  }

  answer(request: BlobRequest): BlobAnswer {
    const { method, url } = request
    const grant = this.#grants.get(url.searchParams.get('sig') ?? '')
    const isWrite = method === 'PUT'
    if (grant === undefined || `${blobPath}${grant.id}` !== url.pathname || isWrite !== (grant.allows === 'write')) {
      return refusal(403, 'AuthenticationFailed')
    }
    if (isWrite) return this.#put(grant.id, request)
    if (method !== 'GET') return refusal(405, 'UnsupportedHttpVerb')
    const blob = this.#blobs.get(grant.id)
    return blob === undefined ? refusal(404, 'BlobNotFound') : content(blob, grant.fileName)
  }

  #sign(grant: Grant): string {
    const signature = `${randomUUID()}${randomUUID()}`
    this.#grants.set(signature, grant)
    return `${blobPath}${grant.id}?sig=${signature}&sp=${grant.allows === 'read' ? 'r' : 'cw'}`
  }

  #put(id: string, { headers, url, body }: BlobRequest): BlobAnswer {
    const contentType = headers['x-ms-blob-content-type']?.toString() ?? 'application/octet-stream'
    const part = url.searchParams.get('comp')
    if (part === 'block') {
      this.#blocks.set(blockKey(id, url.searchParams.get('blockid') ?? ''), body)
      return created()
    }
    if (part === 'blocklist') return this.#commit(id, body.toString(), contentType)
    if (part !== null) return refusal(400, 'InvalidQueryParameterValue')
    if (headers['x-ms-blob-type'] !== 'BlockBlob') return refusal(400, 'MissingRequiredHeader')
    this.#blobs.set(id, { bytes: body, contentType })
    return created()
  }

  #commit(id: string, list: string, contentType: string): BlobAnswer {
    const keys = [...list.matchAll(/<(?:Latest|Uncommitted)>([^<]+)</g)].map(([, block = '']) => blockKey(id, block))
    const blocks = keys.flatMap((key) => this.#blocks.get(key) ?? [])
    if (blocks.length < keys.length) return refusal(400, 'InvalidBlockList')
    this.#blobs.set(id, { bytes: Buffer.concat(blocks), contentType })
    for (const key of keys) this.#blocks.delete(key)
    return created()
  }
}

/** Where blobs are found on the server. */
export const blobPath = '/account/blobs/'

function blockKey(id: string, block: string): string {
  return `${id}/${block}`
}

function content({ bytes, contentType }: Blob, fileName?: string): BlobAnswer {
  const disposition = fileName && { 'content-disposition': `attachment; filename="${fileName}"` }
  return answer(200, bytes, { 'content-type': contentType, ...disposition })
}

function created(): BlobAnswer {
  return answer(201, Buffer.alloc(0), {})
}

function refusal(status: number, code: string): BlobAnswer {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  return answer(status, Buffer.from(body), { 'x-ms-error-code': code, 'content-type': 'application/xml' })
}

function answer(status: number, body: Buffer, headers: Readonly<Record<string, string>>): BlobAnswer {
  const common = {
    'x-ms-request-id': randomUUID(),
    'x-ms-version': '2025-01-05',
    etag: '"0x8DC0000000000000"',
    'last-modified': new Date().toUTCString(),
    'content-length': body.length
  }
  return { status, headers: { ...common, ...headers }, body }
}
