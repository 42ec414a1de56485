import { blake3 } from '@noble/hashes/blake3.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** Who someone, or which database, is: 64 lower-case hex digits. Unlike hashes these are never reversed. */
export type Identity = string & { readonly brand: 'Identity' }

/** Whether a text is an identity (64 hex digits). */
export function isIdentity(text: string): text is Identity {
  return /^[0-9a-f]{64}$/.test(text)
}

/** The identity in an answer of the server, with or without `0x`. Throws when it is none. */
export function parseIdentity(text: string): Identity {
  const digits = text.replace(/^0x/, '').toLowerCase()
  if (!isIdentity(digits)) throw new Error(`not an identity: ${text.slice(0, 80)}`)
  return digits
}

/**
 * The identity that the server gives to the bearer of a token with this issuer and subject
 * (docs/server-behaviour.md, "Identity").
 */
export function identityOf(issuer: string, subject: string): Identity {
  const prefix = Uint8Array.of(0xc2, 0x00)
  const hash = blake3(utf8ToBytes(`${issuer}|${subject}`)).subarray(0, 26)
  const checksum = blake3(concatBytes(prefix, hash)).subarray(0, 4)
  return bytesToHex(concatBytes(prefix, checksum, hash)) as Identity
}
