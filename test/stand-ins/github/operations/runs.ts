import { pageOf } from '../../http-answer.ts'
import { type Artifact, fileName } from '../../results-artifacts.ts'
import {
  type Answer,
  apiUrl,
  type Call,
  type Handler,
  type Handlers,
  notFound,
  pageUrl,
  refusal,
  userJson
} from '../call.ts'
import { type GitHubState, type RunChoice, shaOf } from '../state.ts'

const reads = (answer: Handler['answer']): Handler => ({ permissions: ['actions'], access: 'read', answer })

/** https://docs.github.com/rest/actions/artifacts, https://docs.github.com/rest/actions/workflow-runs */
export const runOperations: Handlers = {
  'repos/get': { permissions: [], access: 'read', answer: repository },
  'actions/list-artifacts-for-repo': reads((call) => list(call, call.state.artifacts())),
  'actions/get-artifact': reads((call) => {
    const found = call.state.artifacts().find(({ artifact }) => artifact.id === call.path.artifact_id)
    return found ? { status: 200, body: artifactJson(call.state, found.artifact, found.run) } : notFound
  }),
  'actions/download-artifact': { ...reads(redirectToZip), needsToken: true },
  'actions/get-workflow-run': reads((call) => {
    const run = call.state.runs.find(({ id }) => id === call.path.run_id)
    return run ? { status: 200, body: runJson(call.state, run) } : notFound
  }),
  'actions/list-workflow-run-artifacts': reads((call) => {
    const { state, path } = call
    if (!state.runs.some(({ id }) => id === path.run_id)) return notFound
    return list(
      call,
      state.artifacts().filter(({ run }) => run.id === path.run_id)
    )
  })
}

function list({ state, url, query }: Call, all: ReturnType<GitHubState['artifacts']>): Answer {
  const named = all.filter(({ artifact }) => query.name === undefined || artifact.name === query.name)
  const { items, headers } = pageOf(named, url)
  const artifacts = items.map(({ artifact, run }) => artifactJson(state, artifact, run))
  return { status: 200, headers, body: { total_count: named.length, artifacts } }
}

/** To a URL that is good without the token. */
function redirectToZip({ state, path }: Call): Answer {
  const artifact = state.artifacts().find((each) => each.artifact.id === path.artifact_id)?.artifact
  if (artifact === undefined || path.archive_format !== 'zip') return notFound
  if (isExpired(artifact)) return refusal(410, 'Artifact has expired')
  return { status: 302, headers: { location: state.results?.signedUrlOf(artifact, fileName(artifact)) ?? '' } }
}

function isExpired({ expiresAt }: Artifact): boolean {
  return expiresAt.getTime() <= Date.now()
}

function repository({ state }: Call): Answer {
  const { owner, name, id, isPrivate, defaultBranch } = state.repository
  return {
    status: 200,
    body: {
      id,
      name,
      full_name: state.fullName,
      private: isPrivate,
      owner: userJson(owner),
      html_url: pageUrl(state, ''),
      fork: false,
      default_branch: defaultBranch,
      visibility: isPrivate ? 'private' : 'public'
    }
  }
}

function artifactJson(state: GitHubState, artifact: Artifact, run: RunChoice): object {
  const { id, name, size, digest, createdAt, expiresAt } = artifact
  const url = apiUrl(state, `/actions/artifacts/${id}`)
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
      repository_id: state.repository.id,
      head_repository_id: run.headRepositoryId ?? state.repository.id,
      head_branch: run.branch ?? state.repository.defaultBranch,
      head_sha: shaOf(run)
    }
  }
}

function runJson(state: GitHubState, run: RunChoice): object {
  const { repository } = state
  const conclusion = run.conclusion ?? null
  return {
    id: run.id,
    name: 'Deploy',
    head_branch: run.branch ?? repository.defaultBranch,
    head_sha: shaOf(run),
    path: '.github/workflows/deploy.yml',
    run_number: 7,
    run_attempt: 1,
    event: run.event ?? 'push',
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    html_url: pageUrl(state, `/actions/runs/${run.id}`),
    repository: { id: repository.id, full_name: state.fullName, owner: userJson(repository.owner) },
    head_repository: { id: run.headRepositoryId ?? repository.id, owner: userJson(repository.owner) }
  }
}
