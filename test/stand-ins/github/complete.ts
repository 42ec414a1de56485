import { resolved, type Schema } from './description.ts'

/**
 * An answer with the properties that GitHub's has and the stand-in keeps nothing of: null where that may be, or the
 * description's own example. Nothing that is there is changed.
 */
export function complete(schema: Schema, value: unknown): unknown {
  const described = whole(schema)
  if (Array.isArray(value)) return value.map((each) => complete((described.items ?? anything) as Schema, each))
  if (typeof value !== 'object' || value === null) return value
  const properties = (described.properties ?? {}) as Readonly<Record<string, Schema>>
  const given = Object.entries(value).map(
    ([name, each]) => [name, complete(properties[name] ?? anything, each)] as const
  )
  const missing = ((described.required ?? []) as readonly string[]).filter((name) => !Object.hasOwn(value, name))
  return Object.fromEntries([
    ...given,
    ...missing.map((name) => [name, sampleOf(properties[name] ?? anything)] as const)
  ])
}

/** Of what nothing is described. */
const anything: Schema = {}

const known = new WeakMap<Schema, Schema>()

function whole(schema: Schema): Schema {
  const made = known.get(schema) ?? merged(schema)
  known.set(schema, made)
  return made
}

/** With what `allOf` adds, and the first of alternatives that is an object. */
function merged(schema: Schema): Schema {
  const own = resolved(schema)
  const { allOf = [], anyOf = [], oneOf = [] } = own as Readonly<Record<string, readonly Schema[]>>
  const alternatives = [...anyOf, ...oneOf].map(whole)
  const chosen = alternatives.find(({ properties }) => properties !== undefined) ?? alternatives[0]
  const parts = [...allOf.map(whole), ...(chosen ? [chosen] : []), own]
  const properties = Object.assign({}, ...parts.map((part) => part.properties))
  const required = parts.flatMap((part) => (part.required ?? []) as readonly string[])
  return Object.assign({}, ...parts, { properties, required })
}

function sampleOf(schema: Schema): unknown {
  const described = whole(schema)
  if (described.nullable === true) return null
  if (Array.isArray(described.enum)) return described.enum[0]
  switch (described.type) {
    case 'string':
      return typeof described.example === 'string' ? described.example : sampleText(described.format)
    case 'integer':
    case 'number':
      return typeof described.example === 'number' ? described.example : 1
    case 'boolean':
      return false
    case 'array':
      return []
    default:
      return complete(described, {})
  }
}

function sampleText(format: unknown): string {
  if (format === 'date-time') return '2026-01-01T00:00:00Z'
  return format === 'uri' ? 'https://api.github.com/' : ''
}
