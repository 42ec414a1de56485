import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Clock } from '../clock.ts'
import type { ApiAnswer, ApiFailure, GitHubApi } from './api.ts'

/** A deployment of a repository: https://docs.github.com/rest/deployments/deployments. */
export type Deployment = {
  /** Grows from deployment to deployment. */
  readonly id: number
  readonly environment: string
  /** As whoever made it gave it: other tools give other things. */
  readonly payload: unknown
  /** Milliseconds since the epoch. */
  readonly created: number
  /** A login. */
  readonly creator?: string
}

/** What happened to one: https://docs.github.com/rest/deployments/statuses. */
export type DeploymentStatus = {
  readonly state: string
  readonly description: string
  /** Milliseconds since the epoch. */
  readonly created: number
  readonly logUrl?: string
}

export type DeploymentRequest = {
  /** A branch, a tag or a commit that GitHub knows. */
  readonly ref: string
  readonly environment: string
  /** At most 140 characters. */
  readonly description: string
  readonly payload: object
  /** Whether the environment goes away again. */
  readonly isTransient: boolean
}

export type StatusRequest = {
  readonly state: 'in_progress' | 'success' | 'failure' | 'error' | 'inactive'
  /** At most 140 characters. */
  readonly description?: string
  /** Where its log is. */
  readonly logUrl?: string
  /** Where what was deployed is. */
  readonly environmentUrl?: string
}

/** The deployments of one task in a repository. What goes wrong is a value. */
export type Deployments = {
  /** Those in an environment, or in all, the newest first, page by page. Ends with the last or with a failure. */
  list(environment?: string): AsyncIterable<ApiAnswer<readonly Deployment[]>>
  get(id: number): Promise<ApiAnswer<Deployment>>
  /** Made once, also when an answer is lost. A `status` of 422: mostly GitHub doesn't know the `ref`. */
  create(request: DeploymentRequest): Promise<ApiAnswer<Deployment>>
  /** The newest first. */
  statuses(id: number): Promise<ApiAnswer<readonly DeploymentStatus[]>>
  addStatus(id: number, status: StatusRequest): Promise<ApiAnswer<undefined>>
}

export type DeploymentsPlace = {
  readonly api: Pick<GitHubApi, 'get' | 'post' | 'pages'>
  /** `owner/name`. */
  readonly repository: string
  /** What tells the deployments of one tool from those of others. */
  readonly task: string
  readonly clock: Clock
}

/** Reading needs `deployments: read`, the rest `deployments: write`. */
export function gitHubDeployments(place: DeploymentsPlace): Deployments {
  const { api, repository, task } = place
  const path = `/repos/${repository}/deployments`
  return {
    list: async function* (environment) {
      for await (const page of api.pages(`${path}?${queryOf(environment, task)}`, z.array(deploymentShape), reading)) {
        yield page.kind === 'ok' ? { kind: 'ok', value: ofTask(page.value, task) } : page
      }
    },
    get: (id) => api.get(`${path}/${id}`, deploymentShape.transform(deploymentOf), reading),
    create: (request) => create(place, path, request),
    statuses: (id) => statusesOf(place, `${path}/${id}/statuses`),
    addStatus: (id, status) => addStatus(place, `${path}/${id}/statuses`, status)
  }
}

const reading = { permission: 'deployments: read' }
const writing = { permission: 'deployments: write' }

const account = z.object({ login: z.string() }).nullish()

const deploymentShape = z.object({
  id: z.int(),
  task: z.string(),
  environment: z.string(),
  payload: z.unknown(),
  created_at: z.iso.datetime({ offset: true }),
  /** Nobody when the account is gone. */
  creator: account
})

const statusShape = z.object({
  id: z.int(),
  state: z.string(),
  description: z.string().nullish(),
  log_url: z.string().nullish(),
  created_at: z.iso.datetime({ offset: true })
})

function ofTask(deployments: readonly z.output<typeof deploymentShape>[], task: string): readonly Deployment[] {
  return deployments
    .filter((each) => each.task === task)
    .map(deploymentOf)
    .sort((a, b) => b.id - a.id)
}

function deploymentOf(shown: z.output<typeof deploymentShape>): Deployment {
  const { id, environment, payload, created_at: created, creator } = shown
  return {
    id,
    environment,
    payload: parsedPayload(payload),
    created: Date.parse(created),
    ...(creator && { creator: creator.login })
  }
}

/**
 * GitHub checks and merges nothing: what is deployed is judged elsewhere. A key in the payload tells the deployment that
 * this call has made from every other, for when its answer is lost.
 */
async function create(
  place: DeploymentsPlace,
  path: string,
  request: DeploymentRequest
): Promise<ApiAnswer<Deployment>> {
  const key = randomUUID()
  const body = {
    ref: request.ref,
    task: place.task,
    environment: request.environment,
    description: request.description,
    payload: { ...request.payload, key },
    auto_merge: false,
    required_contexts: [],
    transient_environment: request.isTransient
  }
  return writeOnce(place.clock, {
    write: () => place.api.post(path, body, deploymentShape.transform(deploymentOf), writing),
    find: () => findMade(place, path, request.environment, key)
  })
}

