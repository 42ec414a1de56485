import { pageOf } from '../../http-answer.ts'
import { type Answer, apiUrl, type Call, type Handlers, notFound, pageUrl, userJson } from '../call.ts'
import type { Issue } from '../state.ts'

/** https://docs.github.com/rest/issues/issues, of issues alone: pull requests, which GitHub lists among them, are left out. */
export const issueOperations: Handlers = {
  'issues/list-for-repo': { permissions: ['issues'], access: 'read', answer: list },
  'issues/create': { permissions: ['issues'], access: 'write', answer: create },
  'issues/update': { permissions: ['issues'], access: 'write', answer: update }
}

function list(call: Call): Answer {
  const { state, query, url } = call
  const wanted = query.state ?? 'open'
  const labels = String(query.labels ?? '')
    .split(',')
    .filter((label) => label !== '')
  const found = state.issues.filter(
    (issue) => (wanted === 'all' || issue.state === wanted) && labels.every((label) => issue.labels.includes(label))
  )
  const { items, headers } = pageOf([...found].reverse(), url)
  return { status: 200, headers, body: items.map((each) => json(call, each)) }
}

type Written = { title?: string; body?: string; labels?: string[]; state?: Issue['state'] }

function create(call: Call): Answer {
  const { title = '', body = '', labels = [] } = call.body as Written
  const issue = {
    number: call.state.newId(),
    login: call.user?.login ?? '',
    title,
    body,
    labels,
    state: 'open'
  } as const
  call.state.issues.push({ ...issue })
  return { status: 201, body: json(call, issue) }
}

function update(call: Call): Answer {
  const issue = call.state.issues.find(({ number }) => number === call.path.issue_number)
  if (issue === undefined) return notFound
  Object.assign(issue, call.body as Written)
  return { status: 200, body: json(call, issue) }
}

function json({ state }: Call, { number, login, title, body, labels, state: own }: Issue): object {
  return {
    id: number + 2_000_000,
    number,
    title,
    body,
    state: own,
    labels: labels.map((name) => ({ name })),
    user: userJson(login),
    comments: state.comments.filter(({ issue }) => issue === number).length,
    url: apiUrl(state, `/issues/${number}`),
    html_url: pageUrl(state, `/issues/${number}`)
  }
}
