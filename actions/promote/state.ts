import * as z from 'zod'
import { defineState } from '../../src/action/state.ts'

/** What the post step needs to finish or undo what was under way: the folder in which its progress is kept. */
export const progressFolder = defineState('promote', z.object({ folder: z.string(), isOver: z.boolean() }))