/** The deployment with that key, when it is there: it would be among the newest. */
async function findMade(
  { api, task }: DeploymentsPlace,
  path: string,
  environment: string,
  key: string
): Promise<ApiAnswer<Found<Deployment>>> {
  const newest = await api.get(`${path}?${queryOf(environment, task)}`, z.array(deploymentShape), reading)
  if (newest.kind !== 'ok') return newest
  const found = ofTask(newest.value, task).find(({ payload }) => payloadWithKey.safeParse(payload).data?.key === key)
  return { kind: 'ok', value: found && { made: found } }
}

function queryOf(environment: string | undefined, task: string): string {
  return new URLSearchParams({ ...(environment && { environment }), task, per_page: '100' }).toString()
}

const payloadWithKey = z.object({ key: z.string() })

/** An object that was given as a payload may come back as a text. */
function parsedPayload(payload: unknown): unknown {
  if (typeof payload !== 'string') return payload
  try {
    return JSON.parse(payload)
  } catch {
    return payload
  }
}

async function statusesOf({ api }: DeploymentsPlace, path: string): Promise<ApiAnswer<readonly DeploymentStatus[]>> {
  const statuses: z.output<typeof statusShape>[] = []
  for await (const page of api.pages(`${path}?per_page=100`, z.array(statusShape), reading)) {
    if (page.kind !== 'ok') return page
    statuses.push(...page.value)
    if (statuses.length >= mostStatuses) break
  }
  return { kind: 'ok', value: statuses.sort((a, b) => b.id - a.id).map(statusOf) }
}

/** Ours have four at most; whatever else writes some would have to write very many. */
const mostStatuses = 500

function statusOf({ state, description, log_url: logUrl, created_at: created }: z.output<typeof statusShape>) {
  return { state, description: description ?? '', created: Date.parse(created), ...(logUrl && { logUrl }) }
}

/** Other deployments of the environment are left as they are: several databases may share it. */
async function addStatus(place: DeploymentsPlace, path: string, status: StatusRequest): Promise<ApiAnswer<undefined>> {
  const { state, description = '', logUrl, environmentUrl } = status
  const body = {
    state,
    description,
    auto_inactive: false,
    ...(logUrl && { log_url: logUrl }),
    ...(environmentUrl && { environment_url: environmentUrl })
  }
  return writeOnce(place.clock, {
    write: () => place.api.post(path, body, addedShape, writing),
    find: () => isNewest(place, path, { state, description })
  })
}

async function isNewest(
  place: DeploymentsPlace,
  path: string,
  { state, description }: Pick<DeploymentStatus, 'state' | 'description'>
): Promise<ApiAnswer<Found<undefined>>> {
  const statuses = await statusesOf(place, path)
  if (statuses.kind !== 'ok') return statuses
  const [newest] = statuses.value
  const isThere = newest?.state === state && newest.description === description
  return { kind: 'ok', value: isThere ? { made: undefined } : undefined }
}

const addedShape = z.object({ id: z.int() }).transform(() => undefined)

type Write<T> = {
  readonly write: () => Promise<ApiAnswer<T>>
  /** Whether it was written although the answer was lost. */
  readonly find: () => Promise<ApiAnswer<Found<T>>>
}

type Found<T> = { readonly made: T } | undefined

const attempts = 3
/** Milliseconds until what was written shows up in lists. */
const settling = 1000
/** The longest wait that GitHub may ask for, in milliseconds: whoever waits for more is told instead. */
const longestWait = 10_000

/** Milliseconds after which nothing is begun anew: whatever is written here, more important work waits for it. */
const patience = 20_000

/** Writes until it is written for certain, but never twice. */
async function writeOnce<T>(clock: Clock, { write, find }: Write<T>): Promise<ApiAnswer<T>> {
  const end = clock.now() + patience
  for (let attempt = 1; ; attempt += 1) {
    const answer = await write()
    const wait = waitAfter(answer)
    if (answer.kind === 'ok' || wait === undefined) return answer
    await clock.sleep(wait)
    const found = await find()
    if (found.kind !== 'ok') return answer
    if (found.value) return { kind: 'ok', value: found.value.made }
    if (attempt === attempts || clock.now() > end) return answer
  }
}

/** Milliseconds after which to look whether it was written, and to write again if not; `undefined` when it is refused. */
function waitAfter<T>(answer: ApiAnswer<T>): number | undefined {
  if (answer.kind === 'rate-limited') {
    const { retryAfter = Number.POSITIVE_INFINITY } = answer
    return retryAfter > longestWait ? undefined : retryAfter
  }
  const isLost = answer.kind === 'unreachable' || (answer.kind === 'unexpected' && !isRefusal(answer))
  return isLost ? settling : undefined
}

/** Of a status below 300 the answer could not be read: it was made. */
function isRefusal({ status }: ApiFailure): boolean {
  return status !== undefined && status >= 300 && status < 500
}
