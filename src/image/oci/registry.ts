import { type Patience, withRetries } from '../../retry.ts'
import { exchange, followRedirects, type Network } from '../../spacetimedb/network.ts'
import { keepSecrets } from '../../spacetimedb/secrets.ts'
import { isLoopback } from '../../spacetimedb/server-url.ts'
import type { Exchange, Request, Stream } from '../../spacetimedb/transport.ts'
import { authorizationFor, type Credential, type Scope } from './authorization.ts'
import { type Asked, type Attempted, type Failed, failedBy, type Outcome, RegistryFailure } from './failures.ts'

/** A registry that speaks OCI's distribution API (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md). */
export type Registry = {
  /** As references name it. */
  readonly host: string
  /** Sends a request, and again with what the registry asks for when it asks who it is. Repeats nothing else. */
  send(request: RegistryRequest): Promise<Outcome & { readonly result: Exchange }>
  /** Like `send`, for a GET: hands the body of a 200 over as it arrives. The signal ends it. */
  open(request: RegistryRequest, signal: AbortSignal): Promise<Outcome>
  /** Tries until it is done, or can't be. Throws the error of the last try. */
  persist<Value>(attempt: () => Promise<Attempted<Value>>): Promise<Value>
  failed(outcome: Outcome, job: Job): Failed
  readonly network: Network
  readonly idle: number
}

/** What requests are made for. */
export type Job = {
  readonly action: 'push' | 'fetch'
  readonly repository: string
  /** As a message calls it: `ghcr.io/owner/name:tag`. */
  readonly name: string
}

export type RegistryRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  readonly job: Job
  /** Below the repository, such as `blobs/uploads/`, or a whole address that the registry gave. */
  readonly at: { readonly path: string } | { readonly url: string }
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export type RegistryOptions = {
  /** Of a `Reference`. */
  readonly host: string
  /** Without it only what is public can be fetched. */
  readonly credential: Credential | undefined
  readonly network: Network
  /** Told each secret before it is used: the password, what it becomes in a header, tokens. */
  readonly onSecret: (secret: string) => void
  /** Milliseconds without a byte after which a transfer counts as broken; 30 s when left out. */
  readonly idle?: number
}

/** Registries are behind storage that is busy at times, and limit requests: 5 tries within 2 minutes. */
export const registryPatience: Patience = { attempts: 5, firstDelay: 500, longestDelay: 8000, total: 120_000 }

/**
 * A registry, about which nothing is asked yet. The credential goes to it, and to where it sends for tokens; not to where
 * it stores blobs.
 */
export function openRegistry(options: RegistryOptions): Registry {
  const { host, credential, network, onSecret, idle = 30_000 } = options
  const base = baseOf(host)
  const secrets = keepSecrets(onSecret)
  const authorization = authorizationFor({ base, credential, network, secrets })
  const asked = ({ action, name }: Job): Asked => {
    return { action, name, hasCredential: credential !== undefined, redact: secrets.redact }
  }
  const whoAnswers = (url: string) => (new URL(url).origin === base.origin ? 'registry' : 'storage')

  const ask = async <Result extends Exchange | Stream>(request: RegistryRequest, over: Over<Result>) => {
    const scope = scopeOf(request.job)
    const once = async () => {
      let last = addressOf(base, request)
      const result = await redirected(request.method, last, (url) => {
        last = url
        const header = whoAnswers(url) === 'registry' ? authorization.header(scope) : undefined
        return over(wireRequest(request, url, header))
      })
      return { url: last, from: whoAnswers(last), result } as const
    }
    const first = await once()
    if (first.from !== 'registry' || !('answer' in first.result) || first.result.answer.status !== 401) return first
    const met = await authorization.meet(first.result.answer, scope)
    if (met.kind === 'no-token') return { url: met.url, from: 'token realm', result: met.result } as const
    return met.kind === 'answered' ? await once() : first
  }

  return {
    host,
    network,
    idle,
    send: (request) => ask(request, (wire) => exchange(network, wire)),
    open: (request, signal) => ask<Exchange | Stream>(request, (wire) => network.transport.stream(wire, signal)),
    failed: (outcome, job) => failedBy(outcome, asked(job), network.clock.now()),
    persist: async (attempt) => {
      const judge = (tried: Attempted<unknown>) =>
        tried.kind === 'failed' && !network.signal?.aborted ? tried.retry : undefined
      const onRetry = ({ reason }: { reason: string }) => network.onRetry(`${reason}; trying again.`)
      const tried = await withRetries(attempt, judge, { ...network, onRetry })
      if (tried.kind === 'done') return tried.value
      throw network.signal?.aborted
        ? new RegistryFailure(`The job was cancelled while ${host} was spoken to.`)
        : tried.error
    }
  }
}

type Over<Result> = (request: Request) => Promise<Result>

/** By https, but on this machine. Docker Hub's API is at another host than its name (https://github.com/moby/moby/blob/v28.0.0/registry/config.go). */
function baseOf(host: string): URL {
  const address = host === 'docker.io' ? 'registry-1.docker.io' : host
  const url = new URL(`https://${address}`)
  return isLoopback(url) ? new URL(`http://${address}`) : url
}

function scopeOf({ action, repository }: Job): Scope {
  return { repository, access: action === 'push' ? 'pull,push' : 'pull' }
}

function addressOf(base: URL, { at, job }: RegistryRequest): string {
  return 'url' in at ? at.url : `${base.origin}/v2/${job.repository}/${at.path}`
}

/** What is written is sent to no other place than the registry said at first. */
function redirected<Result extends Exchange | Stream>(
  method: RegistryRequest['method'],
  url: string,
  send: (url: string) => Promise<Result>
) {
  return method === 'GET' || method === 'HEAD' ? followRedirects(url, send) : send(url)
}

function wireRequest({ method, headers, body }: RegistryRequest, url: string, authorization?: string): Request {
  return {
    method,
    url,
    headers: { ...headers, ...(authorization && { authorization }) },
    ...(body && { body }),
    timeout: 60_000 + millisecondsFor(body?.byteLength ?? 0),
    longestAnswer: 1 << 20,
    mayShareConnection: false
  }
}

/** At 100 kB/s, slower than any runner's connection. */
function millisecondsFor(bytes: number): number {
  return Math.ceil(bytes / 100)
}
