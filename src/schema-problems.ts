import { closestMatch } from 'leven'
import * as z from 'zod'
import { inOneLine } from './one-line.ts'
import type { Path, Problem, YamlDocument } from './yaml-document.ts'

/**
 * What a schema finds wrong with a document, for its author: where, which key, what was given, what is allowed, which
 * known key an unknown one may be meant as. What is allowed is what the schema's `describe` says.
 */
export function problemsOf(error: z.ZodError, schema: z.ZodType, document: YamlDocument): Problem[] {
  const problems = explainAll(error.issues, { schema, path: [], document })
  // Two rules that one value breaks are told by one description.
  const distinct = new Map(problems.map((problem) => [`${problem.line}:${problem.column} ${problem.message}`, problem]))
  return [...distinct.values()]
}

type Issue = z.core.$ZodIssue

/** The part of the document, and of its schema, that an issue's path starts from. */
type Base = { readonly schema: z.ZodType; readonly path: Path; readonly document: YamlDocument }

/** The value at a path, with its schema where that is known. */
type Spot = Base & { readonly value: unknown }

/** A map with a key that is not known tells that; what it breaks by lacking the right one needs no telling. */
function explainAll(issues: readonly Issue[], base: Base): Problem[] {
  const misspelt = new Set(issues.flatMap(({ code, path }) => (code === 'unrecognized_keys' ? [path.join('\0')] : [])))
  return issues
    .filter((issue) => !(isUnsaid(issue) && misspelt.has(issue.path.join('\0'))))
    .flatMap((issue) => explain(issue, base))
}

function isUnsaid({ code, message }: Issue): boolean {
  return code === 'custom' && message === unsaid
}

function explain(issue: Issue, base: Base): Problem[] {
  const spot = spotAt(base, issue.path)
  if (issue.code === 'unrecognized_keys') return unknownKeys(spot, issue.keys, keysOf(spot.schema, spot.value))
  if (spot.value === undefined) return [missing(spot)]
  if (issue.code === 'invalid_union') return explainUnion(issue.errors, spot)
  if (issue.code === 'custom' && !isUnsaid(issue)) {
    return [problemAt(spot, `${labelOf(spot)}: ${issue.message}`)]
  }
  return [wrongValue(spot)]
}

/** What zod says of a refinement that says nothing itself. */
const unsaid = 'Invalid input'

function explainUnion(errors: readonly (readonly Issue[])[], spot: Spot): Problem[] {
  const { options } = unwrap(spot.schema) as z.ZodUnion<readonly z.ZodType[]>
  const chosen = chooseOption(options, spot.value)
  const index = chosen === undefined ? -1 : options.indexOf(chosen)
  if (chosen !== undefined) return explainAll(errors[index] ?? [], { ...spot, schema: chosen })
  const objects = objectsOf(options)
  return isMap(spot.value) && objects.length > 1 ? noSuchKind(objects, spot, spot.value) : [wrongValue(spot)]
}

/** A map that is of several kinds at once, or of none. */
function noSuchKind(kinds: readonly z.ZodObject[], spot: Spot, value: YamlMap): Problem[] {
  const telling = [...new Set(kinds.flatMap((kind) => tellingKeys(kind, kinds)))]
  const given = telling.filter((key) => Object.hasOwn(value, key))
  const [, second] = given
  if (second !== undefined) {
    const message = `${labelOf(spot)} has ${quoted(given)}, of which it can have only one.`
    return [{ ...spot.document.placeOfKey([...spot.path, second]), message }]
  }
  const known = [...new Set(kinds.flatMap((kind) => Object.keys(kind.shape)))]
  const unknown = Object.keys(value).filter((key) => !known.includes(key))
  const none = problemAt(spot, `${labelOf(spot)} needs one of the keys ${quoted(telling)}.`)
  return [none, ...unknownKeys(spot, unknown, known)]
}

function unknownKeys(spot: Spot, keys: readonly string[], known: readonly string[]): Problem[] {
  return keys.map((key) => {
    const near = closestMatch(key, known, { maxDistance: Math.max(1, Math.floor(key.length / 2)) })
    const allowed = known.length <= mostAllowed ? ` Allowed: ${quoted(known)}.` : ''
    const question = near === undefined ? '' : ` Did you mean \`${near}\`?`
    const message = `\`${inOneLine(key)}\` is no key that is known here.${allowed}${question}`
    return { ...spot.document.placeOfKey([...spot.path, key]), message }
  })
}

/** More keys than that, of all kinds together, are no help. */
const mostAllowed = 30

function missing(spot: Spot): Problem {
  const around = spot.path.slice(0, -1)
  const where = around.length === 0 ? '' : ` in ${labelOf({ ...spot, path: around })}`
  return problemAt(spot, `${labelOf(spot)} is missing${where}. ${allowed(spot)}`)
}

