import * as core from '@actions/core'
import type * as z from 'zod'
import { ConfigurationError } from '../errors.ts'
import type { Environment } from './inputs.ts'
import { isOnRunner } from './runner.ts'

/** Something that an action's main step leaves for its post step. */
export type State<T> = {
  /** Replaces what was saved before. Kept even when the job is killed right afterwards. */
  save(value: T): void
  /** In the post step: what the main step saved last; `undefined` when it saved nothing. */
  read(environment: Environment): T | undefined
}

/** State of a name, in JSON. Never secrets: the runner keeps it in a file in clear. */
export function defineState<Schema extends z.ZodType>(name: string, schema: Schema): State<z.output<Schema>> {
  return {
    save: (value) => {
      // Elsewhere there is no post step to read it.
      if (isOnRunner()) core.saveState(name, JSON.stringify(value))
    },
    read: (environment) => {
      const saved = environment[`STATE_${name}`]
      if (!saved) return undefined
      const parsed = schema.safeParse(jsonOf(saved))
      if (parsed.success) return parsed.data
      throw new ConfigurationError(
        `The state \`${name}\` that the main step left can't be read. Both steps must be of the same version.`
      )
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
