import { pageOf } from '../../http-answer.ts'
import {
  type Answer,
  apiUrl,
  type Call,
  type Handler,
  type Handlers,
  notFound,
  refusal,
  userJson,
  validationFailed
} from '../call.ts'
import { type GitHubState, shaOf } from '../state.ts'

export type Deployment = {
  readonly id: number
  readonly ref: string
  readonly sha: string
  readonly task: string
  readonly environment: string
  readonly payload: unknown
  readonly description: string | null
  readonly isTransient: boolean
  readonly isProduction: boolean
  readonly creator: string
  readonly createdAt: string
  /** The oldest first. */
  readonly statuses: DeploymentStatus[]
}

export type DeploymentState = 'error' | 'failure' | 'inactive' | 'in_progress' | 'queued' | 'pending' | 'success'

export type DeploymentStatus = {
  readonly id: number
  readonly state: DeploymentState
  readonly description: string
  readonly environment: string
  readonly environmentUrl: string
  readonly logUrl: string
  readonly creator: string
  readonly createdAt: string
}

const reads = (answer: Handler['answer']): Handler => ({ permissions: ['deployments'], access: 'read', answer })
const writes = (answer: Handler['answer']): Handler => ({ permissions: ['deployments'], access: 'write', answer })

/**
 * https://docs.github.com/rest/deployments. Merging is left out: a ref that is behind the default branch is answered as
 * if it had been merged.
 */
export const deploymentOperations: Handlers = {
  'repos/list-deployments': reads(list),
  'repos/create-deployment': writes(create),
  'repos/get-deployment': reads((call) => ofDeployment(call, (found) => ({ status: 200, body: json(call, found) }))),
  'repos/delete-deployment': writes((call) => ofDeployment(call, (found) => remove(call, found))),
  'repos/list-deployment-statuses': reads((call) => ofDeployment(call, (found) => listStatuses(call, found))),
  'repos/create-deployment-status': writes((call) => ofDeployment(call, (found) => createStatus(call, found))),
  'repos/get-deployment-status': reads((call) => ofDeployment(call, (found) => showStatus(call, found)))
}

function ofDeployment({ state, path }: Call, answer: (found: Deployment) => Answer): Answer {
  const found = state.deployments.find(({ id }) => id === path.deployment_id)
  return found ? answer(found) : notFound
}

/** `none` is the description's word for a filter that is not given. */
function list(call: Call): Answer {
  const { state, query, url } = call
  const fits = (name: string, value: string) => query[name] === undefined || [value, 'none'].includes(`${query[name]}`)
  const found = state.deployments.filter(
    ({ sha, ref, task, environment }) =>
      fits('sha', sha) && fits('ref', ref) && fits('task', task) && fits('environment', environment)
  )
  const { items, headers } = pageOf(found.reverse(), url)
  return { status: 200, headers, body: items.map((each) => json(call, each)) }
}

type NewDeployment = {
  readonly ref: string
  readonly task?: string
  readonly auto_merge?: boolean
  readonly required_contexts?: readonly string[]
  readonly payload?: unknown
  readonly environment?: string
  readonly description?: string | null
  readonly transient_environment?: boolean
  readonly production_environment?: boolean
}

function create(call: Call): Answer {
  const { state, user } = call
  const sent = call.body as NewDeployment
  const { ref, task = 'deploy', payload = '', environment = 'production', description = '' } = sent
  const sha = state.commitOf(ref)
  if (sha === undefined) return refusal(422, `No ref found for: ${ref}`)
  const refused = tooLong('Deployment', description) ?? unmerged(state, sha, sent) ?? unchecked(state, sha, sent)
  if (refused) return refused
  const made: Deployment = {
    id: state.newId(),
    ref,
    sha,
    task,
    environment,
    payload,
    description,
    isTransient: sent.transient_environment ?? false,
    isProduction: sent.production_environment ?? environment === 'production',
    creator: user?.login ?? '',
    createdAt: state.timestamp(),
    statuses: []
  }
  state.deployments.push(made)
  state.environments.add(environment)
  return { status: 201, body: json(call, made) }
}

/** Where merging is not forbidden, the default branch is merged into what is behind it, and nothing is deployed. */
function unmerged(state: GitHubState, sha: string, { ref, auto_merge = true }: NewDeployment): Answer | undefined {
  const { defaultBranch } = state.repository
  if (!auto_merge || sha === state.headOf(defaultBranch)) return undefined
  return { status: 202, body: { message: `Auto-merged ${defaultBranch} into ${ref} on deployment.` } }
}

/** All checks of a commit must have passed where none are named: the run that asks is one that has not. */
function unchecked(state: GitHubState, sha: string, { ref, required_contexts }: NewDeployment): Answer | undefined {
  const pending = state.runs.filter((run) => shaOf(run) === sha && run.conclusion !== 'success')
  if (pending.length === 0 || required_contexts?.length === 0) return undefined
  const contexts = pending.map(({ id }) => ({ context: `run ${id}`, state: 'pending' }))
  const errors = [{ contexts, resource: 'Deployment', field: 'required_contexts', code: 'invalid' }]
  return refusal(409, `Conflict: Commit status checks failed for ${ref}.`, { errors })
}

