import type { AlgebraicType } from './algebraic-type.ts'
import {
  type BinaryCodec,
  bool,
  bytes,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  i128,
  i256,
  string,
  u8,
  u16,
  u32,
  u64,
  u128,
  u256
} from './codec.ts'

export { decode, encode } from './codec.ts'

/**
 * A value of any type: integers of 64 bits and more are bigints, arrays of u8 are bytes, products are lists in the
 * order of their elements (names are the type's affair, and may be missing).
 */
export type Value = boolean | number | bigint | string | Uint8Array | readonly Value[] | SumValue

/** `tag` is the variant's position. An option is 0 with its value, or 1 with `[]`. */
export type SumValue = { readonly tag: number; readonly value: Value }

/**
 * How values of a type are written in BSATN (https://spacetimedb.com/docs/bsatn). `typespace` is what refs point into.
 * Throws an `Error` when a ref points to nothing.
 */
export function valueCodec(type: AlgebraicType, typespace: readonly AlgebraicType[]): BinaryCodec<Value> {
  return codecOf(type, referenced(typespace))
}

type Resolve = (ref: number) => BinaryCodec<Value>

/** Makes the codec of each entry once, when it is first met: entries may point to each other. */
function referenced(typespace: readonly AlgebraicType[]): Resolve {
  const made = new Map<number, BinaryCodec<Value>>()
  return function resolve(ref) {
    const known = made.get(ref)
    if (known !== undefined) return known
    const type = typespace[ref]
    if (type === undefined) throw new Error(`type ${ref} is missing: the typespace has ${typespace.length}`)
    let target: BinaryCodec<Value> | undefined
    const lazy: BinaryCodec<Value> = {
      read: (reader) => reader.nested(() => targetCodec().read(reader)),
      write: (writer, value) => targetCodec().write(writer, value)
    }
    const targetCodec = () => {
      target ??= codecOf(type, resolve)
      return target
    }
    made.set(ref, lazy)
    return lazy
  }
}

function codecOf(type: AlgebraicType, resolve: Resolve): BinaryCodec<Value> {
  switch (type.kind) {
    case 'ref':
      return resolve(type.ref)
    case 'sum':
      return sumOf(type.variants.map((variant) => codecOf(variant.type, resolve)))
    case 'product':
      return productOf(type.elements.map((element) => codecOf(element.type, resolve)))
    case 'array':
      return type.element.kind === 'u8' ? checked(bytes, isBytes, 'bytes') : arrayOf(codecOf(type.element, resolve))
    default:
      return primitives[type.kind]
  }
}

function sumOf(variants: readonly BinaryCodec<Value>[]): BinaryCodec<Value> {
  return {
    read: (reader) => {
      const tag = reader.u8()
      const variant = variants[tag]
      if (variant === undefined) throw reader.error(`variant ${tag} of a sum that has ${variants.length}`)
      return { tag, value: variant.read(reader) }
    },
    write: (writer, value) => {
      if (!isSum(value)) throw wrong('a sum', value)
      const variant = variants[value.tag]
      if (variant === undefined) throw new Error(`variant ${value.tag} of a sum that has ${variants.length}`)
      writer.u8(value.tag)
      variant.write(writer, value.value)
    }
  }
}

function productOf(elements: readonly BinaryCodec<Value>[]): BinaryCodec<Value> {
  return {
    read: (reader) => elements.map((element) => element.read(reader)),
    write: (writer, value) => {
      if (!isList(value) || value.length !== elements.length) throw wrong(`${elements.length} elements`, value)
      elements.forEach((element, index) => {
        element.write(writer, value[index] as Value)
      })
    }
  }
}

function arrayOf(element: BinaryCodec<Value>): BinaryCodec<Value> {
  return {
    read: (reader) => reader.elements(() => element.read(reader)),
    write: (writer, value) => {
      if (!isList(value)) throw wrong('a list', value)
      writer.u32(value.length)
      for (const item of value) element.write(writer, item)
    }
  }
}

const primitives = {
  string: checked(string, (value) => typeof value === 'string', 'a string'),
  bool: checked(bool, (value) => typeof value === 'boolean', 'a bool'),
  i8: number(i8),
  u8: number(u8),
  i16: number(i16),
  u16: number(u16),
  i32: number(i32),
  u32: number(u32),
  i64: bigint(i64),
  u64: bigint(u64),
  i128: bigint(i128),
  u128: bigint(u128),
  i256: bigint(i256),
  u256: bigint(u256),
  f32: number(f32),
  f64: number(f64)
}

function number(codec: BinaryCodec<number>): BinaryCodec<Value> {
  return checked(codec, (value) => typeof value === 'number', 'a number')
}

function bigint(codec: BinaryCodec<bigint>): BinaryCodec<Value> {
  return checked(codec, (value) => typeof value === 'bigint', 'a bigint')
}

function checked<Kind extends Value>(
  codec: BinaryCodec<Kind>,
  is: (value: Value) => value is Kind,
  what: string
): BinaryCodec<Value> {
  return {
    read: codec.read,
    write: (writer, value) => {
      if (!is(value)) throw wrong(what, value)
      codec.write(writer, value)
    }
  }
}

function isBytes(value: Value): value is Uint8Array {
  return value instanceof Uint8Array
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function isSum(value: Value): value is SumValue {
  return typeof value === 'object' && 'tag' in value
}

function wrong(expected: string, value: Value): Error {
  return new Error(`expected ${expected}, got ${Array.isArray(value) ? `a list of ${value.length}` : typeof value}`)
}
