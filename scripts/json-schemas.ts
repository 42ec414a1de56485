import { checksJsonSchema } from '../src/smoke/checks-schema.ts'
import { stepsJsonSchema } from '../src/steps/steps-schema.ts'

/** The JSON Schemas of the files that users write, by which editors complete and check them. */
export function jsonSchemas(): { readonly path: string; readonly content: string }[] {
  return [
    { path: 'schemas/checks.schema.json', content: textOf(checksJsonSchema()) },
    { path: 'schemas/steps.schema.json', content: textOf(stepsJsonSchema()) }
  ]
}

function textOf(schema: unknown): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}
