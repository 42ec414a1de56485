import type { AlgebraicType, Element, Variant } from '../module/algebraic-type.ts'
import { resolve, type Typespace } from '../module/typespace.ts'

/** What a check can be written with. */
export type Scalar = number | bigint | string | boolean | null

/** A value of a database as checks show and compare it. */
export type ShownValue = {
  /** As `spacetime sql` shows it; lists in brackets, which it leaves out. */
  readonly text: string
  /** What its author may write for it in a check; none of them is the value of another kind. */
  readonly means: readonly Scalar[]
}

/**
 * A value as a server's JSON has it, with the names that its type gives it. Structs are read as lists and as maps: SQL
 * answers and updates have lists, the first rows of a subscription maps (docs/server-behaviour.md, "Rows"). Of a type
 * that is not known, what JSON itself tells.
 */
export function shownValue(json: unknown, type: AlgebraicType | undefined, typespace: Typespace): ShownValue {
  if (type === undefined) return plain(json)
  const structure = resolve(type, typespace)
  switch (structure.kind) {
    case 'product':
      return shownProduct(json, structure.elements, typespace)
    case 'sum':
      return shownSum(json, structure.variants, typespace)
    case 'array':
      return shownArray(json, structure.element, typespace)
    case 'i256':
      return plain(wideInteger(json, (value) => BigInt.asIntN(256, value)))
    case 'u256':
      return plain(wideInteger(json, (value) => value))
    default:
      return plain(json)
  }
}

function plain(json: unknown): ShownValue {
  switch (typeof json) {
    case 'string':
      return { text: `"${json}"`, means: [json] }
    case 'number':
      return { text: Object.is(json, -0) ? '-0' : String(json), means: [json] }
    case 'bigint':
    case 'boolean':
      return { text: String(json), means: [json] }
    default:
      return json === null ? { text: 'null', means: [null] } : textOnly(jsonText(json))
  }
}

/** JSON in one line; bigints are numbers. */
export function jsonText(json: unknown): string {
  if (typeof json === 'bigint') return String(json)
  if (Array.isArray(json)) return `[${json.map(jsonText).join(', ')}]`
  if (typeof json !== 'object' || json === null) return JSON.stringify(json) ?? 'nothing'
  const entries = Object.entries(json).map(([key, value]) => `${JSON.stringify(key)}: ${jsonText(value)}`)
  return `{${entries.join(', ')}}`
}

function textOnly(text: string): ShownValue {
  return { text, means: [text] }
}

/** 256-bit integers are hex in JSON. */
function wideInteger(json: unknown, sign: (value: bigint) => bigint): unknown {
  return typeof json === 'string' && /^0x[0-9a-f]{1,64}$/i.test(json) ? sign(BigInt(json)) : json
}

function shownProduct(json: unknown, elements: readonly Element[], typespace: Typespace): ShownValue {
  const fields = elements.map(({ name = '' }, at) => fieldOf(json, name, at))
  const special = elements.length === 1 ? reserved[elements[0]?.name ?? ''] : undefined
  const shown = special?.(fields[0])
  if (shown !== undefined) return shown
  const parts = elements.map(
    ({ name, type }, at) => `${name ?? `col_${at}`} = ${shownValue(fields[at], type, typespace).text}`
  )
  return textOnly(`(${parts.join(', ')})`)
}

/** A field of a struct, or a column of a row, that is a list or a map. */
export function fieldOf(json: unknown, name: string, at: number): unknown {
  if (Array.isArray(json)) return json[at]
  return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>)[name] : undefined
}

function shownArray(json: unknown, element: AlgebraicType, typespace: Typespace): ShownValue {
  if (typeof json === 'string') return hex(json)
  if (!Array.isArray(json)) return plain(json)
  return textOnly(`[${json.map((item) => shownValue(item, element, typespace).text).join(', ')}]`)
}

function shownSum(json: unknown, variants: readonly Variant[], typespace: Typespace): ShownValue {
  const [tag, inner] = Array.isArray(json) ? json : []
  const variant = variants[Number(tag)]
  if (variant === undefined) return plain(json)
  const name = variant.name ?? `col_${tag}`
  const content = shownValue(inner, variant.type, typespace)
  const text = `(${name} = ${content.text})`
  if (isOption(variants)) {
    const means = name === 'none' ? [null] : content.means.filter((meant) => meant !== null)
    return { text, means: [...means, text] }
  }
  return { text, means: isEmpty(variant.type) ? [name, text] : [text] }
}

/** Whether it is what Rust calls an `Option`: SpacetimeDB has no null besides. */
export function isOption(variants: readonly Variant[]): boolean {
  return variants.map(({ name }) => name).join() === 'some,none'
}

/** Whether it is what Rust calls a `Result`. */
export function isResult(variants: readonly Variant[]): boolean {
  return variants.map(({ name }) => name).join() === 'ok,err'
}

function isEmpty(type: AlgebraicType): boolean {
  return type.kind === 'product' && type.elements.length === 0
}

/** SpacetimeDB's own types are structs of one field with a reserved name. */
const reserved: Readonly<Record<string, (json: unknown) => ShownValue | undefined>> = {
  __identity__: (json) => (typeof json === 'string' ? hex(json, 64) : undefined),
  __connection_id__: (json) => digits(json, (value) => hex(value.toString(16), 32)),
  __timestamp_micros_since_unix_epoch__: (json) => digits(json, (value) => timestamp(value)),
  __time_duration_micros__: (json) => digits(json, (value) => timeDuration(value)),
  __uuid__: (json) => digits(json, (value) => uuid(value))
}

function digits(json: unknown, show: (value: bigint) => ShownValue): ShownValue | undefined {
  const isInteger = typeof json === 'bigint' || Number.isInteger(json)
  return isInteger ? show(BigInt(json as number | bigint)) : undefined
}

function hex(given: string, length = 0): ShownValue {
  const bare = given.replace(/^0x/i, '').toLowerCase().padStart(length, '0')
  return { text: `0x${bare}`, means: [`0x${bare}`, bare] }
}

/** RFC 3339, with as many digits of a second as there have to be: none, three or six. */
function timestamp(micros: bigint): ShownValue {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const second = new Date(Number((micros - rest) / 1000n))
  if (Number.isNaN(second.getTime())) return { text: String(micros), means: [micros] }
  const fraction = String(rest).padStart(6, '0').replace(/000$/, '')
  const time = second.toISOString().slice(0, -5) + (rest === 0n ? '' : `.${fraction}`)
  return { text: `${time}+00:00`, means: [micros, `${time}+00:00`, `${time}Z`] }
}

/** Seconds with their sign and six digits behind the point. */
function timeDuration(micros: bigint): ShownValue {
  const length = micros < 0n ? -micros : micros
  const text = `${micros < 0n ? '-' : '+'}${length / 1_000_000n}.${String(length % 1_000_000n).padStart(6, '0')}`
  return { text, means: [micros, text] }
}

function uuid(value: bigint): ShownValue {
  const bare = value.toString(16).padStart(32, '0')
  const text = bare.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return { text: `"${text}"`, means: [text] }
}
