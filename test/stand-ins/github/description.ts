import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'

/** A schema of OpenAPI 3.0, or a part of the description that is not looked at closer. */
export type Schema = { readonly [name: string]: unknown }

type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

type Answered = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }

/** An operation of GitHub's REST API, as GitHub describes it. */
export type Operation = {
  /** GitHub's `operationId`. */
  readonly id: string
  readonly parameters: readonly Parameter[]
  readonly body: Schema | undefined
  readonly isBodyRequired: boolean
  readonly answers: Readonly<Record<string, Answered>>
}

/** What a request is by the description: its operation, and the parts of it with their types and defaults. */
export type Read = {
  readonly operation: Operation
  readonly path: Readonly<Record<string, string | number>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  /** What does not fit, in words; of the body apart, since GitHub looks over a strange query. */
  readonly problems: readonly string[]
  readonly bodyProblems: readonly string[]
}

type Route = { readonly method: string; readonly segments: readonly string[]; readonly operation: Operation }

type Source = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, Schema>>>>
}

const source = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/github-description.json'), 'utf8')
) as Source

const components = { $id: 'github', components: jsonSchemaOf(source.components) as Schema }
const strict = new Ajv({ strict: false, validateFormats: false, allErrors: true }).addSchema(components)
/** For what a URL has only texts of. */
const lenient = new Ajv({ strict: false, validateFormats: false, coerceTypes: true, useDefaults: true })
lenient.addSchema(components)

const routes = routesOf(source)

/** Of all operations that are described. */
export const operationIds: readonly string[] = routes.map(({ operation }) => operation.id)

const compiled = new Map<Schema, ValidateFunction>()

/** Finds the operation that a request asks for; `path` is what follows the API's URL, with its query. */
export function readRequest(method: string, path: string, body: Buffer): Read | undefined {
  const url = new URL(path, 'http://api')
  const segments = url.pathname.split('/').slice(1)
  const route = routes.find((each) => each.method === method.toLowerCase() && fits(each.segments, segments))
  if (route === undefined) return undefined
  const { operation } = route
  const values = route.segments.map((name, index) => [name, decodeURIComponent(segments[index] ?? '')] as const)
  const inPath = values.flatMap(([name, value]) => (name.startsWith('{') ? [[name.slice(1, -1), value] as const] : []))
  const read = { path: Object.fromEntries(inPath), query: Object.fromEntries(url.searchParams) }
  const names = operation.parameters.filter(({ in: place }) => place === 'query').map(({ name }) => name)
  const problems = [
    ...Object.keys(read.query).flatMap((name) => (names.includes(name) ? [] : [`it has no parameter ${name}`])),
    ...parameterProblems(operation, 'path', read.path),
    ...parameterProblems(operation, 'query', read.query)
  ]
  const sent = jsonIn(body)
  return { operation, ...read, body: sent, problems, bodyProblems: bodyProblems(operation, sent, body) }
}

/** What of an answer is not as GitHub describes it. */
export function answerProblems({ id, answers }: Operation, status: number, body: unknown): string[] {
  if (status >= 400) return []
  const answer = answers[status]
  if (answer === undefined) return [`${id} does not answer ${status}`]
  const schema = answer.content?.['application/json']?.schema
  if (schema === undefined) return body === undefined ? [] : [`${id} has no body at ${status}`]
  return problemsOf(strict, schema, body, 'the answer')
}

/** The schema of what an operation answers, where it answers anything. */
export function answerSchema({ answers }: Operation, status: number): Schema | undefined {
  return answers[status]?.content?.['application/json']?.schema
}

/** A schema that is referred to. */
export function resolved(schema: Schema): Schema {
  if (typeof schema.$ref !== 'string') return schema
  const [, , kind = '', name = ''] = schema.$ref.split('/')
  const found = source.components[kind]?.[name]
  if (found === undefined) throw new Error(`There is no ${schema.$ref}`)
  return resolved(found)
}

function routesOf({ paths }: Source): Route[] {
  const all = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      return { method, segments: path.split('/').slice(1), operation: operationOf(operation) }
    })
  )
  // What is named comes before what may be anything: `latest` before an id.
  const variables = ({ segments }: Route) => segments.filter((segment) => segment.startsWith('{')).length
  return all.sort((one, other) => variables(one) - variables(other))
}

function operationOf(described: Schema): Operation {
  const body = described.requestBody as { required?: boolean; content: Record<string, { schema: Schema }> } | undefined
  const answers = described.responses as Record<string, Schema>
  return {
    id: String(described.operationId),
    parameters: ((described.parameters ?? []) as Schema[]).map((each) => resolved(each) as unknown as Parameter),
    body: body?.content['application/json']?.schema,
    isBodyRequired: body?.required ?? false,
    answers: Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, resolved(answer)]))
  }
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part.startsWith('{') ? segments[index] !== '' : part === segments[index]))
  )
}

/** Gives the values the types and defaults that are described. */
function parameterProblems({ parameters }: Operation, place: 'path' | 'query', values: Record<string, unknown>) {
  const own = parameters.filter((parameter) => parameter.in === place)
  return own.flatMap(({ name, required, schema }) => {
    if (!required && values[name] === undefined) return []
    const holder = { value: values[name] }
    const validate = validatorOf(lenient, schema, (each) => ({ type: 'object', properties: { value: each } }))
    const problems = validate(holder) ? [] : [`${name} in its ${place} ${firstProblem(validate)}`]
    values[name] = holder.value
    return problems
  })
}

function bodyProblems({ id, body: schema, isBodyRequired }: Operation, json: unknown, bytes: Buffer): string[] {
  if (schema === undefined) return bytes.length === 0 ? [] : [`${id} takes no body`]
  if (bytes.length === 0) return isBodyRequired ? ['it has no body'] : []
  if (json === undefined) return ['its body is no JSON']
  const known = Object.keys((resolved(schema).properties ?? {}) as Schema)
  const unknown = Object.keys(Object(json)).filter((name) => !known.includes(name))
  return [...unknown.map((name) => `its body has no property ${name}`), ...problemsOf(strict, schema, json, 'its body')]
}

function problemsOf(ajv: Ajv, schema: Schema, value: unknown, what: string): string[] {
  const validate = validatorOf(ajv, schema, (each) => each)
  return validate(value) ? [] : [`${what} ${firstProblem(validate)}`]
}

function validatorOf(ajv: Ajv, schema: Schema, wrap: (schema: Schema) => Schema): ValidateFunction {
  const known = compiled.get(schema)
  if (known) return known
  const made = ajv.compile(wrap(jsonSchemaOf(schema) as Schema))
  compiled.set(schema, made)
  return made
}

function firstProblem({ errors }: ValidateFunction): string {
  const [error] = errors ?? []
  return `${error?.instancePath ?? ''} ${error?.message ?? 'does not fit'}`.trim()
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** OpenAPI 3.0 has a word of its own for what may be null (https://spec.openapis.org/oas/v3.0.3#schema-object). */
function jsonSchemaOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchemaOf)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...rest } = value as Schema
  const entries = Object.entries(rest).map(([name, each]) => {
    const isReference = name === '$ref' && typeof each === 'string'
    return [name, isReference ? each.replace(/^#/, 'github#') : jsonSchemaOf(each)] as const
  })
  const schema = Object.fromEntries(entries)
  return nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema
}
