import * as z from 'zod'
import type { GitHubApi } from './api.ts'

/** The pull request that a run is about. */
export type PullRequestSearch =
  | { readonly kind: 'found'; readonly number: number }
  /** There is none, which is nothing to fail for. */
  | { readonly kind: 'none'; readonly reason: string }

/** What the event says of it. Of a run for a fork it is only known where the commit came from. */
export type PullRequestOfEvent = PullRequestSearch | { readonly kind: 'head'; readonly head: Head }

export type Head = {
  /** Whose repository the branch is in. */
  readonly owner: string
  readonly branch: string
  readonly commit: string
}

/**
 * The pull request that started the workflow, from `GITHUB_EVENT_NAME` and the event's payload
 * (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows).
 */
export function pullRequestOf(eventName: string, payload: unknown): PullRequestOfEvent {
  switch (eventName) {
    case 'pull_request':
    case 'pull_request_target':
    case 'pull_request_review':
    case 'pull_request_review_comment':
      return ofPullRequest(payload)
    case 'issue_comment':
      return ofComment(payload)
    case 'workflow_run':
      return ofWorkflowRun(payload)
    default:
      return { kind: 'none', reason: `the event \`${eventName}\` is about no pull request` }
  }
}

/** The same, and asks GitHub where the event does not say it. For that it needs `pull-requests: read`. */
export async function findPullRequest(
  api: GitHubApi,
  { repository, eventName, payload }: { repository: string; eventName: string; payload: unknown }
): Promise<PullRequestSearch> {
  const said = pullRequestOf(eventName, payload)
  return said.kind === 'head' ? pullRequestWithHead(api, repository, said.head) : said
}

/** Whether a pull request is open now. */
export type PullRequestState =
  | {
      readonly kind: 'open' /** When anything happened to it last: milliseconds since the epoch. */
      readonly updated: number
    }
  | { readonly kind: 'closed' }
  /** There is none of this number, or the token does not see it. */
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }

/** Asks GitHub, for which it needs `pull-requests: read`: https://docs.github.com/rest/pulls/pulls#get-a-pull-request */
export async function pullRequestState(
  api: Pick<GitHubApi, 'get'>,
  repository: string,
  number: number
): Promise<PullRequestState> {
  const path = `/repos/${repository}/pulls/${number}`
  const answer = await api.get(path, pullRequestStateShape, { permission: 'pull-requests: read' })
  if (answer.kind === 'not-found') return { kind: 'missing', reason: answer.reason }
  if (answer.kind !== 'ok') return { kind: 'unknown', reason: answer.reason }
  if (answer.value.number !== number) {
    return {
      kind: 'unknown',
      reason: `GitHub answered for another pull request than #${number}: #${answer.value.number}.`
    }
  }
  const { state, updated_at: updated } = answer.value
  return state === 'open' ? { kind: 'open', updated: Date.parse(updated) } : { kind: 'closed' }
}

const pullRequestStateShape = z.object({
  number: z.int(),
  state: z.enum(['open', 'closed']),
  updated_at: z.iso.datetime({ offset: true })
})

/** https://docs.github.com/rest/pulls/pulls#list-pull-requests */
async function pullRequestWithHead(
  api: GitHubApi,
  repository: string,
  { owner, branch, commit }: Head
): Promise<PullRequestSearch> {
  const path = `/repos/${repository}/pulls?state=open&per_page=100&head=${encodeURIComponent(`${owner}:${branch}`)}`
  const open = await api.get(path, z.array(pullRequestShape), { permission: 'pull-requests: read' })
  if (open.kind !== 'ok') return { kind: 'none', reason: open.reason }
  return theOnly(open.value.filter(({ head }) => head.sha === commit))
}

const pullRequestShape = z.object({ number: z.int().positive(), head: z.object({ sha: z.string() }) })

const pullRequestEventShape = z.object({ pull_request: z.object({ number: z.int().positive() }) })

function ofPullRequest(payload: unknown): PullRequestSearch {
  const event = pullRequestEventShape.safeParse(payload)
  return event.success ? { kind: 'found', number: event.data.pull_request.number } : unknownShape
}

const commentEventShape = z.object({
  issue: z.object({ number: z.int().positive(), pull_request: z.object({}).nullish() })
})

/** A pull request is an issue too; only then the issue names it. */
function ofComment(payload: unknown): PullRequestSearch {
  const event = commentEventShape.safeParse(payload)
  if (!event.success) return unknownShape
  const { number, pull_request: pullRequest } = event.data.issue
  return pullRequest
    ? { kind: 'found', number }
    : { kind: 'none', reason: `the comment is on the issue #${number}, which is no pull request` }
}

const workflowRunEventShape = z.object({
  repository: z.object({ id: z.int() }),
  workflow_run: z.object({
    event: z.string(),
    head_sha: z.string(),
    head_branch: z.string().nullish(),
    head_repository: z.object({ owner: z.object({ login: z.string() }) }).nullish(),
    pull_requests: z.array(pullRequestShape.extend({ base: z.object({ repo: z.object({ id: z.int() }) }) }))
  })
})

/** GitHub names the pull requests of the branch, those to other repositories too, but none from a fork. */
function ofWorkflowRun(payload: unknown): PullRequestOfEvent {
  const event = workflowRunEventShape.safeParse(payload)
  if (!event.success) return unknownShape
  const { workflow_run: run, repository } = event.data
  if (run.event !== 'pull_request' && run.event !== 'pull_request_target') {
    return { kind: 'none', reason: `the workflow that ran was started by \`${run.event}\`, not by a pull request` }
  }
  const here = run.pull_requests.filter(({ base, head }) => base.repo.id === repository.id && head.sha === run.head_sha)
  const owner = run.head_repository?.owner.login
  if (here.length > 0 || !owner || !run.head_branch) return theOnly(here)
  return { kind: 'head', head: { owner, branch: run.head_branch, commit: run.head_sha } }
}

function theOnly(pullRequests: readonly { readonly number: number }[]): PullRequestSearch {
  const [first, ...more] = pullRequests
  if (first && more.length === 0) return { kind: 'found', number: first.number }
  if (!first) return { kind: 'none', reason: 'no open pull request has the commit that the workflow ran for' }
  const numbers = pullRequests.map(({ number }) => `#${number}`).join(', ')
  return { kind: 'none', reason: `several pull requests have the commit that the workflow ran for: ${numbers}` }
}

const unknownShape: PullRequestSearch = {
  kind: 'none',
  reason: "the event's payload has another shape than GitHub documents"
}
