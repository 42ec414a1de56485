import * as z from 'zod'
import { defineState } from '../../src/action/state.ts'
import { checkpointSchema } from '../../src/release/checkpoint.ts'

/** What the post step needs to finish a publish that was cut off. */
export const checkpoint = defineState('preview', checkpointSchema)

/** The new preview that is being filled; `null` when there is none. */
export const unfilled = defineState('unfilled', z.object({ prefix: z.string(), number: z.int() }).nullable())
