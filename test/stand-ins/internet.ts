import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { certificateAuthority } from '../spacetimedb/certificate.ts'
import { FaultRules } from './fault-rules.ts'
import type { Host, HostAnswer, HostRequest } from './http-answer.ts'
import { type InternetFault, send } from './internet-fault.ts'
import { type ReleaseChoice, releaseHosts } from './releases.ts'

export type InternetOptions = {
  /** Newest first; 2.8.3 alone without. */
  readonly releases?: readonly ReleaseChoice[]
  /** Tokens that GitHub's API knows; more may be added later. */
  readonly tokens?: readonly string[]
  /** Requests to GitHub's API that whoever has no token may make; 60 without. */
  readonly anonymousLimit?: number
  /** What answers for other repositories than SpacetimeDB's at GitHub's API. */
  readonly otherRepositories?: Host
  /** More hosts, or others in place of those that there are. */
  readonly hosts?: Readonly<Record<string, Host>>
}

/** Where something goes wrong: with all requests that fit what is given. */
export type InternetRule = {
  readonly host: string | RegExp
  /** Of the path with its query; nothing of it is known yet when a host is `down`. */
  readonly path?: RegExp
  /** How often; always without. */
  readonly times?: number
  readonly fault: InternetFault
}

/** A request as it was seen. */
export type InternetRequest = {
  readonly host: string
  readonly method: string
  /** With its query; '' for a connection that was not made. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The credentials that the host was sent. */
  readonly authorization: string | undefined
  /** What was answered, if anything was. */
  status: number | undefined
  fault: InternetFault['kind'] | undefined
}

/**
 * Starts a stand-in for the internet, for programs that take a proxy from their environment: an HTTP proxy on loopback
 * that ends TLS itself, with certificates of an authority of its own, and answers for the hosts of `releases.ts` or leads
 * to a server on loopback. It reaches no real host: to any other it refuses the connection.
 */
export async function startInternet(options: InternetOptions = {}): Promise<Internet> {
  const { releases = [{ version: '2.8.3' }], tokens = [], anonymousLimit = 60, otherRepositories, hosts = {} } = options
  const ofReleases = await releaseHosts({ releases, tokens, anonymousLimit, otherRepositories })
  const hostOf = (host: string) => (Object.hasOwn(hosts, host) ? hosts[host] : ofReleases.hostOf(host))
  const internet = new Internet(hostOf, ofReleases.unexpected)
  await internet.listen()
  return internet
}