/** One that is in use can't be removed, unless there is no other. */
function remove({ state }: Call, found: Deployment): Answer {
  const newest = found.statuses.at(-1)?.state
  if (newest !== 'inactive' && state.deployments.length > 1) {
    return validationFailed('Deployment', 'state', 'We cannot delete an active deployment unless it is the only one.')
  }
  state.deployments.splice(state.deployments.indexOf(found), 1)
  return { status: 204 }
}

function listStatuses(call: Call, found: Deployment): Answer {
  const { items, headers } = pageOf([...found.statuses].reverse(), call.url)
  return { status: 200, headers, body: items.map((status) => statusJson(call, found, status)) }
}

function showStatus(call: Call, found: Deployment): Answer {
  const status = found.statuses.find(({ id }) => id === call.path.status_id)
  return status ? { status: 200, body: statusJson(call, found, status) } : notFound
}

type NewStatus = {
  readonly state: DeploymentState
  readonly log_url?: string
  readonly target_url?: string
  readonly description?: string
  readonly environment?: string
  readonly environment_url?: string
  readonly auto_inactive?: boolean
}

function createStatus(call: Call, found: Deployment): Answer {
  const { state } = call
  const sent = call.body as NewStatus
  const { description = '', environment = found.environment, environment_url = '', auto_inactive = true } = sent
  const refused = tooLong('DeploymentStatus', description) ?? strangeUrl(sent)
  if (refused) return refused
  const made = addStatus(call, found, {
    state: sent.state,
    description,
    environment,
    environmentUrl: environment_url,
    logUrl: sent.log_url ?? sent.target_url ?? ''
  })
  if (sent.state === 'success' && auto_inactive) {
    for (const other of state.deployments) if (isReplacedBy(other, found)) retire(call, other)
  }
  return { status: 201, body: statusJson(call, found, made) }
}

type StatusChoice = Omit<DeploymentStatus, 'id' | 'creator' | 'createdAt'>

function addStatus({ state, user }: Call, found: Deployment, choice: StatusChoice): DeploymentStatus {
  const made = { id: state.newId(), creator: user?.login ?? '', createdAt: state.timestamp(), ...choice }
  found.statuses.push(made)
  return made
}

/** What `auto_inactive` says: all earlier ones of the environment that were a success, but no lasting, no production one. */
function isReplacedBy(other: Deployment, deployment: Deployment): boolean {
  const isOther = other.id < deployment.id && other.environment === deployment.environment
  return isOther && !other.isTransient && !other.isProduction && other.statuses.at(-1)?.state === 'success'
}

function retire(call: Call, deployment: Deployment): void {
  const { environment } = deployment
  addStatus(call, deployment, { state: 'inactive', description: '', environment, environmentUrl: '', logUrl: '' })
}

/** The description says so of a status; of a deployment it is assumed. */
function tooLong(resource: string, description: string | null): Answer | undefined {
  if ([...(description ?? '')].length <= 140) return undefined
  return validationFailed(resource, 'description', 'description is too long (maximum is 140 characters)')
}

function strangeUrl({ environment_url = '', log_url = '' }: NewStatus): Answer | undefined {
  const isStrange = (url: string) => url !== '' && !/^https?:\/\/\S+$/.test(url)
  if (isStrange(environment_url)) return validationFailed('DeploymentStatus', 'environment_url', 'must use http(s)')
  return isStrange(log_url) ? validationFailed('DeploymentStatus', 'log_url', 'must use http(s)') : undefined
}

function json({ state }: Call, deployment: Deployment): object {
  const { id, ref, sha, task, environment, payload, description, createdAt } = deployment
  const url = apiUrl(state, `/deployments/${id}`)
  return {
    id,
    node_id: `DE_${id}`,
    url,
    statuses_url: `${url}/statuses`,
    repository_url: apiUrl(state, ''),
    sha,
    ref,
    task,
    payload,
    environment,
    original_environment: environment,
    description,
    creator: userJson(deployment.creator),
    created_at: createdAt,
    updated_at: deployment.statuses.at(-1)?.createdAt ?? createdAt,
    transient_environment: deployment.isTransient,
    production_environment: deployment.isProduction
  }
}

function statusJson({ state }: Call, deployment: Deployment, status: DeploymentStatus): object {
  const deploymentUrl = apiUrl(state, `/deployments/${deployment.id}`)
  return {
    id: status.id,
    node_id: `DES_${status.id}`,
    url: `${deploymentUrl}/statuses/${status.id}`,
    deployment_url: deploymentUrl,
    repository_url: apiUrl(state, ''),
    state: status.state,
    creator: userJson(status.creator),
    description: status.description,
    environment: status.environment,
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
    target_url: status.logUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt
  }
}
