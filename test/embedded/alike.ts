import { isLosslessNumber, parse } from 'lossless-json'

/**
 * A body with what differs from run to run taken out: identities, tokens, times. `<identity>`, `<identity of owner>`
 * and the like, as recordings write them, become the same as the identity itself.
 */
export function comparable(body: string, contentType: string | undefined): unknown {
  if (contentType === 'application/json') return normal(parse(body))
  if (contentType === 'application/x-ndjson')
    return body.split('\n').flatMap((line) => (line === '' ? [] : [normal(parse(line))]))
  return masked(body)
}

/** A schema's JSON, in which the order of what it lists means nothing. */
export function comparableSchema(body: string): unknown {
  const schema = normal(parse(body)) as { sections?: object[] }
  const sections = schema.sections ?? Object.entries(schema).map(([kind, value]) => ({ [kind]: value }))
  return Object.fromEntries(
    sections.flatMap((section) => Object.entries(section)).map(([kind, list]) => [kind, unordered(list)])
  )
}

/** A JSON value whose lists are in an order of their own, but for types: there positions mean something. */
function unordered(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(unordered).sort((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isOrdered(key) ? inner : unordered(inner)])
  )
}

function isOrdered(key: string): boolean {
  return ['types', 'elements', 'BTree', 'Hash', 'primary_key'].includes(key)
}

function normal(value: unknown): unknown {
  if (typeof value === 'string') return masked(value)
  if (isLosslessNumber(value)) return isTime(value.value) ? '<time>' : value.value
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'total_duration_micros') return [key, '<micros>']
      return [
        key,
        key === 'reason'
          ? (inner as string)
              .replace(/^Errors occurred:\n/, '')
              .split('\n\n')
              .sort()
          : normal(inner)
      ]
    })
  )
}

function masked(text: string): string {
  return text
    .replace(/<micros since the epoch>/, '<time>')
    .replace(/<identity[^>]*>/g, '<identity>')
    .replace(/\bc200[0-9a-f]{60}\b|(?<=0x)c200[0-9a-f]{60}\b/g, '<identity>')
    .replace(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/, '<token>')
}

/** Microseconds since the epoch in the years 2020 to 2050. */
function isTime(digits: string): boolean {
  return /^\d{16}$/.test(digits) && digits > '1577836800000000' && digits < '2524608000000000'
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
