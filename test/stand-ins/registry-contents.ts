import { createHash, randomUUID } from 'node:crypto'
import { type HostAnswer, jsonAnswer, redirect } from './http-answer.ts'

/** How a registry differs from another. */
export type RegistryOptions = {
  /** How it wants to be asked: not at all, by Basic as Amazon ECR, or by a token from a server of its own. */
  readonly login?: 'none' | 'basic' | 'bearer'
  /** Whether blobs are given out by another host, by redirects. */
  readonly redirects?: boolean
  /** Where uploads go on: an absolute address with a state in its query, or a path. */
  readonly location?: 'absolute' | 'relative'
  /** Whom it knows, for pulling and pushing: `registryUser` without. */
  readonly isUser?: (username: string, password: string) => boolean
  /** The answer to a tag that is put anew with other content. */
  readonly immutable?: { readonly status: number; readonly code: string; readonly message: string }
}

export type RegistryRequest = {
  readonly method: string
  readonly url: URL
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: Buffer
}

export type StoredManifest = { readonly bytes: Buffer; readonly mediaType: string }

export const registryUser = { username: 'octocat', password: 'secret-of-octocat' }

/** What a registry stores and what it answers; `addresses` are those of its servers. */
export class RegistryContents {
  readonly #options: RegistryOptions
  readonly #uploads = new Set<string>()
  /** By `repository@digest` and `repository:tag`. */
  readonly manifests = new Map<string, StoredManifest>()
  readonly blobs = new Map<string, Buffer>()
  /** The scopes of tokens that were given out; one that is deleted has expired. */
  readonly tokens = new Map<string, string>()
  addresses = { registry: '', tokens: '', storage: '' }

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  registry(request: RegistryRequest): HostAnswer {
    const { method, url } = request
    const [, repository = '', kind, name = ''] = /^\/v2\/(.+?)\/(manifests|blobs)\/(.*)$/.exec(url.pathname) ?? []
    if (kind === undefined) return refusal(404, 'UNSUPPORTED', 'no such endpoint')
    const isRead = method === 'GET' || method === 'HEAD'
    const denied = this.#denied(request, repository, isRead ? 'pull' : 'push')
    if (denied !== undefined) return denied
    if (kind === 'manifests') {
      return isRead ? this.#manifest(repository, name) : this.#putManifest(request, repository, name)
    }
    if (isRead) return this.#blob(name)
    return name === 'uploads/' ? this.#beginUpload(repository) : this.#putBlob(request, name.replace('uploads/', ''))
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  realm({ url, authorization }: RegistryRequest): HostAnswer {
    if (authorization !== undefined && !this.#isUser(authorization)) {
      return refusal(401, 'UNAUTHORIZED', 'authentication required')
    }
    const scope = url.searchParams.getAll('scope').join(' ')
    const token = `token-${randomUUID()}`
    this.tokens.set(token, authorization === undefined ? scope.replace(/,push\b/g, '') : scope)
    return jsonAnswer(200, { token, expires_in: 300 })
  }

  storage({ url }: RegistryRequest): HostAnswer {
    if (url.searchParams.get('signature') !== 'right') return refusal(403, 'DENIED', 'the signature is wrong')
    const body = this.blobs.get(url.pathname.slice('/storage/'.length))
    return body === undefined ? refusal(404, 'BLOB_UNKNOWN', 'no such blob') : { status: 200, headers: {}, body }
  }

  #denied({ authorization = '' }: RegistryRequest, repository: string, what: 'pull' | 'push'): HostAnswer | undefined {
    const { login = 'none' } = this.#options
    if (login === 'none') return undefined
    if (login === 'basic') return this.#isUser(authorization) ? undefined : challenge('Basic realm="registry"')
    const scopes = this.tokens.get(authorization.replace('Bearer ', ''))?.split(' ') ?? []
    if (scopes.some((scope) => covers(scope, repository, what))) return undefined
    return challenge(
      `Bearer realm="${this.addresses.tokens}/token",service="stand-in",scope="repository:${repository}:pull"`
    )
  }

