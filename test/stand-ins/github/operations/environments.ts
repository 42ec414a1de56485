import { pageOf } from '../../http-answer.ts'
import { type Answer, apiUrl, type Call, type Handler, type Handlers, notFound, pageUrl } from '../call.ts'

const reads = (answer: Handler['answer']): Handler => ({ permissions: ['actions'], access: 'read', answer })
const writes = (answer: Handler['answer']): Handler => ({ permissions: ['administration'], access: 'write', answer })

/** https://docs.github.com/rest/deployments/environments. Rules of protection are left out. */
export const environmentOperations: Handlers = {
  'repos/get-all-environments': reads(list),
  'repos/get-environment': reads((call) => {
    const name = String(call.path.environment_name)
    return call.state.environments.has(name) ? { status: 200, body: json(call, name) } : notFound
  }),
  'repos/create-or-update-environment': writes((call) => {
    const name = String(call.path.environment_name)
    call.state.environments.add(name)
    return { status: 200, body: json(call, name) }
  }),
  'repos/delete-an-environment': writes((call) =>
    call.state.environments.delete(String(call.path.environment_name)) ? { status: 204 } : notFound
  )
}

function list(call: Call): Answer {
  const all = [...call.state.environments]
  const { items, headers } = pageOf(all, call.url)
  return {
    status: 200,
    headers,
    body: { total_count: all.length, environments: items.map((name) => json(call, name)) }
  }
}

function json({ state }: Call, name: string): object {
  return {
    id: [...state.environments].indexOf(name) + 1,
    name,
    url: apiUrl(state, `/environments/${encodeURIComponent(name)}`),
    html_url: pageUrl(state, '/deployments/activity_log'),
    protection_rules: [],
    deployment_branch_policy: null
  }
}
