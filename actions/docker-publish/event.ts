import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { Environment } from '../../src/action/inputs.ts'
import type { GitEvent } from '../../src/image/git-event.ts'

/** What a run says of itself and its repository, as far as an image is named and labelled after it. */
export type RunFacts = {
  readonly event: GitEvent
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly licenses?: string | undefined
  /** When the newest commit of a push was made, in seconds since the epoch. */
  readonly pushedCommitTime?: number | undefined
}

/** Reads the event of a run; outside of a run there is next to nothing in it. What can't be read is left out. */
export async function readRunFacts(environment: Environment): Promise<RunFacts> {
  const { GITHUB_EVENT_PATH: path, GITHUB_EVENT_NAME: name = '', GITHUB_REF: ref = '', GITHUB_SHA = '' } = environment
  const payload = payloadSchema.safeParse(
    await readFile(path ?? '', 'utf8')
      .then(JSON.parse)
      .catch(() => ({}))
  )
  const { repository, pull_request: request, head_commit: head } = payload.data ?? {}
  const event = {
    name,
    ref,
    commit: GITHUB_SHA,
    defaultBranch: repository?.default_branch,
    pullRequest: pullRequestOf(name, ref, request?.number),
    baseBranch: request?.base.ref ?? environment.GITHUB_BASE_REF
  }
  return {
    event,
    title: repository?.name,
    description: repository?.description ?? undefined,
    licenses: licenceOf(repository?.license?.spdx_id),
    pushedCommitTime: head && head.id === GITHUB_SHA ? secondsOf(head.timestamp) : undefined
  }
}

/**
 * A pull request's runs have its merge as their ref, but for `pull_request_target`, which has the branch that it goes to
 * (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows).
 */
function pullRequestOf(name: string, ref: string, number: number | undefined): number | undefined {
  const inRef = /^refs\/pull\/(\d+)\//.exec(ref)?.[1]
  if (inRef !== undefined) return Number(inRef)
  return name === 'pull_request' || name === 'pull_request_target' ? number : undefined
}

/** GitHub says NOASSERTION of a licence that it does not know. */
function licenceOf(spdx: string | null | undefined): string | undefined {
  return spdx && spdx !== 'NOASSERTION' ? spdx : undefined
}

function secondsOf(timestamp: string): number | undefined {
  const milliseconds = Date.parse(timestamp)
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000)
}

/** https://docs.github.com/webhooks/webhook-events-and-payloads */
const payloadSchema = z.object({
  repository: z
    .object({
      name: z.string(),
      default_branch: z.string().optional(),
      description: z.string().nullish(),
      license: z.object({ spdx_id: z.string().nullish() }).nullish()
    })
    .optional(),
  pull_request: z.object({ number: z.number(), base: z.object({ ref: z.string() }) }).optional(),
  head_commit: z.object({ id: z.string(), timestamp: z.string() }).nullish()
})
