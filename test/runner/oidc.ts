import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export type IdTokenOptions = {
  /** Who the job is. GitHub pins it to the environment when the job has one. */
  readonly subject?: string
  /** The status with which a token is refused, when it is. */
  readonly refuse?: number
}

/** The subject of a job in the environment `production`. */
export const pinnedSubject = 'repo:octocat/game:environment:production'

/** The subject of a job without an environment: another branch is another subject. */
export const unpinnedSubject = 'repo:octocat/game:ref:refs/heads/main'

/** A subject that is longer than a SpacetimeDB server takes (128 bytes). */
export const longSubject = `repo:octocat/game:environment:${'production-'.repeat(10)}`

/**
 * Stands in for GitHub's ID tokens: the endpoint that a job with `id-token: write` asks, and the issuer (discovery
 * document and keys) at which a server checks them
 * (https://docs.github.com/actions/reference/security/oidc).
 */
export async function startIdTokens(options: IdTokenOptions = {}): Promise<IdTokens> {
  const keys = await generateKeyPair('RS256')
  const idTokens = new IdTokens(keys.privateKey, await exportJWK(keys.publicKey), options)
  await idTokens.listen()
  return idTokens
}

export class IdTokens {
  subject: string
  refuse: number | undefined
  /** All that were given out: secrets. */
  readonly issued: string[] = []
  /** The audience of each, `undefined` for GitHub's default. */
  readonly audiences: (string | undefined)[] = []
  readonly #privateKey: CryptoKey
  readonly #publicKey: JWK
  readonly #requestToken = `request-token-${crypto.randomUUID()}`
  /** Subjects that are always the same, by the tokens that ask for them. */
  readonly #subjects = new Map<string, string>()
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((failure: unknown) => response.destroy(failure as Error))
  })

  constructor(privateKey: CryptoKey, publicKey: JWK, { subject = pinnedSubject, refuse }: IdTokenOptions) {
    this.#privateKey = privateKey
    this.#publicKey = { ...publicKey, kid: 'key-1', alg: 'RS256', use: 'sig' }
    this.subject = subject
    this.refuse = refuse
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The variables that a job with `permissions: id-token: write` has. */
  get env(): Record<string, string> {
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.issuer}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.#requestToken
    }
  }

  /** The same for a job that is somebody else than `subject`, whatever that becomes. */
  envOf(subject: string): Record<string, string> {
    const token = `request-token-${crypto.randomUUID()}`
    this.#subjects.set(token, subject)
    return { ...this.env, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token }
  }

  /** Every secret of this stand-in: what it gave out and what asks for it. */
  get secrets(): string[] {
    return [...this.issued, this.#requestToken, ...this.#subjects.keys()]
  }

  async issue(audience = 'https://github.com/octocat', subject = this.subject): Promise<string> {
    const token = await new SignJWT({
      ref: 'refs/heads/main',
      repository: 'octocat/game',
      repository_owner: 'octocat',
      run_id: '7654321',
      workflow: 'Deploy'
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'JWT' })
      .setIssuer(this.issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(this.#privateKey)
    this.issued.push(token)
    return token
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

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer)
    if (url.pathname === '/token') return this.#answerToken(request, url, response)
    if (url.pathname === '/jwks') return send(response, 200, { keys: [this.#publicKey] })
    if (url.pathname === '/.well-known/openid-configuration') {
      return send(response, 200, {
        issuer: this.issuer,
        jwks_uri: `${this.issuer}/jwks`,
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['id_token'],
        subject_types_supported: ['public']
      })
    }
    send(response, 404, { message: 'Not Found' })
  }

  async #answerToken(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const asking = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const subject = asking === this.#requestToken ? this.subject : this.#subjects.get(asking)
    if (subject === undefined) return send(response, 401, { message: 'no' })
    if (this.refuse !== undefined) return send(response, this.refuse, { message: 'refused' })
    const audience = url.searchParams.get('audience') ?? undefined
    this.audiences.push(audience)
    send(response, 200, { count: 1, value: await this.issue(audience, subject) })
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
