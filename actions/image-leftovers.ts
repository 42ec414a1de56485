import { rm } from 'node:fs/promises'
import * as z from 'zod'
import { warn } from '../src/action/annotations.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { defineState } from '../src/action/state.ts'
import { messageOf } from '../src/errors.ts'
import { removeImage, removeTrial } from '../src/image/container.ts'
import type { Docker } from '../src/image/docker.ts'
import { dockerIn } from './docker-program.ts'

const leftSchema = z.object({
  /** A folder of this step alone: the configuration of docker with its login, build secrets. */
  root: z.string(),
  /** The name of a container that may run. */
  container: z.string().optional(),
  /** A name in the engine that only this step uses. */
  image: z.string().optional()
})

/** What a step leaves for its post step to remove. */
type Left = z.output<typeof leftSchema>

const left = defineState('image', leftSchema)

/** Saves what is to be removed before it is there, so that the post step finds it even after a kill. */
export class LeftKeeper {
  #all: Left

  constructor(root: string) {
    this.#all = { root }
    left.save(this.#all)
  }

  get root(): string {
    return this.#all.root
  }

  add(more: Omit<Left, 'root'>): void {
    this.#all = { ...this.#all, ...more }
    left.save(this.#all)
  }

  /** Removes all of it, but for what can't be removed: that the post step tries again. */
  async remove(docker: Docker): Promise<void> {
    await removeLeft(this.#all, docker)
    this.#all = { root: this.#all.root }
    left.save(this.#all)
  }
}

/** Removes what a step left. The login and the secrets go whatever happens with the rest. */
async function removeLeft({ root, container, image }: Left, docker: Docker): Promise<void> {
  try {
    if (container !== undefined) await removeTrial(docker, container)
    if (image !== undefined) await removeImage(docker, image)
  } catch (error) {
    warn('Not all of an image was removed', messageOf(error))
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** In a post step: removes the login, the build secrets and the container, where the main step was cut off before it did. */
export async function removeLeftImage(environment: Environment): Promise<void> {
  const all = left.read(environment)
  if (all === undefined) return
  await removeLeft(all, dockerIn(all.root, environment))
  log('The login and what else was only for this step are removed.')
}
