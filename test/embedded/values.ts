import { resolve, type Typespace } from '../../src/migration/type-structure.ts'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { SumValue, Value } from '../../src/module/bsatn.ts'

/** A type without references. */
export function inlined(type: AlgebraicType, typespace: Typespace): AlgebraicType {
  const resolved = resolve(type, typespace)
  const inlineField = <T extends { readonly type: AlgebraicType }>(field: T) => ({
    ...field,
    type: inlined(field.type, typespace)
  })
  switch (resolved.kind) {
    case 'product':
      return { kind: 'product', elements: resolved.elements.map(inlineField) }
    case 'sum':
      return { kind: 'sum', variants: resolved.variants.map(inlineField) }
    case 'array':
      return { kind: 'array', element: inlined(resolved.element, typespace) }
    default:
      return resolved
  }
}

/** The order in which an index keeps two values of one type: negative, zero or positive. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  if (isList(a)) return compareLists(a, b as readonly Value[])
  if (typeof a === 'object') {
    const other = b as SumValue
    return a.tag - other.tag || compareValues(a.value, other.value)
  }
  return a === b ? 0 : a < (b as typeof a) ? -1 : 1
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  const differing = a.findIndex((item, i) => i >= b.length || compareValues(item, b[i] as Value) !== 0)
  if (differing < 0 || differing >= b.length) return a.length - b.length
  return compareValues(a[differing] as Value, b[differing] as Value)
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export type IntegerKind = keyof typeof integerKinds

const integerKinds = {
  i8: { bits: 8, signed: true },
  u8: { bits: 8, signed: false },
  i16: { bits: 16, signed: true },
  u16: { bits: 16, signed: false },
  i32: { bits: 32, signed: true },
  u32: { bits: 32, signed: false },
  i64: { bits: 64, signed: true },
  u64: { bits: 64, signed: false },
  i128: { bits: 128, signed: true },
  u128: { bits: 128, signed: false },
  i256: { bits: 256, signed: true },
  u256: { bits: 256, signed: false }
} as const

export function isInteger(kind: string): kind is IntegerKind {
  return kind in integerKinds
}

/** The least and greatest integer of a type. */
export function integerRange(kind: IntegerKind): { least: bigint; greatest: bigint } {
  const { bits, signed } = integerKinds[kind]
  const half = 1n << BigInt(bits - 1)
  return signed ? { least: -half, greatest: half - 1n } : { least: 0n, greatest: 2n * half - 1n }
}

/** The value that stands for an integer of a type: a number up to 32 bits, else a bigint. */
export function integerValue(value: bigint, kind: IntegerKind): number | bigint {
  return integerKinds[kind].bits <= 32 ? Number(value) : value
}
