import type { GitHubState } from '../stand-ins/github/state.ts'

/** What starts a run, of a repository whose newest commit it is about. */
export type WorkflowEvent =
  /** To the main branch. */
  | { readonly kind: 'push' }
  | { readonly kind: 'tag'; readonly tag: string }
  | PullRequestEvent
  /** By hand, on the main branch. */
  | { readonly kind: 'workflow_dispatch'; readonly inputs?: Readonly<Record<string, string>> }
  | { readonly kind: 'schedule' }

export type PullRequestEvent = {
  readonly kind: 'pull_request'
  readonly number: number
  readonly branch: string
  /** `synchronize` without. */
  readonly action?: 'opened' | 'synchronize' | 'closed' | 'reopened'
  readonly isFromFork?: boolean
}

/** As GitHub tells it to a run (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows). */
export type TriggeredBy = { readonly name: string; readonly ref: string; readonly payload: object }

const sender = { login: 'octocat', type: 'User' }

export function triggeredBy(event: WorkflowEvent, sha: string, state: GitHubState): TriggeredBy {
  const { id, isPrivate, defaultBranch, owner } = state.repository
  const own = { id, full_name: state.fullName, private: isPrivate, default_branch: defaultBranch, fork: false }
  const repository = { ...own, name: state.repository.name, owner: { login: owner } }
  const main = `refs/heads/${defaultBranch}`
  switch (event.kind) {
    case 'push':
      return { name: 'push', ref: main, payload: { ref: main, after: sha, deleted: false, repository, sender } }
    case 'tag': {
      const ref = `refs/tags/${event.tag}`
      return { name: 'push', ref, payload: { ref, after: sha, deleted: false, repository, sender } }
    }
    case 'workflow_dispatch': {
      const { inputs = {} } = event
      return { name: 'workflow_dispatch', ref: main, payload: { inputs, ref: main, repository, sender } }
    }
    case 'schedule':
      return { name: 'schedule', ref: main, payload: { schedule: '0 * * * *', repository } }
    case 'pull_request': {
      const { number, branch, action = 'synchronize', isFromFork = false } = event
      const fork = { ...repository, id: 2222222, full_name: `hubot/${repository.name}`, fork: true }
      const pullRequest = {
        number,
        state: action === 'closed' ? 'closed' : 'open',
        head: { ref: branch, sha, repo: isFromFork ? fork : repository },
        base: { ref: defaultBranch, repo: repository }
      }
      const payload = { action, number, pull_request: pullRequest, repository, sender }
      return { name: 'pull_request', ref: `refs/pull/${number}/merge`, payload }
    }
  }
}
