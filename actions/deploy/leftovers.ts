import { defineState } from '../../src/action/state.ts'
import { leftoversSchema } from '../leftovers.ts'

/** What a rehearsal leaves for the post step: a server that it could not end, and a downloaded archive. */
export const leftovers = defineState('rehearsal', leftoversSchema)
