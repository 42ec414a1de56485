import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { Environment } from './inputs.ts'

/**
 * Whether a run is caused by somebody who may not write to the repository: a pull request from a fork, or what follows on
 * a run of one. What such a run leaves in a cache, others would use. Also true of an event that can't be read.
 */
export async function isFromFork({ GITHUB_EVENT_PATH: path, GITHUB_REPOSITORY: own }: Environment): Promise<boolean> {
  if (!path) return false
  const event = eventSchema.safeParse(
    await readFile(path, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined)
  )
  if (!event.success) return true
  const { pull_request: request, workflow_run: run } = event.data
  const heads = [...(request ? [request.head.repo] : []), ...(run ? [run.head_repository] : [])]
  return heads.some((head) => head?.full_name !== own)
}

/** A fork that was deleted meanwhile is `null`. https://docs.github.com/webhooks/webhook-events-and-payloads */
const repository = z.object({ full_name: z.string() }).nullish()

const eventSchema = z.object({
  pull_request: z.object({ head: z.object({ repo: repository }) }).optional(),
  workflow_run: z.object({ head_repository: repository }).optional()
})
