import { resolve, type Typespace } from '../../src/migration/type-structure.ts'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { encode, type SumValue, type Value, valueCodec } from '../../src/module/bsatn.ts'
import type { Parameter } from '../../src/module/schema.ts'
import { JsonCursor, JsonProblem } from './json-cursor.ts'
import { integerRange, integerValue, isInteger } from './values.ts'

/** Arguments that don't fit a function; the message is the server's (400). */
export class BadArguments extends Error {
  override readonly name = 'BadArguments'
}

/** The function that arguments are for. */
export type Callee = {
  readonly kind: 'reducer' | 'procedure'
  readonly name: string
  readonly parameters: readonly Parameter[]
}

/** Arguments in JSON as BSATN. Throws BadArguments. */
export function encodeArguments(json: string, { kind, name, parameters }: Callee, typespace: Typespace): Uint8Array {
  const type: AlgebraicType = { kind: 'product', elements: parameters }
  const cursor = new JsonCursor(json)
  try {
    const value = readProduct(cursor, parameters, typespace, {
      tuple: `a ${name} tuple`,
      length: `reducer args for ${name} with ${parameters.length} elements`,
      part: 'reducer argument'
    })
    if (!cursor.isAtEnd) throw new BadArguments(messageFor(kind, name, [cursor.trailing().message]))
    return encode(valueCodec(type, typespace), value)
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error
    throw new BadArguments(messageFor(kind, name, [cursor.path === '' ? '.' : cursor.path, error.message]))
  }
}

/** The server's text: each of its errors says what the ones within say. */
function messageFor(kind: Callee['kind'], name: string, [where = '', ...why]: readonly string[]): string {
  return [
    `invalid arguments for ${kind} ${name}`,
    where,
    `invalid arguments for function ${name}`,
    where,
    where,
    ...why
  ].join(': ')
}

function readValue(cursor: JsonCursor, type: AlgebraicType, typespace: Typespace): Value {
  const resolved = resolve(type, typespace)
  switch (resolved.kind) {
    case 'product':
      return readProduct(cursor, resolved.elements, typespace, {
        tuple: `a ${resolved.elements.length}-element tuple`,
        length: `a product with ${resolved.elements.length} elements`,
        part: 'field'
      })
    case 'sum':
      return readSum(cursor, resolved.variants, typespace)
    case 'array':
      if (resolve(resolved.element, typespace).kind === 'u8') return readBytes(cursor)
      return readList(cursor, () => readValue(cursor, resolved.element, typespace))
    case 'string':
    case 'bool': {
      const scalar = cursor.scalar()
      const wanted = resolved.kind === 'string' ? 'string' : 'boolean'
      if (typeof scalar.value !== wanted) throw cursor.invalidType(scalar.described, `a ${wanted}`)
      return scalar.value as string | boolean
    }
    default:
      return readNumber(cursor, resolved.kind)
  }
}

/** What errors call a product. */
type ProductTexts = { readonly tuple: string; readonly length: string; readonly part: string }

function readProduct(
  cursor: JsonCursor,
  elements: readonly Parameter[],
  typespace: Typespace,
  texts: ProductTexts
): Value {
  if (cursor.opens('{')) {
    const found = new Map<Parameter, Value>()
    const element = (key: string) => {
      const meant = elements.find(({ name }) => name === key)
      if (meant === undefined) throw cursor.problem(`unknown ${texts.part} \`${key}\`, expected , ${quoted(elements)}`)
      return meant
    }
    cursor.members(elements.length, element, (meant) => found.set(meant, readValue(cursor, meant.type, typespace)))
    const missing = elements.find((each) => !found.has(each))
    if (missing !== undefined) throw cursor.problem(`missing ${texts.part} \`${missing.name}\``)
    return elements.map((each) => found.get(each) as Value)
  }
  if (!cursor.opens('[')) throw cursor.invalidType(cursor.scalar().described, texts.tuple)
  const values: Value[] = []
  cursor.elements(elements.length, (index) => {
    values.push(readValue(cursor, (elements[index] as Parameter).type, typespace))
  })
  if (values.length < elements.length) throw cursor.problem(`invalid length ${values.length}, expected ${texts.length}`)
  return values
}

/** `{"variant": value}` or `[tag, value]`; `null` is an option's none. */
function readSum(cursor: JsonCursor, variants: readonly Parameter[], typespace: Typespace): Value {
  const read: SumValue[] = []
  const tagOf = (key: string) => {
    const tag = /^\d+$/.test(key) ? Number(key) : variants.findIndex(({ name }) => name === key)
    if (variants[tag] !== undefined) return tag
    if (tag >= 0) throw cursor.problem(`unknown tag 0x${tag.toString(16)} for sum type <unknown>`)
    throw cursor.problem(`unknown variant \`${key}\`, expected , ${quoted(variants)}`)
  }
  const readVariant = (tag: number) => {
    read.push({ tag, value: readValue(cursor, (variants[tag] as Parameter).type, typespace) })
  }
  if (cursor.opens('{')) {
    cursor.members(1, tagOf, readVariant)
    if (read[0] !== undefined) return read[0]
    throw cursor.problem('expected map representing sum type to have exactly one field')
  }
  if (cursor.opens('[')) {
    let tag = 0
    cursor.elements(2, (index) => {
      if (index === 0) tag = tagOf(String(cursor.scalar().value))
      else readVariant(tag)
    })
    if (read[0] !== undefined) return read[0]
    throw cursor.problem('expected seq representing sum type to have exactly two fields')
  }
  const { value, described } = cursor.scalar()
  if (value === null && variants.length === 2 && variants[1]?.name === 'none') return { tag: 1, value: [] }
  throw cursor.invalidType(described, 'sum type')
}

/** Names as the server's errors list them. */
function quoted(parts: readonly Parameter[]): string {
  return parts.map(({ name }) => `\`${name}\``).join('')
}

function readBytes(cursor: JsonCursor): Uint8Array {
  if (cursor.opens('[')) return Uint8Array.from(readList(cursor, () => readNumber(cursor, 'u8') as number))
  const { value, described } = cursor.scalar()
  if (typeof value !== 'string' || !/^(0x)?([0-9a-fA-F]{2})*$/.test(value))
    throw cursor.invalidType(described, 'a byte array or hex string')
  return new Uint8Array(Buffer.from(value.replace(/^0x/, ''), 'hex'))
}

function readList<T>(cursor: JsonCursor, read: () => T): T[] {
  if (!cursor.opens('[')) throw cursor.invalidType(cursor.scalar().described, 'a sequence')
  const items: T[] = []
  cursor.elements(Number.POSITIVE_INFINITY, () => items.push(read()))
  return items
}

function readNumber(cursor: JsonCursor, kind: string): number | bigint {
  const { value, text, described } = cursor.scalar()
  if (kind === 'f32' || kind === 'f64') {
    if (typeof value === 'number') return value
    throw cursor.invalidType(described, kind)
  }
  if (!isInteger(kind)) throw new Error(`${kind} is no number`)
  const isHex = typeof value === 'string' && /256$/.test(kind) && /^0x[0-9a-fA-F]{1,64}$/.test(value)
  if (!isHex && !(typeof value === 'number' && /^-?\d+$/.test(text))) throw cursor.invalidType(described, kind)
  const integer = BigInt(isHex ? (value as string) : text)
  const { least, greatest } = integerRange(kind)
  if (integer < least || integer > greatest) throw cursor.problem(`invalid value: ${described}, expected ${kind}`)
  return integerValue(integer, kind)
}
