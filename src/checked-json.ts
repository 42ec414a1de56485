import type * as z from 'zod'
import { ConfigurationError, messageOf } from './errors.ts'

/** What a file of JSON holds. Throws a `ConfigurationError` that names the file, `origin`, when it is none. */
export function parseJson(text: string, origin: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConfigurationError(`${origin} is not JSON: ${messageOf(error)}`)
  }
}

/** The first thing that is wrong with a value, and where: `module.hash: not 64 hex digits`. */
export function firstIssue({ issues: [issue] }: z.ZodError): string {
  const path = issue?.path.join('.')
  return `${path ? `${path}: ` : ''}${issue?.message}`
}
