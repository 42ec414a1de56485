import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** keccak256 of a module's bytes: 64 lower-case hex digits in the usual byte order. */
export type ModuleHash = string & { readonly brand: 'ModuleHash' }

/** The server's identity of a module: keccak256 of its bytes (docs/server-behaviour.md, "Hashes"). */
export function hashModule(bytes: Uint8Array): ModuleHash {
  return bytesToHex(keccak_256(bytes)) as ModuleHash
}

/**
 * The hash that an answer of the server states as a U256 (`0x…`: bytes reversed, leading zeros dropped).
 * Throws when the text is not a U256 in hex.
 */
export function moduleHashFromU256(u256: string): ModuleHash {
  if (!/^0x[0-9a-f]{1,64}$/i.test(u256)) throw new Error(`not a hash in the server's form: ${u256}`)
  return reverseBytes(u256.slice(2).toLowerCase().padStart(64, '0')) as ModuleHash
}

/** The U256 in hex as which the server states a hash. */
export function moduleHashToU256(hash: ModuleHash): string {
  return toU256(hash)
}

/**
 * The token of a plan: it binds a database, its live module and the new one, so that publishing with it is a
 * compare-and-swap (docs/server-behaviour.md, "Compare and swap"). `database` is an identity of 64 hex digits.
 */
export function planToken(database: string, live: ModuleHash, next: ModuleHash): string {
  return toU256(bytesToHex(keccak_256(utf8ToBytes(database + live + next))))
}

/** Whether a plan's token, as a server gave it, is that of a plan from one module to another. */
export function isTokenOf(token: string, database: string, live: ModuleHash, next: ModuleHash): boolean {
  return /^0x[0-9a-f]+$/i.test(token) && BigInt(token) === BigInt(planToken(database, live, next))
}

function toU256(hex: string): string {
  return `0x${reverseBytes(hex).replace(/^0+(?=.)/, '')}`
}

function reverseBytes(hex: string): string {
  return (hex.match(/../g) ?? []).reverse().join('')
}
