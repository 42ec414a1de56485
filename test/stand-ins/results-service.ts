import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { BlobStore, blobPath } from './blob-store.ts'
import { FaultRules } from './fault-rules.ts'
import { type Artifact, Artifacts } from './results-artifacts.ts'
import { type CacheEntry, Caches } from './results-caches.ts'
import { type ResultsAnswer, type ResultsMethod, twirpError } from './results-calls.ts'
import { type JobChoice, type ResultsJob, resultsJob, runtimeToken } from './results-job.ts'

/** What a client asked for: a method of the service by its name, or a blob's bytes. */
export type ResultsOperation =
  | 'CreateCacheEntry'
  | 'FinalizeCacheEntryUpload'
  | 'GetCacheEntryDownloadURL'
  | 'CreateArtifact'
  | 'FinalizeArtifact'
  | 'ListArtifacts'
  | 'GetSignedArtifactURL'
  | 'DeleteArtifact'
  | 'upload'
  | 'download'

/** What goes wrong with an operation, each time or as often as `times` says. */
export type ResultsFault = { readonly on: ResultsOperation; readonly times?: number } & (
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  /** The connection is reset before anything was carried out. */
  | { readonly kind: 'reset' }
  /** A download's bytes are all there, but not the right ones. */
  | { readonly kind: 'corrupt' }
)

/** What the service says when it has trouble itself; the clients ask again. */
export function unavailable(on: ResultsOperation, times?: number): ResultsFault {
  const body = { code: 'internal', msg: 'internal error' }
  return { on, kind: 'answer', status: 500, body, ...(times && { times }) }
}

/** What it says when the storage for artifacts is used up. */
export const quotaExceeded: ResultsFault = {
  on: 'CreateArtifact',
  kind: 'answer',
  status: 403,
  body: { code: 'permission_denied', msg: 'insufficient usage to create artifact' }
}

/** What it says to whoever may not save, as a refused request; a token without that right is refused in another way. */
export const cacheWriteDenied: ResultsFault = {
  on: 'CreateCacheEntry',
  kind: 'answer',
  status: 403,
  body: { code: 'permission_denied', msg: 'cache write denied: the token of this run is read-only' }
}

export type ResultsRequest = {
  readonly operation: string
  readonly job: ResultsJob | undefined
  readonly status: number
}

/**
 * Starts a stand-in for the service behind `@actions/cache` 6 (v2) and `@actions/artifact` 6 (v4) on a free port of
 * loopback, with the blob storage that both use. What it is told is in `results-caches.ts`, `results-artifacts.ts` and
 * `blob-store.ts`, each with how it differs from the real one. Here: it knows a job by a token that it gave out itself,
 * and there is no rate limit.
 */
export async function startResultsService(): Promise<ResultsService> {
  const service = new ResultsService()
  await service.listen()
  return service
}

export class ResultsService {
  readonly requests: ResultsRequest[] = []
  readonly #jobs = new Map<string, ResultsJob>()
  readonly #blobs = new BlobStore()
  readonly #caches = new Caches()
  readonly #artifacts = new Artifacts()
  readonly #faults = new FaultRules<ResultsFault>()
  #lastId = 1000
  readonly #methods: Readonly<Record<string, ResultsMethod>> = { ...this.#caches.methods, ...this.#artifacts.methods }
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch((failure: unknown) => response.destroy(failure as Error))
  })

  /** May be changed at any time; the first that fits is what happens. */
  get faults(): ResultsFault[] {
    return this.#faults.list
  }

  /** With a slash at its end, as the runner gives it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** The variables of a job on the main branch that may do everything. */
  get environment(): Record<string, string> {
    return this.environmentOf({})
  }

  /** The variables of a job: of the same `run` for what one run shares. */
  environmentOf(choice: JobChoice): Record<string, string> {
    const job = resultsJob(choice)
    const token = runtimeToken(job)
    this.#jobs.set(token, job)
    return { ACTIONS_RESULTS_URL: this.url, ACTIONS_RUNTIME_TOKEN: token, ACTIONS_CACHE_SERVICE_V2: 'true' }
  }

  /** Tokens and signatures that were given out. */
  get secrets(): string[] {
    return [...this.#jobs.keys(), ...this.#blobs.signatures]
  }

  /** Also those that are being uploaded: they have no `id`. */
  get caches(): readonly CacheEntry[] {
    return this.#caches.entries
  }

  get artifacts(): readonly Artifact[] {
    return this.#artifacts.all
  }

  /** The archive that was uploaded. */
  bytesOf({ blob }: CacheEntry | Artifact): Buffer {
    return this.#blobs.get(blob)?.bytes ?? Buffer.alloc(0)
  }

  /** A URL at which whoever has it can read the bytes. */
  signedUrlOf({ blob }: CacheEntry | Artifact, fileName?: string): string {
    return this.#urlOf(this.#blobs.downloadPath(blob, fileName))
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const { method = '', headers, socket } = request
    const url = new URL(request.url ?? '/', this.url)
    const operation = operationOf(method, url)
    const job = this.#jobs.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
    response.once('finish', () => this.requests.push({ operation, job, status: response.statusCode }))
    const fault = this.#faults.take(({ on }) => on === operation)
    if (fault?.kind === 'reset') socket.resetAndDestroy()
    else if (fault?.kind === 'answer') sendJson(response, fault)
    else if (url.pathname.startsWith(blobPath)) {
      const answer = this.#blobs.answer({ method, url, headers, body })
      const bytes = fault?.kind === 'corrupt' ? answer.body.map((byte) => byte ^ 0xff) : answer.body
      response.writeHead(answer.status, answer.headers).end(bytes)
    } else sendJson(response, this.#call(operation, job, request, body))
  }

  #call(operation: string, job: ResultsJob | undefined, request: IncomingMessage, body: Buffer): ResultsAnswer {
    const method = this.#methods[operation]
    if (method === undefined || request.method !== 'POST') return twirpError(404, 'bad_route', `no ${request.url}`)
    if (job === undefined) return twirpError(401, 'unauthenticated', 'the token is not of this service')
    const fields = JSON.parse(body.toString()) as Record<string, unknown>
    return method({
      job,
      fields,
      blobs: this.#blobs,
      urlOf: (path) => this.#urlOf(path),
      newId: () => ++this.#lastId
    })
  }

  #urlOf(path: string): string {
    return new URL(path, this.url).href
  }
}

const services: Readonly<Record<string, RegExp>> = {
  'github.actions.results.api.v1.CacheService': /Cache/,
  'github.actions.results.api.v1.ArtifactService': /Artifact/
}

function operationOf(method: string, { pathname }: URL): string {
  if (pathname.startsWith(blobPath)) return method === 'PUT' ? 'upload' : 'download'
  const [, root, service = '', name = ''] = pathname.split('/')
  return root === 'twirp' && services[service]?.test(name) ? name : pathname
}

function sendJson(response: ServerResponse, { status, body }: ResultsAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
