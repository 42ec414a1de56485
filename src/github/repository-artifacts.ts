import * as z from 'zod'
import type { ApiAnswer, ApiFailure, GitHubApi } from './api.ts'

/** An artifact of whatever run of a repository. */
export type RepositoryArtifact = {
  readonly id: number
  readonly name: string
  /** Of the archive, `sha256:…`, where GitHub states it. */
  readonly digest?: string
  readonly isExpired: boolean
  readonly runId: number
  readonly branch: string | null
  readonly commit: string
}

export type RepositoryQuery = {
  readonly owner: string
  readonly repository: string
  /** The repository's number, `GITHUB_REPOSITORY_ID`. */
  readonly repositoryId: number
}

/**
 * The artifacts of a name, page by page, newest pages first. Only those of runs of the repository itself: anybody can run a
 * workflow in a fork, on a branch of the same name. Needs `actions: read`.
 */
export async function* artifactsNamed(
  api: Pick<GitHubApi, 'pages'>,
  query: RepositoryQuery & { readonly name: string }
): AsyncGenerator<ApiAnswer<readonly RepositoryArtifact[]>, void> {
  const { owner, repository, name } = query
  const path = `/repos/${owner}/${repository}/actions/artifacts?per_page=100&name=${encodeURIComponent(name)}`
  for await (const page of api.pages(path, pageShape, needs)) {
    if (page.kind !== 'ok') {
      yield page
      return
    }
    const artifacts = page.value.artifacts.flatMap((artifact) => ownArtifact(artifact, query))
    yield { kind: 'ok', value: artifacts.filter((artifact) => artifact.name === name) }
  }
}

/** One artifact by its id; `not-found` too when it is of a fork's run. Needs `actions: read`. */
export async function artifactOf(
  api: Pick<GitHubApi, 'get'>,
  query: RepositoryQuery & { readonly id: number }
): Promise<{ readonly kind: 'ok'; readonly value: RepositoryArtifact } | ApiFailure> {
  const { owner, repository, id } = query
  const answer = await api.get(`/repos/${owner}/${repository}/actions/artifacts/${id}`, artifactShape, needs)
  if (answer.kind !== 'ok') return answer
  const [artifact] = ownArtifact(answer.value, query)
  return artifact
    ? { kind: 'ok', value: artifact }
    : { kind: 'not-found', reason: `The artifact ${id} is of no run of ${owner}/${repository} itself.` }
}

const needs = { permission: 'actions: read' }

/** https://docs.github.com/rest/actions/artifacts#list-artifacts-for-a-repository */
const artifactShape = z.object({
  id: z.int(),
  name: z.string(),
  expired: z.boolean(),
  digest: z.string().nullish(),
  workflow_run: z
    .object({
      id: z.int(),
      repository_id: z.int(),
      head_repository_id: z.int(),
      head_branch: z.string().nullable(),
      head_sha: z.string()
    })
    .nullish()
})

const pageShape = z.object({ artifacts: z.array(artifactShape) })

function ownArtifact(
  { id, name, expired, digest, workflow_run: run }: z.output<typeof artifactShape>,
  { repositoryId }: RepositoryQuery
): RepositoryArtifact[] {
  if (run?.repository_id !== repositoryId || run.head_repository_id !== repositoryId) return []
  const { id: runId, head_branch: branch, head_sha: commit } = run
  return [{ id, name, ...(digest && { digest }), isExpired: expired, runId, branch, commit }]
}
