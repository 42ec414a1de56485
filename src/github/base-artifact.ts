import type { GitHubApi } from './api.ts'
import type { Artifacts } from './artifacts.ts'
import { artifactsNamed, type RepositoryArtifact, type RepositoryQuery } from './repository-artifacts.ts'

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

export type BaseArtifactQuery = RepositoryQuery & {
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
  const { branch, name } = query
  let looked = 0
  for await (const page of artifactsNamed(api, query)) {
    if (page.kind !== 'ok') return { kind: 'none', reason: page.reason }
    const [newest] = page.value.flatMap((artifact) => candidate(artifact, query)).sort((a, b) => b.id - a.id)
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

function candidate({ isExpired, branch, ...artifact }: RepositoryArtifact, query: BaseArtifactQuery): BaseArtifact[] {
  if (isExpired || branch !== query.branch || artifact.runId === query.runId) return []
  return [{ ...artifact, branch }]
}
