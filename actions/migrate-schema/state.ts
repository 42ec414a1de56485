import { defineState } from '../../src/action/state.ts'
import { checkpointSchema } from '../../src/release/checkpoint.ts'

/** What the post step needs to say in which state a cut-off apply left the database. */
export const checkpoint = defineState('migrate-schema', checkpointSchema)
