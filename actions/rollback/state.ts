import { defineState } from '../../src/action/state.ts'
import { checkpointSchema } from '../../src/release/checkpoint.ts'

/** What the post step needs to say in which state a cut-off rollback left the database. */
export const checkpoint = defineState('rollback', checkpointSchema)
