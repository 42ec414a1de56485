import { pageOf } from '../../http-answer.ts'
import {
  type Answer,
  apiUrl,
  type Call,
  type Handler,
  type Handlers,
  notFound,
  pageUrl,
  userJson,
  validationFailed
} from '../call.ts'
import type { Issue, PullRequest, StoredComment } from '../state.ts'

/** A pull request's comments are an issue's: whoever may write one of both may write them. */
const reads = (answer: Handler['answer']): Handler => {
  return { permissions: ['pull-requests', 'issues'], access: 'read', answer }
}
const writes = (answer: Handler['answer']): Handler => {
  return { permissions: ['pull-requests', 'issues'], access: 'write', answer }
}

/** https://docs.github.com/rest/issues/comments */
export const commentOperations: Handlers = {
  'issues/list-comments': reads((call) => ofIssue(call, () => list(call))),
  'issues/create-comment': writes((call) => ofIssue(call, ({ number }) => create(call, number))),
  'issues/get-comment': reads((call) => ofComment(call, (found) => ({ status: 200, body: json(call, found) }))),
  'issues/update-comment': writes((call) => ofComment(call, (found) => change(call, found))),
  'issues/delete-comment': writes((call) => ofComment(call, (found) => remove(call, found)))
}

function ofIssue({ state, path }: Call, answer: (found: PullRequest | Issue) => Answer): Answer {
  const found = [...state.pullRequests, ...state.issues].find(({ number }) => number === path.issue_number)
  return found ? answer(found) : notFound
}

function ofComment({ state, path }: Call, answer: (found: StoredComment) => Answer): Answer {
  const found = state.comments.find(({ id }) => id === path.comment_id)
  return found ? answer(found) : notFound
}

function list(call: Call): Answer {
  const { state, path, url } = call
  const all = state.comments.filter(({ issue }) => issue === path.issue_number)
  const { items, headers } = pageOf(all, url)
  return { status: 200, headers, body: items.map((each) => json(call, each)) }
}

function create(call: Call, issue: number): Answer {
  const { body } = call.body as { body: string }
  return tooLong(body) ?? { status: 201, body: json(call, call.state.addComment(issue, call.user?.login ?? '', body)) }
}

function change(call: Call, comment: StoredComment): Answer {
  const { body } = call.body as { body: string }
  const refused = tooLong(body)
  if (refused) return refused
  comment.body = body
  return { status: 200, body: json(call, comment) }
}

function remove({ state }: Call, comment: StoredComment): Answer {
  state.comments.splice(state.comments.indexOf(comment), 1)
  return { status: 204 }
}

function tooLong(body: string): Answer | undefined {
  if ([...body].length <= 65_536) return undefined
  return validationFailed('IssueComment', 'body', 'body is too long (maximum is 65536 characters)')
}

function json({ state }: Call, { id, body, login, issue }: StoredComment): object {
  return {
    id,
    body,
    user: login === null ? null : userJson(login),
    url: apiUrl(state, `/issues/comments/${id}`),
    html_url: pageUrl(state, `/pull/${issue}#issuecomment-${id}`),
    issue_url: apiUrl(state, `/issues/${issue}`)
  }
}
