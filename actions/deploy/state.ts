import { defineState } from '../../src/action/state.ts'
import { checkpointSchema } from '../../src/release/checkpoint.ts'

/** What the post step needs to finish or undo a deploy that was cut off. */
export const checkpoint = defineState('deploy', checkpointSchema)
