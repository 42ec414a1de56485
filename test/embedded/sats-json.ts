import { resolve, type Typespace } from '../../src/migration/type-structure.ts'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { SumValue, Value } from '../../src/module/bsatn.ts'

export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | RawJson
  | readonly Json[]
  | { readonly [key: string]: Json }

/** Text that is put into JSON as it is. */
export class RawJson {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** JSON text, without spaces. Bigints are numbers. */
export function stringify(json: Json): string {
  if (json instanceof RawJson) return json.text
  if (typeof json === 'bigint') return String(json)
  if (Array.isArray(json)) return `[${json.map(stringify).join(',')}]`
  if (typeof json !== 'object' || json === null) return JSON.stringify(json)
  return `{${Object.entries(json)
    .map(([key, value]) => `${JSON.stringify(key)}:${stringify(value)}`)
    .join(',')}}`
}

/** Products are lists of their values, or objects with the elements' names. */
export type ProductForm = 'list' | 'object'

/**
 * A value as the server writes it in rows and return values: sums are `[tag, value]`, bytes and 256-bit integers hex
 * (docs/server-behaviour.md, "Rows").
 */
export function valueJson(
  value: Value,
  type: AlgebraicType,
  typespace: Typespace,
  products: ProductForm = 'list'
): Json {
  const resolved = resolve(type, typespace)
  const inner = (part: Value | undefined, partType: AlgebraicType) =>
    valueJson(part as Value, partType, typespace, products)
  switch (resolved.kind) {
    case 'product': {
      const values = resolved.elements.map((element, i) => inner((value as Value[])[i], element.type))
      if (products === 'list') return values
      return Object.fromEntries(resolved.elements.map(({ name }, i) => [name ?? String(i), values[i] as Json]))
    }
    case 'sum': {
      const { tag, value: held } = value as SumValue
      return [tag, inner(held, resolved.variants[tag]?.type ?? { kind: 'product', elements: [] })]
    }
    case 'array':
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
      return (value as Value[]).map((item) => inner(item, resolved.element))
    case 'i256':
    case 'u256':
      return `0x${BigInt.asUintN(256, value as bigint).toString(16)}`
    case 'f32':
    case 'f64':
      return new RawJson(floatText(value as number, resolved.kind))
    default:
      return value as string | boolean | number | bigint
  }
}

/** An optional value as the server writes it in schemas. */
export function optionJson(value: Json | undefined): Json {
  return value === undefined ? { none: [] } : { some: value }
}

/** Powers of ten between which a float is written without an exponent. */
const plainPowers = { f32: { smallest: -6, greatest: 12 }, f64: { smallest: -5, greatest: 15 } }

/** The shortest decimal that reads back as the same number, with a fraction or an exponent. */
function floatText(value: number, kind: 'f32' | 'f64'): string {
  if (!Number.isFinite(value)) return 'null'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const digits = kind === 'f32' ? shortestF32(value) : value.toExponential()
  const [mantissa = '', exponent = '0'] = digits.split('e')
  const power = Number(exponent)
  const { smallest, greatest } = plainPowers[kind]
  if (power < smallest || power > greatest) return `${mantissa}e${power}`
  return Number(digits).toFixed(Math.max(1, mantissa.replace(/[-.]/g, '').length - 1 - power))
}

function shortestF32(value: number): string {
  for (let precision = 0; precision < 9; precision++) {
    const text = value.toExponential(precision)
    if (Math.fround(Number(text)) === value) return text
  }
  return value.toExponential(9)
}
