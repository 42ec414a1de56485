import { rehearsalJsonSchema } from '../src/rehearsal/report-json.ts'
import { seedJsonSchema } from '../src/rehearsal/seed-schema.ts'
import { checksJsonSchema } from '../src/smoke/checks-schema.ts'
import { reportJsonSchema } from '../src/smoke/report/json.ts'
import { stepsJsonSchema } from '../src/steps/steps-schema.ts'

/** The JSON Schemas of the files that users write or read, by which editors complete and programs check them. */
export function jsonSchemas(): { readonly path: string; readonly content: string }[] {
  return [
    { path: 'schemas/checks.schema.json', content: textOf(checksJsonSchema()) },
    { path: 'schemas/rehearsal-report.schema.json', content: textOf(rehearsalJsonSchema()) },
    { path: 'schemas/seed.schema.json', content: textOf(seedJsonSchema()) },
    { path: 'schemas/smoke-report.schema.json', content: textOf(reportJsonSchema()) },
    { path: 'schemas/steps.schema.json', content: textOf(stepsJsonSchema()) }
  ]
}

function textOf(schema: unknown): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}
