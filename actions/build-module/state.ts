import * as z from 'zod'
import { defineState } from '../../src/action/state.ts'

/** What the post step keeps in the cache. Saved by a main step that succeeded, so that nothing is kept of another. */
export const toKeep = defineState(
  'build_module',
  z.array(
    z.object({
      key: z.string(),
      paths: z.array(z.string()),
      /** Where cargo's results lie, and what of them is the project's own. */
      cargo: z
        .object({
          folders: z.array(z.string()),
          crates: z.array(z.string()),
          modules: z.array(z.object({ size: z.int(), sha256: z.string() }))
        })
        .optional()
    })
  )
)

export type ToKeep = NonNullable<ReturnType<typeof toKeep.read>>
