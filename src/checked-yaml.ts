import { open } from 'node:fs/promises'
import type * as z from 'zod'
import { ConfigurationError, messageOf } from './errors.ts'
import { problemsOf } from './schema-problems.ts'
import { longestYaml, type Path, type Place, type Problem, readYaml, type YamlDocument } from './yaml-document.ts'

/** A YAML file that is as its schema wants it, or everything that is wrong with it. */
export type CheckedYaml<Value> =
  | {
      readonly kind: 'valid'
      readonly value: Value
      /** Where in the file the value at a path begins. */
      readonly placeOf: (path: Path) => Place
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/**
 * Reads YAML and checks it. The schema's descriptions are what messages say is allowed, so each key needs one, and a
 * union too. Throws nothing.
 */
export function checkYaml<Schema extends z.ZodType>(bytes: Uint8Array, schema: Schema): CheckedYaml<z.output<Schema>> {
  const reading = readYaml(bytes)
  return reading.kind === 'read'
    ? checkDocument(reading.document, schema)
    : { kind: 'invalid', problems: [reading.problem] }
}

/** Checks YAML that is read already, as `checkYaml` does. */
export function checkDocument<Schema extends z.ZodType>(
  document: YamlDocument,
  schema: Schema
): CheckedYaml<z.output<Schema>> {
  const parsed = schema.safeParse(document.value)
  if (parsed.success) return { kind: 'valid', value: parsed.data, placeOf: (path) => document.placeOf(path) }
  return { kind: 'invalid', problems: problemsOf(parsed.error, schema, document) }
}

/**
 * The bytes of a file that is to be checked. Throws a `ConfigurationError` when there is none, when it is no file, and
 * when it is longer than `checkYaml` takes. `what` names it for messages: "file of steps".
 */
export async function readYamlBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    const file = await open(path)
    try {
      const status = await file.stat()
      if (!status.isFile()) throw new ConfigurationError(`The ${what} ${path} is no file.`)
      if (status.size > longestYaml) {
        throw new ConfigurationError(
          `The ${what} ${path} has ${status.size} bytes; at most ${longestYaml} are allowed.`
        )
      }
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof ConfigurationError ? error : unreadable(path, what, error)
  }
}

function unreadable(path: string, what: string, error: unknown): ConfigurationError {
  const { code } = error as { readonly code?: unknown }
  return code === 'ENOENT'
    ? new ConfigurationError(
        `There is no ${what} ${path}. A path is relative to the working directory; is the repository checked out?`
      )
    : new ConfigurationError(`The ${what} ${path} can't be read: ${messageOf(error)}`)
}

/** All that is wrong with a file, as one error with `file:line:column` before each problem. */
export function yamlError(path: string, problems: readonly Problem[]): ConfigurationError {
  const lines = problems.map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`)
  const [first = '', ...more] = lines
  if (more.length === 0) return new ConfigurationError(first)
  const shown = lines.slice(0, mostShown)
  const rest = lines.length > mostShown ? [`and ${lines.length - mostShown} more.`] : []
  return new ConfigurationError(
    [`${lines.length} things are wrong in ${path}:`, ...shown.map((line) => `- ${line}`), ...rest].join('\n')
  )
}

const mostShown = 20
