import { type Clock, systemClock } from '../clock.ts'
import { ConfigurationError } from '../errors.ts'
import { type Credential, holderOf } from './credential.ts'
import { type Claims, readClaims } from './jwt.ts'

export type OidcOptions = {
  /** Requests a new ID token for an audience; in an action `core.getIDToken`. */
  readonly request: (audience: string | undefined) => Promise<string>
  readonly audience?: string | undefined
  readonly clock?: Pick<Clock, 'now'>
}

/**
 * A credential that requests an ID token of the workflow run, and another whenever the last has 60 seconds or less
 * to live: GitHub's are good for some 5 minutes. Throws a `ConfigurationError` for a token that no server accepts.
 */
export async function oidcCredential({ request, audience, clock = systemClock }: OidcOptions): Promise<Credential> {
  let current = readToken(await request(audience))
  const holder = holderOf(current.claims, 'The OIDC token')
  return {
    kind: 'oidc',
    ...holder,
    token: async () => {
      if (!livesOn(current.claims, clock.now())) current = sameHolder(holder, readToken(await request(audience)))
      return current.token
    }
  }
}

/**
 * What somebody should know about an identity with this subject. GitHub's subject differs by event and branch unless
 * the job has an environment, and another subject is another identity, that doesn't own the database
 * (https://docs.github.com/en/actions/reference/security/oidc).
 */
export function subjectWarnings(subject: string): readonly string[] {
  if (/(^|:)environment:[^:]/.test(subject)) return []
  const repository = /^repo:[^:]+/.exec(subject)?.[0] ?? 'repo:ORG/REPO'
  return [
    `The OIDC subject "${subject}" is not bound to an environment, so a run for another branch or event has another identity and can't update what this one creates. Give the job an \`environment:\`; the subject is then ${repository}:environment:NAME.`
  ]
}

const enoughToLive = 60_000

type Token = { readonly token: string; readonly claims: Claims }

function readToken(token: string): Token {
  const claims = readClaims(token)
  if (claims === undefined) throw new Error('The OIDC provider answered with something that is not a JSON Web Token.')
  return { token, claims }
}

function livesOn({ expires }: Claims, now: number): boolean {
  return expires === undefined || expires - now > enoughToLive
}

function sameHolder({ issuer, subject }: Pick<Credential, 'issuer' | 'subject'>, token: Token): Token {
  const { claims } = token
  if (claims.issuer === issuer && claims.subject === subject) return token
  throw new ConfigurationError(
    `A new OIDC token speaks for somebody else: for "${claims.subject}" of ${claims.issuer}, and the first one for "${subject}" of ${issuer}. Nothing more is done.`
  )
}
