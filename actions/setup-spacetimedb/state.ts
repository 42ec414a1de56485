import { defineState } from '../../src/action/state.ts'
import { leftoversSchema } from '../leftovers.ts'

/** What the main step leaves for the post step to end, to keep or to remove. */
export const leftovers = defineState('setup', leftoversSchema)