  #isUser(authorization: string): boolean {
    const { isUser } = this.#options
    if (isUser === undefined) return authorization === basicOf(registryUser)
    const sent = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
    return isUser(sent.slice(0, sent.indexOf(':')), sent.slice(sent.indexOf(':') + 1))
  }

  #blob(name: string): HostAnswer {
    const body = this.blobs.get(name)
    if (body === undefined) return refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
    if (this.#options.redirects) return redirect(`${this.addresses.storage}/storage/${name}?signature=right`)
    return { status: 200, headers: { 'docker-content-digest': name }, body }
  }

  #beginUpload(repository: string): HostAnswer {
    const id = randomUUID()
    this.#uploads.add(id)
    const path = `/v2/${repository}/blobs/uploads/${id}`
    const absolute = `${this.addresses.registry}${path}?${stateOf(id)}`
    return created(202, { location: this.#options.location === 'relative' ? path : absolute })
  }

  #putBlob({ url, body }: RegistryRequest, id: string): HostAnswer {
    const state = this.#options.location === 'relative' ? '' : `${stateOf(id)}&`
    if (!this.#uploads.delete(id) || !url.search.startsWith(`?${state}digest=`)) {
      return refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'no such upload')
    }
    const digest = digestOf(body)
    if (url.searchParams.get('digest') !== digest) return refusal(400, 'DIGEST_INVALID', 'another digest than stated')
    this.blobs.set(digest, body)
    return created(201, { 'docker-content-digest': digest })
  }

  #manifest(repository: string, name: string): HostAnswer {
    const found = this.manifests.get(keyOf(repository, name))
    if (found === undefined) return refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    const headers = { 'content-type': found.mediaType, 'docker-content-digest': digestOf(found.bytes) }
    return { status: 200, headers, body: found.bytes }
  }

  #putManifest({ body, contentType = '' }: RegistryRequest, repository: string, name: string): HostAnswer {
    const digest = digestOf(body)
    if (name.startsWith('sha256:') && name !== digest) return refusal(400, 'DIGEST_INVALID', 'another digest')
    const { config, layers } = JSON.parse(body.toString()) as { config: Named; layers: Named[] }
    if (![config, ...layers].every((blob) => this.blobs.has(blob.digest))) {
      return refusal(404, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry')
    }
    const { immutable } = this.#options
    const known = this.manifests.get(keyOf(repository, name))
    if (immutable !== undefined && known !== undefined && digestOf(known.bytes) !== digest) {
      return refusal(immutable.status, immutable.code, immutable.message)
    }
    for (const each of [digest, name]) {
      this.manifests.set(keyOf(repository, each), { bytes: body, mediaType: contentType })
    }
    return created(201, { 'docker-content-digest': digest })
  }
}

type Named = { readonly digest: string }

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function keyOf(repository: string, name: string): string {
  return `${repository}${name.startsWith('sha256:') ? '@' : ':'}${name}`
}

/** With what another encoding would change. */
function stateOf(id: string): string {
  return `_state=a%2Bb~%20${id}`
}

function basicOf({ username, password }: typeof registryUser): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function covers(scope: string, repository: string, what: string): boolean {
  const [, name, actions = ''] = /^repository:(.+):([a-z,]+)$/.exec(scope) ?? []
  return name === repository && actions.split(',').includes(what)
}

function challenge(header: string): HostAnswer {
  return refusal(401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': header })
}

function created(status: number, headers: Record<string, string>): HostAnswer {
  return { status, headers, body: Buffer.alloc(0) }
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
function refusal(status: number, code: string, message: string, headers: Record<string, string> = {}): HostAnswer {
  return jsonAnswer(status, { errors: [{ code, message }] }, headers)
}
