import { resolve, type Typespace } from '../migration/type-structure.ts'
import type { AlgebraicType } from '../module/algebraic-type.ts'

/**
 * The types of which an `INSERT` can write a value: bytes, identities, connections and UUIDs as hex, the others as
 * themselves. It writes no times, options, enums, structs or lists (docs/server-behaviour.md, "What INSERT writes").
 */
export type WritableKind =
  | IntegerKind
  | 'bool'
  | 'string'
  | 'f32'
  | 'f64'
  | 'bytes'
  | 'identity'
  | 'connection'
  | 'uuid'

export type IntegerKind = keyof typeof integerBits

const integerBits = {
  i8: 8,
  u8: 8,
  i16: 16,
  u16: 16,
  i32: 32,
  u32: 32,
  i64: 64,
  u64: 64,
  i128: 128,
  u128: 128,
  i256: 256,
  u256: 256
} as const

/** How a column's values are written; `undefined` when they can't be. */
export function writableKind(type: AlgebraicType, typespace: Typespace): WritableKind | undefined {
  const structure = resolve(type, typespace)
  switch (structure.kind) {
    case 'sum':
      return undefined
    case 'array':
      return resolve(structure.element, typespace).kind === 'u8' ? 'bytes' : undefined
    case 'product': {
      const [only, ...more] = structure.elements
      return only?.name === undefined || more.length > 0 ? undefined : specialKinds[only.name]
    }
    default:
      return structure.kind
  }
}

const specialKinds: Readonly<Record<string, WritableKind>> = {
  __identity__: 'identity',
  __connection_id__: 'connection',
  __uuid__: 'uuid'
}

export function isIntegerKind(kind: WritableKind): kind is IntegerKind {
  return kind in integerBits
}

/** An integer, brought into the range of its type as a counter that wraps. */
export function wrapped(kind: IntegerKind, value: bigint): bigint {
  return isSigned(kind) ? BigInt.asIntN(integerBits[kind], value) : BigInt.asUintN(integerBits[kind], value)
}

function isSigned(kind: IntegerKind): boolean {
  return kind.startsWith('i')
}

/**
 * A value, as an answer to SQL has it, in the form in which a statement writes it: the same text for the same value.
 * `undefined` when it can't be written, such as a float that is no number, or isn't what the type lets expect.
 */
export function literalOf(kind: WritableKind, value: unknown): string | undefined {
  switch (kind) {
    case 'bool':
      return typeof value === 'boolean' ? String(value) : undefined
    case 'string':
      return typeof value === 'string' ? textLiteral(value) : undefined
    case 'f32':
    case 'f64':
      return floatLiteral(kind, value)
    case 'bytes':
      return typeof value === 'string' && /^([0-9a-f]{2})*$/i.test(value) ? `X'${value.toLowerCase()}'` : undefined
    case 'identity':
      return hexLiteral(wholeOf(fieldOf(value)), 64)
    case 'connection':
    case 'uuid':
      return hexLiteral(wholeOf(fieldOf(value)), 32)
    default:
      return integerLiteral(kind, value)
  }
}

export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function hexLiteral(value: bigint | undefined, digits: number): string | undefined {
  return value === undefined || value < 0n ? undefined : `0x${value.toString(16).padStart(digits, '0')}`
}

/**
 * A negative zero has no literal: it is written as 0. Whole numbers have all their digits, because a server rounds those
 * with a positive exponent (`BigDecimal::to_f64` in https://github.com/akubera/bigdecimal-rs).
 */
function floatLiteral(kind: 'f32' | 'f64', value: unknown): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const number = kind === 'f32' ? Math.fround(Number(value)) : Number(value)
  if (!Number.isFinite(number)) return undefined
  return Number.isInteger(number) ? `${BigInt(number)}` : `${number}`
}

function integerLiteral(kind: IntegerKind, value: unknown): string | undefined {
  const whole = wholeOf(value)
  if (whole === undefined) return undefined
  // Negative 256-bit integers come with a sign, or as the bits that they have.
  const isBits = typeof value === 'string' && kind === 'i256' && BigInt.asUintN(256, whole) === whole
  const integer = isBits ? wrapped(kind, whole) : whole
  return wrapped(kind, integer) === integer ? `${integer}` : undefined
}

/** An integer as a number, as a bigint, or in hex. */
function wholeOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'string' || !/^-?0x[0-9a-f]{1,64}$/i.test(value)) return undefined
  return value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value)
}

/** Identities and the like are lists with their one field (docs/server-behaviour.md, "Rows"). */
function fieldOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : undefined
}
