import { type Clock, systemClock } from '../clock.ts'
import { ConfigurationError } from '../errors.ts'
import { type Identity, identityOf } from './identity.ts'
import { type Claims, readClaims } from './jwt.ts'

/** What proves to a server who we are. */
export type Credential = {
  readonly kind: 'token' | 'oidc'
  /** Derived offline from the token's issuer and subject. */
  readonly identity: Identity
  readonly issuer: string
  readonly subject: string
  /** A token that is good now; a fresh one where they are short-lived. */
  token(): Promise<string>
}

/**
 * A credential from the input `token`. Throws a `ConfigurationError` for what no server could accept, and never
 * shows the token.
 */
export function tokenCredential(input: string, clock: Pick<Clock, 'now'> = systemClock): Credential {
  const token = input.trim()
  if (token === '') throw new ConfigurationError(`The input \`token\` is empty. ${whereTokensComeFrom}`)
  if (/^bearer\s/i.test(token)) {
    throw new ConfigurationError('The input `token` begins with "Bearer ". Give the token alone.')
  }
  if (/^(gh[a-z]_|github_pat_)/.test(token)) {
    throw new ConfigurationError(
      `The input \`token\` is a GitHub token, which says nothing to a SpacetimeDB server. ${whereTokensComeFrom} Or use \`auth: oidc\` and no token.`
    )
  }
  const claims = readClaims(token)
  if (claims === undefined) {
    throw new ConfigurationError(
      `The input \`token\` is not a token of a SpacetimeDB server: not a JSON Web Token, three parts with dots between them. ${whereTokensComeFrom}`
    )
  }
  insistOnValidity(claims, clock.now())
  return { kind: 'token', ...holderOf(claims, 'The input `token`'), token: async () => token }
}

const whereTokensComeFrom = 'After `spacetime login`, `spacetime login show --token` prints it; keep it in a secret.'

/** What the server forgives a clock, in milliseconds (docs/server-behaviour.md, "Tokens"). */
const leeway = 60_000

function insistOnValidity({ expires }: Claims, now: number): void {
  if (expires === undefined || expires + leeway >= now) return
  const when = Number.isFinite(new Date(expires).getTime()) ? new Date(expires).toISOString() : 'long ago'
  throw new ConfigurationError(
    `The input \`token\` expired (${when}; it is ${new Date(now).toISOString()}). Get a new one. ${whereTokensComeFrom}`
  )
}

/** Whom a token speaks for. Throws a `ConfigurationError` for claims that the server refuses; `what` begins its message. */
export function holderOf(claims: Claims, what: string): Pick<Credential, 'identity' | 'issuer' | 'subject'> {
  const issuer = claimIn(claims.issuer, 'iss', what)
  const subject = claimIn(claims.subject, 'sub', what)
  return { identity: identityOf(issuer, subject), issuer, subject }
}

function claimIn(value: string | undefined, name: keyof typeof shorter, what: string): string {
  if (value === undefined) throw new ConfigurationError(`${what} has no \`${name}\`, so it speaks for nobody.`)
  const length = Buffer.byteLength(value)
  if (length <= longestClaim) return value
  throw new ConfigurationError(
    `${what} has a \`${name}\` of ${length} bytes; SpacetimeDB takes at most ${longestClaim}. ${shorter[name]} It is: ${value}`
  )
}

/** In bytes, of `iss` and of `sub` (docs/server-behaviour.md, "Identity"). */
const longestClaim = 128

const shorter = {
  iss: 'Use an issuer with a shorter address.',
  sub: 'In a GitHub workflow it is made of the names of organisation, repository and environment: shorten the name of the environment, or choose a shorter form of the claim in the OIDC settings of the repository.'
}
