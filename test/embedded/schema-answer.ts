import { schemaJson } from '../../src/module/schema-json.ts'
import { HttpError } from './http-error.ts'
import type { Program } from './program.ts'
import { type Json, stringify } from './sats-json.ts'

/** The body of `GET …/schema?version=N`. */
export function schemaAnswer(program: Program, version: string | null): string {
  if (version === null) throw new HttpError(400, 'Failed to deserialize query string: missing field `version`')
  if (version !== '9' && version !== '10')
    throw new HttpError(
      400,
      `Failed to deserialize query string: unknown variant \`${version}\`, expected \`9\` or \`10\``
    )
  if (program.raw === undefined) throw new HttpError(501, 'the embedded server has no raw schema of JavaScript modules')
  return stringify(schemaJson(program.raw) as Json)
}