function wrongValue(spot: Spot): Problem {
  return problemAt(spot, `${labelOf(spot)} is ${shown(spot.value)}, which does not fit. ${asSentence(allowed(spot))}`)
}

function problemAt({ document, path }: Spot, message: string): Problem {
  return { ...document.placeOf(path), message: message.trimEnd() }
}

function asSentence(text: string): string {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return /[^.]$/.test(sentence) ? `${sentence}.` : sentence
}

/** What the schema says about itself, or what it wraps says. */
function allowed({ schema }: Spot): string {
  return layersOf(schema).find(({ description }) => description !== undefined)?.description ?? ''
}

function labelOf({ path, document }: Pick<Spot, 'path' | 'document'>): string {
  const last = path.at(-1)
  if (last === undefined) return `The ${document.what}`
  if (typeof last !== 'number') return `\`${inOneLine(String(last))}\``
  const around = path.slice(0, -1)
  return `Item ${last + 1} of ${around.length === 0 ? `the ${document.what}` : labelOf({ path: around, document })}`
}

function shown(value: unknown): string {
  if (value === null || value === '') return 'empty'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  switch (typeof value) {
    case 'object':
      return Object.keys(value as object).length === 0 ? 'an empty map' : 'a map'
    case 'string':
      return `the text \`${inOneLine(value)}\``
    case 'boolean':
      return `\`${value}\``
    default:
      return `the number \`${inOneLine(String(value))}\``
  }
}

function quoted(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join(', ')
}

type YamlMap = Readonly<Record<string, unknown>>

function isMap(value: unknown): value is YamlMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Follows a path through values and their schema alike. */
function spotAt(base: Base, path: Path): Spot {
  let schema = base.schema
  let value = valueAt(base.document.value, base.path)
  for (const step of path) {
    schema = schemaOfPart(schema, step, value)
    value = partOf(value, step)
  }
  return { schema, path: [...base.path, ...path], document: base.document, value }
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce(partOf, value)
}

function partOf(value: unknown, step: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(step)]
  return isMap(value) && Object.hasOwn(value, step) ? value[String(step)] : undefined
}

function schemaOfPart(schema: z.ZodType, step: PropertyKey, value: unknown): z.ZodType {
  const whole = unwrap(schema)
  if (whole instanceof z.ZodArray) return whole.element as z.ZodType
  if (whole instanceof z.ZodRecord) return whole.valueType as z.ZodType
  if (whole instanceof z.ZodObject) return (whole.shape[String(step)] as z.ZodType | undefined) ?? z.unknown()
  if (whole instanceof z.ZodUnion) {
    const option = chooseOption(whole.options as readonly z.ZodType[], value)
    return option === undefined ? z.unknown() : schemaOfPart(option, step, value)
  }
  return z.unknown()
}

/** Which of a union's options a value is meant as: for a map, the one whose telling keys it has. */
function chooseOption(options: readonly z.ZodType[], value: unknown): z.ZodType | undefined {
  if (!isMap(value)) return undefined
  const objects = objectsOf(options)
  if (objects.length === 1) return options.find((option) => unwrap(option) === objects[0])
  const fitting = objects.filter((object) => tellingKeys(object, objects).some((key) => Object.hasOwn(value, key)))
  return fitting.length === 1 ? options.find((option) => unwrap(option) === fitting[0]) : undefined
}

function objectsOf(options: readonly z.ZodType[]): z.ZodObject[] {
  return options.map(unwrap).filter((option) => option instanceof z.ZodObject)
}

/** The keys that only maps of this kind have. */
function tellingKeys(kind: z.ZodObject, kinds: readonly z.ZodObject[]): string[] {
  const others = kinds.filter((other) => other !== kind)
  return Object.keys(kind.shape).filter(
    (key) => !isOptional(kind.shape[key]) && !others.some(({ shape }) => key in shape)
  )
}

function keysOf(schema: z.ZodType, value: unknown): string[] {
  const whole = unwrap(schema)
  if (whole instanceof z.ZodObject) return Object.keys(whole.shape)
  const option = whole instanceof z.ZodUnion && chooseOption(whole.options as readonly z.ZodType[], value)
  return option ? keysOf(option, value) : []
}

function isOptional(schema: z.ZodType): boolean {
  return layersOf(schema).some(allowsNothing)
}

/** What says which form a value has, without defaults and transformations around it. */
function unwrap(schema: z.ZodType): z.ZodType {
  return layersOf(schema).at(-1) ?? schema
}

/** A schema and what it wraps, the outermost first. */
function layersOf(schema: z.ZodType): z.ZodType[] {
  const inner = innerOf(schema)
  return inner === undefined ? [schema] : [schema, ...layersOf(inner)]
}

function innerOf(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodPipe) return schema.in as z.ZodType
  return allowsNothing(schema) ? (schema.unwrap() as z.ZodType) : undefined
}

function allowsNothing(schema: z.ZodType) {
  return (
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault
  )
}
