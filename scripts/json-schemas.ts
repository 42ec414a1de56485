import { reportJsonSchema } from '../src/smoke/report/json.ts'
import { stepsJsonSchema } from '../src/steps/steps-schema.ts'

/** The JSON Schemas of the files that users write or read, by which editors complete and programs check them. */
export function jsonSchemas(): { readonly path: string; readonly content: string }[] {
  return [
    { path: 'schemas/smoke-report.schema.json', content: `${JSON.stringify(reportJsonSchema(), null, 2)}\n` },
    { path: 'schemas/steps.schema.json', content: `${JSON.stringify(stepsJsonSchema(), null, 2)}\n` }
  ]
}
