import { randomUUID } from 'node:crypto'
import {
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  exportSPKI,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  SignJWT
} from 'jose'
import { type Identity, identityOf } from '../../src/spacetimedb/identity.ts'

/** The keys with which a server signs its own tokens. */
export type SigningKeys = Awaited<ReturnType<typeof newSigningKeys>>

export function newSigningKeys() {
  return generateKeyPair('ES256', { extractable: true })
}

/** Who a token belongs to. `claims` is the token's payload as it was sent. */
export type Bearer = { readonly identity: Identity; readonly token: string; readonly claims: string }

/** Why a token is not taken (401). */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
}

const ownIssuer = 'localhost'
/** How long a token is good after it has expired, in seconds. */
const leeway = 60

/** How long an issuer's keys, and a token that was checked with them, are good, in milliseconds. */
const keysLast = 300_000

/** How many tokens are remembered: whoever calls often sends the same one. */
const mostChecked = 1000

/** Issues the server's own tokens and checks them and those of any other issuer (docs/server-behaviour.md, "Tokens"). */
export class Tokens {
  readonly #keys: SigningKeys
  readonly #issuers = new Map<string, { keys: JSONWebKeySet; until: number }>()
  readonly #checked = new Map<string, { readonly bearer: Bearer; readonly until: number }>()

  constructor(keys: SigningKeys) {
    this.#keys = keys
  }

  async issue(subject: string = randomUUID()): Promise<Bearer> {
    const identity = identityOf(ownIssuer, subject)
    const token = await new SignJWT({ hex_identity: identity })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
      .setIssuer(ownIssuer)
      .setSubject(subject)
      .setAudience(['spacetimedb'])
      .setIssuedAt()
      .sign(this.#keys.privateKey)
    return { identity, token, claims: payloadOf(token) }
  }

  publicKey(): Promise<string> {
    return exportSPKI(this.#keys.publicKey)
  }

  /** Throws TokenRefused. */
  async check(token: string): Promise<Bearer> {
    const known = this.#checked.get(token)
    if (known !== undefined && known.until > Date.now()) return known.bearer
    const { bearer, expires } = await this.#read(token)
    if (this.#checked.size >= mostChecked) this.#checked.clear()
    this.#checked.set(token, { bearer, until: Math.min(Date.now() + keysLast, expires) })
    return bearer
  }

  async #read(token: string): Promise<{ readonly bearer: Bearer; readonly expires: number }> {
    const { iss: issuer, sub: subject, exp } = await this.#verify(token)
    if (issuer === undefined || subject === undefined)
      throw new TokenRefused(`Invalid token: Missing required claim: ${issuer === undefined ? 'iss' : 'sub'}`)
    for (const [name, claim] of [
      ['Issuer', issuer],
      ['Subject', subject]
    ] as const) {
      if (claim === '') throw new TokenRefused(`${name} empty`)
      if (Buffer.byteLength(claim) > 128) throw new TokenRefused(`${name} too long: ${JSON.stringify(claim)}`)
    }
    const expires = exp === undefined ? Number.POSITIVE_INFINITY : (exp + leeway) * 1000
    return { bearer: { identity: identityOf(issuer, subject), token, claims: payloadOf(token) }, expires }
  }

  /** A token that the server signed may name any issuer; any other is checked with its issuer's keys. */
  async #verify(token: string): Promise<JWTPayload> {
    const claims = claimsOf(token)
    try {
      await compactVerify(token, this.#keys.publicKey, { algorithms: ['ES256'] })
    } catch (error) {
      if (claims.iss === ownIssuer) throw refusal(error)
      const keys = createLocalJWKSet(await this.#keysOf(claims.iss ?? ''))
      await compactVerify(token, keys, { algorithms: ['ES256', 'RS256'] }).catch((wrong) => {
        throw refusal(wrong)
      })
    }
    if (claims.exp !== undefined && claims.exp + leeway < Date.now() / 1000)
      throw new TokenRefused('Invalid token: ExpiredSignature')
    return claims
  }

  async #keysOf(issuer: string): Promise<JSONWebKeySet> {
    const known = this.#issuers.get(issuer)
    if (known !== undefined && known.until > Date.now()) return known.keys
    try {
      const discovery = await json<{ jwks_uri: string }>(
        `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`
      )
      const keys = await json<JSONWebKeySet>(discovery.jwks_uri)
      this.#issuers.set(issuer, { keys, until: Date.now() + keysLast })
      return keys
    } catch {
      throw new TokenRefused(`Error fetching public key for issuer ${issuer}`)
    }
  }
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return (await response.json()) as T
}

/** What a token says, whoever signed it. */
function claimsOf(token: string): JWTPayload {
  try {
    const claims = decodeJwt(token)
    if (claims.iat !== undefined) return claims
  } catch {
    throw new TokenRefused('Invalid token: InvalidToken')
  }
  throw new TokenRefused('Invalid token: JSON error: missing field `iat`')
}

function refusal(error: unknown): TokenRefused {
  switch ((error as { code?: string }).code) {
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return new TokenRefused('Specified key ID not found in JWKs')
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
      return new TokenRefused('Invalid token: InvalidAlgorithm')
    case 'ERR_JWS_INVALID':
      return new TokenRefused('Invalid token: InvalidToken')
    default:
      return new TokenRefused('Invalid token: InvalidSignature')
  }
}

function payloadOf(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
}
