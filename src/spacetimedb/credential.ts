import type { Identity } from './identity.ts'

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
