import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import { encode, type Value, valueCodec } from '../../src/module/bsatn.ts'
import type { Parameter } from '../../src/module/schema.ts'
import { JsonCursor, JsonProblem } from './json-cursor.ts'
import { integerRange, integerValue, isInteger, resolve, type Typespace } from './values.ts'

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
    const expected = `${kind} args for ${name}`
    const value = readProduct(cursor, parameters, typespace, () => `${expected} with ${parameters.length} elements`)
    cursor.end()
    return encode(valueCodec(type, typespace), value)
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error
    const path = cursor.path === '' ? '.' : cursor.path
    throw new BadArguments(
      `invalid arguments for ${kind} ${name}: ${path}: invalid arguments for function ${name}: ${path}: ${path}: ${error.message}`
    )
  }
}

function readValue(cursor: JsonCursor, type: AlgebraicType, typespace: Typespace): Value {
  const resolved = resolve(type, typespace)
  switch (resolved.kind) {
    case 'product':
      return readProduct(cursor, resolved.elements, typespace, () => `a ${resolved.elements.length}-element tuple`)
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

function readProduct(
  cursor: JsonCursor,
  elements: readonly Parameter[],
  typespace: Typespace,
  expected: () => string
): Value {
  const values: Value[] = []
  if (cursor.opens('{')) {
    const found = new Map<number, Value>()
    cursor.members((key) => {
      const position = elements.findIndex(({ name }) => name === key)
      if (position < 0) throw cursor.problem(`unknown field \`${key}\``)
      found.set(position, readValue(cursor, elements[position]?.type as AlgebraicType, typespace))
    })
    const missing = elements.findIndex((_, i) => !found.has(i))
    if (missing >= 0) throw cursor.problem(`missing field \`${elements[missing]?.name ?? missing}\``)
    return elements.map((_, i) => found.get(i) as Value)
  }
  if (!cursor.opens('[')) throw cursor.invalidType(cursor.scalar().described, expected())
  cursor.elements((index) => {
    const element = elements[index]
    if (element === undefined) throw cursor.problem('trailing characters')
    values.push(readValue(cursor, element.type, typespace))
  })
  if (values.length < elements.length) throw cursor.problem(`invalid length ${values.length}, expected ${expected()}`)
  return values
}

/** `{"variant": value}` or `[tag, value]`; `null` is an option's none. */
function readSum(cursor: JsonCursor, variants: readonly Parameter[], typespace: Typespace): Value {
  let sum: Value | undefined
  const variant = (key: string) => {
    const tag = /^\d+$/.test(key) ? Number(key) : variants.findIndex(({ name }) => name === key)
    const chosen = variants[tag]
    if (chosen === undefined) throw cursor.problem(`unknown variant \`${key}\``)
    return { tag, type: chosen.type }
  }
  if (cursor.opens('{')) {
    cursor.members((key) => {
      const { tag, type } = variant(key)
      sum = { tag, value: readValue(cursor, type, typespace) }
    })
    if (sum === undefined) throw cursor.problem('expected map representing sum type to have exactly one field')
    return sum
  }
  if (cursor.opens('[')) {
    let chosen: ReturnType<typeof variant> | undefined
    cursor.elements((index) => {
      if (index === 0) chosen = variant(String(cursor.scalar().value))
      else if (chosen !== undefined) sum = { tag: chosen.tag, value: readValue(cursor, chosen.type, typespace) }
    })
    if (sum === undefined) throw cursor.problem('expected seq representing sum type to have exactly two fields')
    return sum
  }
  const { value, described } = cursor.scalar()
  const none = variants.findIndex(({ name }) => name === 'none')
  if (value === null && none === 1 && variants.length === 2) return { tag: none, value: [] }
  throw cursor.invalidType(described, 'sum type')
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
  cursor.elements(() => items.push(read()))
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
