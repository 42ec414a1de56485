import { seedJsonSchema } from '../src/rehearsal/seed-schema.ts'
import { stepsJsonSchema } from '../src/steps/steps-schema.ts'

/** The JSON Schemas of the files that users write, by which editors complete and check them. */
export function jsonSchemas(): { readonly path: string; readonly content: string }[] {
  return [
    { path: 'schemas/seed.schema.json', content: `${JSON.stringify(seedJsonSchema(), null, 2)}\n` },
    { path: 'schemas/steps.schema.json', content: `${JSON.stringify(stepsJsonSchema(), null, 2)}\n` }
  ]
}
