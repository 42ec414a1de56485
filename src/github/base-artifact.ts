import * as z from 'zod'
import type { GitHubApi } from './api.ts'
import type { Artifacts } from './artifacts.ts'

/** An artifact that a branch of the repository made earlier. */
export type BaseArtifact = {
  readonly id: number
  readonly name: string
  /** Of the archive, `sha256:…`, where GitHub states it. */
  readonly digest?: string
  readonly branch: string
  readonly commit: string
  readonly runId: number
}

export type BaseArtifactSearch =
  | { readonly kind: 'found'; readonly artifact: BaseArtifact }
  /** Why there is none, or why nobody could look: nothing to fail for. */
  | { readonly kind: 'none'; readonly reason: string }

export type BaseArtifactQuery = {
  readonly owner: string
  readonly repository: string
  /** The repository's number, `GITHUB_REPOSITORY_ID`. */
  readonly repositoryId: number
  readonly branch: string
  /** Of the artifact. */
  readonly name: string
  /** The run that looks, which is not to find itself. */
  readonly runId?: number
}

/**
 * The newest artifact of a name that runs of a branch made and that is still kept. Only runs of the repository itself
 * count: anybody can run a workflow in a fork, on a branch of the same name. Needs `actions: read`.
 */
export async function findBaseArtifact(
  api: Pick<GitHubApi, 'pages'>,
  query: BaseArtifactQuery
): Promise<BaseArtifactSearch> {
  const { owner, repository, branch, name } = query
  const path = `/repos/${owner}/${repository}/actions/artifacts?per_page=100&name=${encodeURIComponent(name)}`
  let looked = 0
  for await (const page of api.pages(path, pageShape, { permission: 'actions: read' })) {
    if (page.kind !== 'ok') return { kind: 'none', reason: page.reason }
    const [newest] = page.value.artifacts.flatMap((artifact) => candidate(artifact, query)).sort((a, b) => b.id - a.id)
    if (newest) return { kind: 'found', artifact: newest }
    looked += 1
    if (looked === mostPages) break
  }
  return { kind: 'none', reason: `no run of the branch \`${branch}\` has an artifact \`${name}\` that is still kept` }
}

/**
 * Finds that artifact and unpacks it into `folder`. Rather says that there is none than takes longer than a minute or two.
 */
export async function fetchBaseArtifact(
  api: Pick<GitHubApi, 'pages'>,
  artifacts: Artifacts,
  query: BaseArtifactQuery & { readonly token: string; readonly folder: string }
): Promise<BaseArtifactSearch> {
  const found = await findBaseArtifact(api, query)
  if (found.kind === 'none') return found
  const { owner, repository, token, folder } = query
  const downloaded = await artifacts.download(found.artifact, folder, { owner, repository, token })
  return downloaded.kind === 'failed' ? { kind: 'none', reason: downloaded.reason } : found
}

/**
 * The branch that this run is to be compared with: the one that a pull request goes to, or the one that was pushed to.
 * Nothing for a tag, and for whatever else has no branch.
 */
export function baseBranch(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { GITHUB_BASE_REF: base, GITHUB_REF_TYPE: type, GITHUB_REF_NAME: name } = environment
  return base || (type === 'branch' && name) || undefined
}

/** The list is newest first; on a busy repository most of it are pull requests. */
const mostPages = 5

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

function candidate(
  { id, name, expired, digest, workflow_run: run }: z.output<typeof artifactShape>,
  query: BaseArtifactQuery
): BaseArtifact[] {
  const isOurs = run?.repository_id === query.repositoryId && run.head_repository_id === query.repositoryId
  if (!run || !isOurs || expired || name !== query.name) return []
  if (run.head_branch !== query.branch || run.id === query.runId) return []
  return [{ id, name, ...(digest && { digest }), branch: query.branch, commit: run.head_sha, runId: run.id }]
}
