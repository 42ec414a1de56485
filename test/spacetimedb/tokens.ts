import type { Credential } from '../../src/spacetimedb/credential.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'

/** A JSON Web Token with these claims; nobody signed it. */
export function tokenWith(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('nobody signed this').toString('base64url')}`
}

export const ownToken = tokenWith({ iss: 'localhost', sub: 'owner', exp: null })

export const ownCredential: Credential = tokenCredential(ownToken)
