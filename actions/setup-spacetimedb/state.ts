import * as z from 'zod'
import { defineState } from '../../src/action/state.ts'
import { serverProcessSchema } from '../../src/setup/server-process.ts'

/** What the main step leaves for the post step to end, to keep or to remove. */
export const leftovers = defineState(
  'setup',
  z.object({
    /** The folder of this setup. */
    root: z.string(),
    server: serverProcessSchema.optional(),
    /** A downloaded archive, for the cache. */
    archive: z.object({ key: z.string(), name: z.string(), file: z.string() }).optional()
  })
)

export type Leftovers = Exclude<ReturnType<typeof leftovers.read>, undefined>
