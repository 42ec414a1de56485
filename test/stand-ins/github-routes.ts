import type { GitHubState, Permissions, RunChoice } from './github-state.ts'
import { gitHubNotFound, type HostAnswer, jsonAnswer, pageOf } from './http-answer.ts'
import { type Artifact, fileName } from './results-artifacts.ts'

export type RouteRequest = {
  readonly state: GitHubState
  readonly url: URL
  readonly token: string | undefined
  /** Of the token; of whoever has none, nothing. */
  readonly permissions: Permissions
  /** The numbers in the path. */
  readonly id: number
}

/** A route of the API below a repository, with the parameters that its query may have. */
export type Route = {
  readonly path: RegExp
  readonly query: readonly string[]
  readonly answer: (request: RouteRequest) => HostAnswer
}

const paging = ['per_page', 'page']

/** https://docs.github.com/rest/actions/artifacts, https://docs.github.com/rest/actions/workflow-runs */
export const routes: readonly Route[] = [
  { path: /^$/, query: [], answer: ({ state }) => jsonAnswer(200, repositoryJson(state)) },
  { path: /^\/actions\/artifacts$/, query: [...paging, 'name'], answer: (request) => withActions(request, listAll) },
  { path: /^\/actions\/artifacts\/(\d+)$/, query: [], answer: (request) => withActions(request, showArtifact) },
  { path: /^\/actions\/artifacts\/(\d+)\/zip$/, query: [], answer: (request) => withActions(request, redirectToZip) },
  {
    path: /^\/actions\/runs\/(\d+)$/,
    query: ['exclude_pull_requests'],
    answer: (request) => withActions(request, showRun)
  },
  {
    path: /^\/actions\/runs\/(\d+)\/artifacts$/,
    query: [...paging, 'name', 'direction'],
    answer: (request) => withActions(request, listOfRun)
  }
]

/** Whoever has a token needs `actions: read`; whoever has none sees only what is public. */
function withActions(request: RouteRequest, answer: (request: RouteRequest) => HostAnswer): HostAnswer {
  if (request.token === undefined || request.permissions.actions !== undefined) return answer(request)
  const documentation_url = 'https://docs.github.com/rest/actions/artifacts'
  return jsonAnswer(403, { message: 'Resource not accessible by integration', documentation_url, status: '403' })
}

function listAll(request: RouteRequest): HostAnswer {
  return list(request, request.state.artifacts())
}

function listOfRun(request: RouteRequest): HostAnswer {
  const { state, id } = request
  if (!state.runs.some((run) => run.id === id)) return gitHubNotFound()
  return list(
    request,
    state.artifacts().filter(({ run }) => run.id === id)
  )
}

function list({ state, url }: RouteRequest, all: ReturnType<GitHubState['artifacts']>): HostAnswer {
  const name = url.searchParams.get('name')
  const named = all.filter(({ artifact }) => name === null || artifact.name === name)
  const { items, headers } = pageOf(named, url)
  const artifacts = items.map(({ artifact, run }) => artifactJson(state, artifact, run))
  return jsonAnswer(200, { total_count: named.length, artifacts }, headers)
}

function showArtifact({ state, id }: RouteRequest): HostAnswer {
  const found = state.artifacts().find(({ artifact }) => artifact.id === id)
  return found ? jsonAnswer(200, artifactJson(state, found.artifact, found.run)) : gitHubNotFound()
}

/** To a URL that is good without the token. */
function redirectToZip({ state, token, id }: RouteRequest): HostAnswer {
  if (token === undefined) return jsonAnswer(401, { message: 'Requires authentication', status: '401' })
  const artifact = state.artifacts().find((each) => each.artifact.id === id)?.artifact
  if (artifact === undefined) return gitHubNotFound()
  if (isExpired(artifact)) return jsonAnswer(410, { message: 'Artifact has expired', status: '410' })
  const location = state.results.signedUrlOf(artifact, fileName(artifact))
  return { status: 302, headers: { location }, body: Buffer.alloc(0) }
}

function showRun({ state, id }: RouteRequest): HostAnswer {
  const run = state.runs.find((each) => each.id === id)
  return run ? jsonAnswer(200, runJson(state, run)) : gitHubNotFound()
}

function isExpired({ expiresAt }: Artifact): boolean {
  return expiresAt.getTime() <= Date.now()
}

function repositoryJson({ repository: { owner, name, id, isPrivate, defaultBranch } }: GitHubState) {
  return {
    id,
    name,
    full_name: `${owner}/${name}`,
    private: isPrivate,
    owner: { login: owner, id: 583231, type: 'User' },
    html_url: `https://github.com/${owner}/${name}`,
    fork: false,
    default_branch: defaultBranch,
    visibility: isPrivate ? 'private' : 'public'
  }
}

function artifactJson({ repository }: GitHubState, artifact: Artifact, run: RunChoice) {
  const { id, name, size, digest, createdAt, expiresAt } = artifact
  const url = `https://api.github.com/repos/${repository.owner}/${repository.name}/actions/artifacts/${id}`
  return {
    id,
    name,
    size_in_bytes: size,
    url,
    archive_download_url: `${url}/zip`,
    expired: isExpired(artifact),
    digest,
    created_at: createdAt.toISOString(),
    updated_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
    workflow_run: {
      id: run.id,
      repository_id: repository.id,
      head_repository_id: run.headRepositoryId ?? repository.id,
      head_branch: branchOf(run, repository.defaultBranch),
      head_sha: shaOf(run)
    }
  }
}

function runJson({ repository }: GitHubState, run: RunChoice) {
  const conclusion = run.conclusion ?? null
  return {
    id: run.id,
    name: 'Deploy',
    head_branch: branchOf(run, repository.defaultBranch),
    head_sha: shaOf(run),
    path: '.github/workflows/deploy.yml',
    run_number: 7,
    run_attempt: 1,
    event: run.event ?? 'push',
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    html_url: `https://github.com/${repository.owner}/${repository.name}/actions/runs/${run.id}`,
    repository: { id: repository.id, full_name: `${repository.owner}/${repository.name}` },
    head_repository: { id: run.headRepositoryId ?? repository.id }
  }
}

function branchOf({ branch }: RunChoice, defaultBranch: string): string {
  return branch ?? defaultBranch
}

/** Of a run that was given none: forty digits that are the run's own. */
export function shaOf({ id, sha }: RunChoice): string {
  return sha ?? id.toString(16).padStart(40, '0')
}
