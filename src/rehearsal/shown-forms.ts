import { literalOf, type WritableKind } from './sql-values.ts'

/**
 * How a value of a row may show in a text: as answers to SQL have it, as checks and the `spacetime` CLI write it (src/smoke/shown-value.ts),
 * as a statement does, in Rust's debug form, and in JSON. Integers and floats under a million have none: they are ids and
 * counts, and stand in every text.
 */
export function shownForms(value: unknown, kind: WritableKind): readonly string[] {
  const literal = literalOf(kind, value)
  switch (kind) {
    case 'bool':
      return []
    case 'string':
      return typeof value === 'string' ? textForms(value) : []
    case 'bytes':
      return typeof value === 'string' ? bytesForms(value.toLowerCase()) : []
    case 'identity':
    case 'connection':
      return literal === undefined ? [] : hexForms(literal.slice(2))
    case 'uuid':
      return literal === undefined ? [] : uuidForms(literal.slice(2))
    default:
      return numberForms(value, literal)
  }
}

function textForms(value: string): string[] {
  const inOneLine = value.replace(/\s+/g, ' ').trim()
  return [value, inOneLine].flatMap((text) => {
    const json = inJson(text)
    return [text, json, inJson(json), inDebugForm(json), text.replaceAll("'", "''")]
  })
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Rust's debug form differs from JSON in the control characters (https://doc.rust-lang.org/std/primitive.char.html#method.escape_debug). */
function inDebugForm(json: string): string {
  return json
    .replaceAll('\\b', '\\u{8}')
    .replaceAll('\\f', '\\u{c}')
    .replace(/\\u00([01][0-9a-f])/g, (_, hex: string) => `\\u{${Number.parseInt(hex, 16).toString(16)}}`)
}

/** With `0x` and without, in small letters and capitals, and as the lists that bytes are elsewhere. */
function bytesForms(hex: string): string[] {
  const bytes = [...Buffer.from(hex, 'hex')]
  return [hex, hex.toUpperCase(), bytes.join(', '), bytes.join(',')]
}

function hexForms(digits: string): string[] {
  const bare = digits.replace(/^0+/, '')
  return [digits, bare].flatMap((hex) => [`0x${hex}`, hex, hex.toUpperCase()]).concat(`${BigInt(`0x${digits}`)}`)
}

function uuidForms(digits: string): string[] {
  const written = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return [written, written.toUpperCase(), ...hexForms(digits)]
}

function numberForms(value: unknown, literal: string | undefined): string[] {
  const number = typeof value === 'string' ? BigInt(literal ?? 0) : value
  if (typeof number !== 'number' && typeof number !== 'bigint') return []
  if (number < 1_000_000 && number > -1_000_000) return []
  return [
    `${number}`,
    ...(literal === undefined ? [] : [literal]),
    ...(typeof value === 'string' ? hexOfWide(value) : [])
  ]
}

/** Integers of 256 bits come in hex. */
function hexOfWide(value: string): string[] {
  const hex = value.replace(/^-?0x/i, '')
  return [`0x${hex}`, hex, hex.toUpperCase()]
}
