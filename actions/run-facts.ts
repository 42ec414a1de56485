import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { Environment } from '../src/action/inputs.ts'
import type { GitEvent, Stage } from '../src/image/git-event.ts'

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
  const change = changeIn(name, ref, payload.data ?? {})
  const event = {
    name,
    ref,
    commit: change?.commit ?? GITHUB_SHA,
    stage: stageOf(change, repository?.full_name ?? environment.GITHUB_REPOSITORY),
    defaultBranch: repository?.default_branch,
    pullRequest: change?.pullRequest,
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

/** Changes that are not merged yet. */
type Change = {
  readonly pullRequest?: number | undefined
  /** Where it is another one than that of the run. */
  readonly commit?: string | undefined
  /** The repository that they come from, `owner/name`; `undefined` when it is gone. */
  readonly from: string | undefined
}

/**
 * The changes that a run is about. The runs of a pull request have its merge as their ref, but `pull_request_target` and
 * `workflow_run` have a branch and a commit of the repository itself, whoever proposes the changes
 * (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows).
 */
function changeIn(name: string, ref: string, payload: Payload): Change | undefined {
  const { repository, pull_request: request, workflow_run: run } = payload
  const inRef = /^refs\/pull\/(\d+)\//.exec(ref)?.[1]
  if (name === 'pull_request_target') {
    return { pullRequest: request?.number, commit: request?.head.sha, from: request?.head.repo?.full_name }
  }
  if (inRef !== undefined || name === 'pull_request') {
    return { pullRequest: inRef === undefined ? request?.number : Number(inRef), from: request?.head.repo?.full_name }
  }
  if (name === 'workflow_run' && /^(pull_request|merge_group)/.test(run?.event ?? 'pull_request')) {
    return { pullRequest: run?.pull_requests[0]?.number, commit: run?.head_sha, from: run?.head_repository?.full_name }
  }
  if (name === 'merge_group' || ref.startsWith('refs/heads/gh-readonly-queue/')) {
    return { from: repository?.full_name }
  }
  return undefined
}

/** What is not known to come from the repository itself counts as from a fork. */
function stageOf(change: Change | undefined, repository: string | undefined): Stage {
  if (change === undefined) return 'merged'
  return change.from !== undefined && change.from === repository ? 'proposed' : 'proposed-from-fork'
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
      full_name: z.string(),
      default_branch: z.string().optional(),
      description: z.string().nullish(),
      license: z.object({ spdx_id: z.string().nullish() }).nullish()
    })
    .optional(),
  pull_request: z
    .object({
      number: z.number(),
      base: z.object({ ref: z.string() }),
      head: z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullish() })
    })
    .optional(),
  workflow_run: z
    .object({
      event: z.string(),
      head_sha: z.string(),
      head_repository: z.object({ full_name: z.string() }).nullish(),
      pull_requests: z.array(z.object({ number: z.number() }))
    })
    .optional(),
  head_commit: z.object({ id: z.string(), timestamp: z.string() }).nullish()
})

type Payload = z.output<typeof payloadSchema>
