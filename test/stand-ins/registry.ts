import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { HostAnswer } from './http-answer.ts'
import { digestOf, RegistryContents, type RegistryOptions, type RegistryRequest } from './registry-contents.ts'

export { digestOf, type RegistryOptions, registryUser } from './registry-contents.ts'

/** What goes wrong with a request. */
export type RegistryFault =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** The right length, and one byte another. */
  | { readonly kind: 'corrupt' }
  /** The stated length, and half of the bytes. */
  | { readonly kind: 'cut' }
  /** The same, and the connection stays open. */
  | { readonly kind: 'stall' }
  /** No length, and twice the bytes. */
  | { readonly kind: 'too-long' }
  /** `Docker-Content-Digest` names something else. */
  | { readonly kind: 'wrong-digest' }
  | { readonly kind: 'broken-connection' }

export type FaultRule = {
  /** Matches `METHOD path?query`; paths are `/v2/…`, `/token` and `/storage/…`. */
  readonly where: RegExp
  readonly fault: RegistryFault
  /** How often; each time without it. */
  readonly times?: number
}

export type SeenRequest = { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders }

export type RegistryStandIn = {
  /** With its port, as references name it. */
  readonly host: string
  readonly contents: RegistryContents
  /** What each of its servers was asked for. */
  readonly seen: Readonly<Record<ServerName, SeenRequest[]>>
  readonly faults: FaultRule[]
  close(): Promise<void>
}

type ServerName = 'registry' | 'tokens' | 'storage'

/**
 * A stand-in for a registry with the distribution API 1.1
 * (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md), in memory, on three ports of 127.0.0.1: its
 * API, what gives tokens, and what stores blobs. It checks digests, that blobs are there which a manifest names, states
 * of uploads, and what a token is for. It differs from real ones: blobs are uploaded whole and are of all repositories,
 * and everybody with a token may pull.
 */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryStandIn> {
  const contents = new RegistryContents(options)
  const seen = { registry: [], tokens: [], storage: [] } as Record<ServerName, SeenRequest[]>
  const faults = new Faults()
  const start = (name: ServerName, answer: (request: RegistryRequest) => HostAnswer) =>
    listen((request, headers, path, response) => {
      seen[name].push({ method: request.method, path, headers })
      const fault = faults.of(`${request.method} ${path}`)
      if (fault?.kind === 'broken-connection') response.destroy()
      else deliver(request.method, response, fault?.kind === 'answer' ? answerOf(fault) : answer(request), fault)
    })
  const registry = await start('registry', (request) => contents.registry(request))
  const tokens = await start('tokens', (request) => contents.realm(request))
  const storage = await start('storage', (request) => contents.storage(request))
  contents.addresses = { registry: registry.url, tokens: tokens.url, storage: storage.url }
  return {
    host: registry.url.slice('http://'.length),
    contents,
    seen,
    faults: faults.rules,
    close: async () => void (await Promise.all([registry, tokens, storage].map(({ close }) => close())))
  }
}

type Listener = (request: RegistryRequest, headers: IncomingHttpHeaders, path: string, response: ServerResponse) => void

async function listen(listener: Listener) {
  const server = createServer(async (incoming, response) => {
    const { method = '', url: path = '', headers } = incoming
    const { authorization, 'content-type': contentType } = headers
    const url = new URL(path, 'http://127.0.0.1')
    listener({ method, url, authorization, contentType, body: await buffer(incoming) }, headers, path, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

class Faults {
  readonly rules: FaultRule[] = []
  readonly #used = new Map<FaultRule, number>()

  of(request: string): RegistryFault | undefined {
    const used = (rule: FaultRule) => this.#used.get(rule) ?? 0
    const rule = this.rules.find((each) => each.where.test(request) && used(each) < (each.times ?? Infinity))
    if (rule !== undefined) this.#used.set(rule, used(rule) + 1)
    return rule?.fault
  }
}

function answerOf({ status, headers = {}, body = '' }: Extract<RegistryFault, { kind: 'answer' }>): HostAnswer {
  return { status, headers, body: Buffer.from(body) }
}

function deliver(method: string, response: ServerResponse, answer: HostAnswer, fault: RegistryFault | undefined): void {
  const { status, body } = answer
  const headers = { ...answer.headers, ...(fault?.kind === 'wrong-digest' && { 'docker-content-digest': another }) }
  const content = fault?.kind === 'corrupt' ? corrupted(body) : body
  if (method === 'HEAD') response.writeHead(status, { ...headers, 'content-length': body.length }).end()
  else if (fault?.kind === 'too-long') response.writeHead(status, headers).end(Buffer.concat([body, body]))
  else response.writeHead(status, { ...headers, 'content-length': body.length })
  if (response.writableEnded) return
  const half = body.subarray(0, body.length >> 1)
  if (fault?.kind === 'stall') response.write(half)
  else if (fault?.kind === 'cut') response.write(half, () => setTimeout(() => response.destroy(), 50))
  else response.end(content)
}

const another = digestOf(Buffer.from('another'))

function corrupted(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
  return copy
}
