import * as z from 'zod'

/** The JSON Schema (draft 7) of a file that users write, by which editors complete and check it. */
export function editorSchema(title: string, schema: z.ZodType): unknown {
  return {
    title,
    ...z.toJSONSchema(schema, {
      io: 'input',
      target: 'draft-7',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema._zod.def.type === 'bigint') jsonSchema.type = 'integer'
      }
    })
  }
}