export class Internet {
  readonly requests: InternetRequest[] = []
  /** Ports of servers on loopback that speak plain HTTP, by the hosts that they are reached as over TLS. */
  readonly servers = new Map<string, number>()
  readonly #hostOf: (host: string) => Host | undefined
  readonly #unexpected: () => readonly string[]
  readonly #authority = certificateAuthority()
  readonly #contexts = new Map<string, SecureContext>()
  readonly #faults = new FaultRules<InternetRule>()
  readonly #sockets = new Set<Duplex>()
  readonly #folder = mkdtempSync(join(tmpdir(), 'internet-'))
  readonly #proxy = createServer((request, response) => this.#refusePlain(request, response))
  readonly #tls = createTlsServer(
    { SNICallback: (host, done) => done(null, this.#contextOf(host)) },
    (request, response) => {
      this.#answer(request, response).catch((failure: unknown) => response.destroy(failure as Error))
    }
  )

  /** `unexpected` tells what should not have been asked. */
  constructor(hostOf: (host: string) => Host | undefined, unexpected: () => readonly string[]) {
    this.#hostOf = hostOf
    this.#unexpected = unexpected
    writeFileSync(this.#authorityFile, this.#authority.cert)
    this.#proxy.on('connect', (request: IncomingMessage, socket: Socket) => this.#connect(request, socket))
  }

  /** The proxy's URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`
  }

  /** May be changed at any time. */
  get faults(): InternetRule[] {
    return this.#faults.list
  }

  /** The variables that lead a program here; those for loopback stay out of it. */
  get environment(): Record<string, string> {
    return {
      HTTPS_PROXY: this.url,
      https_proxy: this.url,
      HTTP_PROXY: this.url,
      http_proxy: this.url,
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
      NODE_EXTRA_CA_CERTS: this.#authorityFile
    }
  }

  /** The authority's certificate, PEM. */
  get authority(): string {
    return this.#authority.cert
  }

  /** What a host was asked. */
  requestsTo(host: string): InternetRequest[] {
    return this.requests.filter((request) => request.host === host)
  }

  async listen(): Promise<void> {
    this.#proxy.listen(0, '127.0.0.1')
    await once(this.#proxy, 'listening')
  }

  /** Throws when GitHub's API was asked what it should not have been. */
  async close(): Promise<void> {
    this.#proxy.close()
    this.#proxy.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#proxy, 'close')
    rmSync(this.#folder, { recursive: true, force: true })
    const unexpected = this.#unexpected()
    if (unexpected.length > 0) throw new Error(`GitHub was asked wrongly:\n${unexpected.join('\n')}`)
  }

  get #authorityFile(): string {
    return join(this.#folder, 'authority.pem')
  }

  #contextOf(host: string): SecureContext {
    const known = this.#contexts.get(host) ?? createSecureContext(this.#authority.issue([host]))
    this.#contexts.set(host, known)
    return known
  }

  #connect({ url = '', headers }: IncomingMessage, socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined)
    const [host = '', port] = url.split(':')
    const rule = this.#ruleFor(host, undefined)
    const server = port === '443' ? this.servers.get(host) : undefined
    if (rule !== undefined) {
      this.#record({ host, method: 'CONNECT', path: '', headers }).fault = rule.fault.kind
      socket.resetAndDestroy()
    } else if (server !== undefined) {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      this.#lead(socket, host, server)
    } else if (port !== '443' || this.#hostOf(host) === undefined) {
      this.#record({ host, method: 'CONNECT', path: '', headers }).status = 502
      socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    } else {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      this.#tls.emit('connection', socket)
    }
  }

  /** Ends TLS, and passes on what is inside as it is: WebSockets too. */
  #lead(socket: Socket, host: string, port: number): void {
    const secured = new TLSSocket(socket, { isServer: true, secureContext: this.#contextOf(host) })
    const server = connect(port, '127.0.0.1')
    this.#sockets.add(server)
    server.on('close', () => this.#sockets.delete(server))
    for (const [one, other] of [[secured, server] as const, [server, secured] as const]) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
    secured.pipe(server).pipe(secured)
  }

  /** Nothing that is asked for goes over plain HTTP. */
  #refusePlain({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const { host, pathname } = new URL(url, this.url)
    this.#record({ host, method, path: pathname, headers }).status = 502
    response.writeHead(502, { 'content-length': 0 }).end()
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = (incoming.socket as TLSSocket).servername || ''
    const { method = '', url: path = '', headers } = incoming
    const recorded = this.#record({ host, method, path, headers })
    const url = new URL(path, `https://${host}`)
    const request: HostRequest = { method, host, url, headers, body: await buffer(incoming) }
    const fault = this.#ruleFor(host, path)?.fault
    recorded.fault = fault?.kind
    response.once('finish', () => {
      recorded.status = response.statusCode
    })
    await send(response, this.#hostOf(host)?.(request) ?? notFound, fault, request.url)
  }

  /** Without a path only what keeps a connection from being made. */
  #ruleFor(host: string, path: string | undefined): InternetRule | undefined {
    return this.#faults.take(
      (rule) =>
        fits(rule.host, host) &&
        (rule.fault.kind === 'down') === (path === undefined) &&
        (rule.path?.test(path ?? '') ?? true)
    )
  }

  #record(request: Pick<InternetRequest, 'host' | 'method' | 'path' | 'headers'>): InternetRequest {
    const { authorization } = request.headers
    const recorded: InternetRequest = { ...request, authorization, status: undefined, fault: undefined }
    this.requests.push(recorded)
    return recorded
  }
}

const notFound: HostAnswer = { status: 404, headers: { 'content-type': 'text/html' }, body: Buffer.from('Not Found') }

function fits(pattern: string | RegExp, host: string): boolean {
  return typeof pattern === 'string' ? pattern === host : pattern.test(host)
}
