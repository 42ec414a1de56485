import { ByteReader, ByteWriter } from './bytes.ts'
import type { JsonReader } from './json-reader.ts'

/**
 * How values of one type are written in BSATN (https://spacetimedb.com/docs/bsatn). Reading throws an `Error` that says
 * what is wrong and where; writing one when the value isn't of the type.
 */
export type BinaryCodec<Value> = {
  read(reader: ByteReader): Value
  write(writer: ByteWriter, value: Value): void
}

/** How values of one type are written in BSATN, and in the JSON in which a server answers with definitions. */
export type Codec<Value> = BinaryCodec<Value> & {
  fromJson(json: JsonReader): Value
  /** To be stringified by something that knows bigints: those are the integers that no double holds. */
  toJson(value: Value): unknown
}

/** The values that a codec is for. */
export type ValueOf<Of> = Of extends Codec<infer Value> ? Value : never

/** The value that the bytes are, all of them. Throws an `Error` when they are not one. */
export function decode<Value>(codec: BinaryCodec<Value>, bytes: Uint8Array): Value {
  const reader = new ByteReader(bytes)
  const value = codec.read(reader)
  if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes too many`)
  return value
}

/** The value in BSATN. Throws an `Error` when it isn't one of the codec's type. */
export function encode<Value>(codec: BinaryCodec<Value>, value: Value): Uint8Array {
  const writer = new ByteWriter()
  codec.write(writer, value)
  return writer.bytes()
}

export const bool: Codec<boolean> = {
  read: (reader) => {
    const byte = reader.u8()
    if (byte > 1) throw reader.error(`a bool is 0 or 1, not ${byte}`)
    return byte === 1
  },
  write: (writer, value) => writer.u8(value ? 1 : 0),
  fromJson: (json) => json.boolean(),
  toJson: (value) => value
}

export const u8 = smallInteger(
  'u8',
  (reader) => reader.u8(),
  (writer, value) => writer.u8(value)
)
export const i8 = smallInteger(
  'i8',
  (reader) => reader.i8(),
  (writer, value) => writer.u8(value)
)
export const u16 = smallInteger(
  'u16',
  (reader) => reader.u16(),
  (writer, value) => writer.u16(value)
)
export const i16 = smallInteger(
  'i16',
  (reader) => reader.i16(),
  (writer, value) => writer.u16(value)
)
export const u32 = smallInteger(
  'u32',
  (reader) => reader.u32(),
  (writer, value) => writer.u32(value)
)
export const i32 = smallInteger(
  'i32',
  (reader) => reader.i32(),
  (writer, value) => writer.u32(value)
)
export const u64 = bigInteger('u64')
export const i64 = bigInteger('i64')
export const u128 = bigInteger('u128')
export const i128 = bigInteger('i128')
export const u256 = bigInteger('u256')
export const i256 = bigInteger('i256')

export const f32 = float(
  (reader) => reader.f32(),
  (writer, value) => writer.f32(value)
)
export const f64 = float(
  (reader) => reader.f64(),
  (writer, value) => writer.f64(value)
)

export const string: Codec<string> = {
  read: (reader) => {
    const start = reader.offset
    const bytes = reader.take(reader.u32())
    try {
      return utf8.decode(bytes)
    } catch {
      throw reader.errorAt(start, 'this string is not UTF-8')
    }
  },
  write: (writer, value) => bytes.write(writer, new TextEncoder().encode(value)),
  fromJson: (json) => json.string(),
  toJson: (value) => value
}

/** A list of u8, which JSON states in hex. */
export const bytes: Codec<Uint8Array> = {
  read: (reader) => reader.take(reader.u32()).slice(),
  write: (writer, value) => {
    writer.u32(value.length)
    writer.put(value)
  },
  fromJson: (json) => json.hex(),
  toJson: (value) => Buffer.from(value).toString('hex')
}

export function array<Value>(element: Codec<Value>): Codec<readonly Value[]> {
  return {
    read: (reader) => reader.elements(() => element.read(reader)),
    write: (writer, values) => {
      writer.u32(values.length)
      for (const value of values) element.write(writer, value)
    },
    fromJson: (json) => json.elements().map((part) => element.fromJson(part)),
    toJson: (values) => values.map((value) => element.toJson(value))
  }
}

/** `undefined` for none. Not for options of options: those would look alike. */
export function option<Value>(some: Codec<Value>): Codec<Value | undefined> {
  return {
    read: (reader) => {
      const tag = reader.u8()
      if (tag > 1) throw reader.error(`an option is variant 0 or 1, not ${tag}`)
      return tag === 0 ? some.read(reader) : undefined
    },
    write: (writer, value) => {
      writer.u8(value === undefined ? 1 : 0)
      if (value !== undefined) some.write(writer, value)
    },
    fromJson: (json) => {
      const [name, part] = json.variant()
      if (name !== 'some' && name !== 'none') throw json.expected('some or none')
      return name === 'some' ? some.fromJson(part) : undefined
    },
    toJson: (value) => (value === undefined ? { none: [] } : { some: some.toJson(value) })
  }
}

/** Named fields in their order. */
export function product<Fields extends Readonly<Record<string, Codec<unknown>>>>(fields: Fields) {
  type Value = { readonly [Name in keyof Fields]: ValueOf<Fields[Name]> }
  const entries = Object.entries(fields)
  const codec: Codec<Value> = {
    read: (reader) => Object.fromEntries(entries.map(([name, field]) => [name, field.read(reader)])) as Value,
    write: (writer, value) => {
      for (const [name, field] of entries) field.write(writer, value[name])
    },
    fromJson: (json) => {
      const parts = json.fields(Object.keys(fields))
      return Object.fromEntries(
        entries.map(([name, field], index) => [name, field.fromJson(at(parts, index))])
      ) as Value
    },
    toJson: (value) =>
      entries.length === 0 ? [] : Object.fromEntries(entries.map(([name, field]) => [name, field.toJson(value[name])]))
  }
  return codec
}

/** One of some named variants; their positions are their tags. */
export function sum<Variants extends Readonly<Record<string, Codec<unknown>>>>(variants: Variants) {
  type Value = {
    [Name in keyof Variants & string]: { readonly kind: Name; readonly value: ValueOf<Variants[Name]> }
  }[keyof Variants & string]
  const entries = Object.entries(variants)
  const variantOf = (name: string) => {
    const tag = entries.findIndex(([known]) => known === name)
    return tag < 0 ? undefined : { tag, codec: at(entries, tag)[1] }
  }
  const codec: Codec<Value> = {
    read: (reader) => {
      const tag = reader.u8()
      const entry = entries[tag]
      if (entry === undefined) throw reader.error(unknownVariant(`tag ${tag}`, variants))
      return { kind: entry[0], value: entry[1].read(reader) } as Value
    },
    write: (writer, value) => {
      const variant = variantOf(value.kind)
      if (variant === undefined) throw new Error(unknownVariant(value.kind, variants))
      writer.u8(variant.tag)
      variant.codec.write(writer, value.value)
    },
    fromJson: (json) => {
      const [name, part] = json.variant()
      const variant = variantOf(name)
      if (variant === undefined) throw json.error(unknownVariant(name, variants))
      return { kind: name, value: variant.codec.fromJson(part) } as Value
    },
    toJson: (value) => ({ [value.kind]: variantOf(value.kind)?.codec.toJson(value.value) })
  }
  return codec
}

/**
 * A list of variants to which later versions add: an unknown variant is noted in the reader's `unknownParts`, and in
 * BSATN ends all that can be read. `what` is what one is called there.
 */
export function extensible<Variants extends Readonly<Record<string, Codec<unknown>>>>(
  what: string,
  variants: Variants
) {
  const element = sum(variants)
  const names = Object.keys(variants)
  const codec: Codec<readonly ValueOf<typeof element>[]> = {
    ...array(element),
    read: (reader) => {
      const known: ValueOf<typeof element>[] = []
      reader.elements(() => {
        if (reader.peek() < names.length) known.push(element.read(reader))
        else reader.abandon(`${what} ${reader.peek()}`)
      })
      return known
    },
    fromJson: (json) =>
      json.elements().flatMap((part) => {
        const [name] = part.variant()
        if (names.includes(name)) return [element.fromJson(part)]
        json.unknownParts.push(`${what} ${name}`)
        return []
      })
  }
  return codec
}

/** A type that may contain itself. */
export function recursive<Value>(codec: () => Codec<Value>): Codec<Value> {
  return {
    read: (reader) => reader.nested(() => codec().read(reader)),
    write: (writer, value) => codec().write(writer, value),
    fromJson: (json) => json.nested(() => codec().fromJson(json)),
    toJson: (value) => codec().toJson(value)
  }
}

/** The same bytes and JSON for another form of the value. */
export function mapped<From, To>(codec: Codec<From>, to: (value: From) => To, from: (value: To) => From): Codec<To> {
  return {
    read: (reader) => to(codec.read(reader)),
    write: (writer, value) => codec.write(writer, from(value)),
    fromJson: (json) => to(codec.fromJson(json)),
    toJson: (value) => codec.toJson(from(value))
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function smallInteger(
  kind: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32',
  read: (reader: ByteReader) => number,
  write: (writer: ByteWriter, value: number) => void
): Codec<number> {
  const range = rangeOf(kind)
  return {
    read,
    write: (writer, value) => {
      if (!Number.isInteger(value) || value < range.least || value > range.most) throw outOfRange(kind, value)
      write(writer, value)
    },
    fromJson: (json) => Number(json.integer(range.least, range.most)),
    toJson: (value) => value
  }
}

function bigInteger(kind: 'u64' | 'i64' | 'u128' | 'i128' | 'u256' | 'i256'): Codec<bigint> {
  const { signed, bits, least, most } = rangeOf(kind)
  return {
    read: (reader) => (signed ? reader.signed(bits) : reader.unsigned(bits)),
    write: (writer, value) => {
      if (value < least || value > most) throw outOfRange(kind, value)
      writer.integer(bits, value)
    },
    fromJson: (json) => json.integer(least, most),
    toJson: (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
  }
}

function float(
  read: (reader: ByteReader) => number,
  write: (writer: ByteWriter, value: number) => void
): Codec<number> {
  return { read, write, fromJson: (json) => json.number(), toJson: (value) => value }
}

function rangeOf(kind: string): { signed: boolean; bits: number; least: bigint; most: bigint } {
  const signed = kind.startsWith('i')
  const bits = Number(kind.slice(1))
  return signed
    ? { signed, bits, least: -(2n ** BigInt(bits - 1)), most: 2n ** BigInt(bits - 1) - 1n }
    : { signed, bits, least: 0n, most: 2n ** BigInt(bits) - 1n }
}

function outOfRange(kind: string, value: number | bigint): Error {
  return new Error(`${value} is no ${kind}`)
}

function unknownVariant(given: string, variants: Readonly<Record<string, unknown>>): string {
  return `unknown variant ${given}; known are ${Object.keys(variants).join(', ')}`
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new RangeError(`no item ${index}`)
  return item
}
