import { pageOf } from '../../http-answer.ts'
import { type Answer, apiUrl, type Call, type Handler, type Handlers, notFound, pageUrl, userJson } from '../call.ts'
import type { PullRequest } from '../state.ts'

const reads = (answer: Handler['answer']): Handler => ({ permissions: ['pull-requests'], access: 'read', answer })

/** https://docs.github.com/rest/pulls/pulls */
export const pullRequestOperations: Handlers = {
  'pulls/list': reads(list),
  'pulls/get': reads((call) => {
    const found = call.state.pullRequests.find(({ number }) => number === call.path.pull_number)
    return found ? { status: 200, body: json(call, found) } : notFound
  })
}

function list(call: Call): Answer {
  const { state, query, url } = call
  const wanted = query.state ?? 'open'
  const found = state.pullRequests.filter(
    ({ owner, branch, state: own = 'open' }) =>
      (wanted === 'all' || own === wanted) && (query.head === undefined || query.head === `${owner}:${branch}`)
  )
  const newestFirst = found.sort((one, other) => other.number - one.number)
  const { items, headers } = pageOf(newestFirst, url)
  return { status: 200, headers, body: items.map((each) => json(call, each)) }
}

const longAgo = '2025-01-01T00:00:00Z'

function json({ state }: Call, pullRequest: PullRequest): object {
  const { number, owner, branch, sha, state: own = 'open', closedAt = null, updatedAt = longAgo } = pullRequest
  const { repository } = state
  const isFork = owner !== repository.owner
  const repositoryOf = (login: string, id: number) => {
    return { id, name: repository.name, full_name: `${login}/${repository.name}`, owner: userJson(login) }
  }
  return {
    id: number + 1_000_000,
    number,
    state: own,
    closed_at: closedAt,
    updated_at: updatedAt,
    url: apiUrl(state, `/pulls/${number}`),
    html_url: pageUrl(state, `/pull/${number}`),
    user: userJson(owner),
    head: {
      label: `${owner}:${branch}`,
      ref: branch,
      sha,
      user: userJson(owner),
      repo: repositoryOf(owner, isFork ? repository.id + 1 : repository.id)
    },
    base: {
      label: `${repository.owner}:${repository.defaultBranch}`,
      ref: repository.defaultBranch,
      sha: state.headOf(repository.defaultBranch),
      user: userJson(repository.owner),
      repo: repositoryOf(repository.owner, repository.id)
    }
  }
}
