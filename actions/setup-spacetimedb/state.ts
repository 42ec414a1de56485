import { rm } from 'node:fs/promises'
import * as z from 'zod'
import { defineState } from '../../src/action/state.ts'
import { systemClock } from '../../src/clock.ts'
import { serverProcessSchema, stopProcess } from '../../src/setup/server-process.ts'

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

/** Saves each thing that is left as soon as it is there, so that the post step finds it even after a kill. */
export class LeftoversKeeper {
  readonly root: string
  #all: Leftovers

  constructor(root: string) {
    this.root = root
    this.#all = { root }
    leftovers.save(this.#all)
  }

  add(more: Omit<Partial<Leftovers>, 'root'>): void {
    this.#all = { ...this.#all, ...more }
    leftovers.save(this.#all)
  }

  /** Ends and removes all of it, after a failure: nothing is left for anybody. */
  async remove(): Promise<void> {
    if (this.#all.server) await stopProcess(this.#all.server, systemClock)
    await rm(this.root, { recursive: true, force: true })
    this.#all = { root: this.root }
    leftovers.save(this.#all)
  }
}
