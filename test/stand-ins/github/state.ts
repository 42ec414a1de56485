import type { Artifact } from '../results-artifacts.ts'
import type { ResultsService } from '../results-service.ts'
import type { Deployment } from './operations/deployments.ts'

/** What a token may do, as `permissions:` of a workflow says it. What is not said it may not. */
export type Permissions = Readonly<Partial<Record<Permission, 'read' | 'write'>>>

export type Permission =
  | 'actions'
  | 'contents'
  | 'deployments'
  | 'id-token'
  | 'issues'
  | 'packages'
  | 'pull-requests'
  /** Which `GITHUB_TOKEN` can't be given. */
  | 'administration'

/** Who asks: an app, as `GITHUB_TOKEN`'s is, whose login ends in `[bot]`, or a user. */
export type GitHubUser = { readonly login: string; readonly permissions: Permissions }

export type RepositoryChoice = {
  readonly owner?: string
  readonly name?: string
  readonly id?: number
  /** A public one is shown to those who have no token. */
  readonly isPrivate?: boolean
  readonly defaultBranch?: string
}

/** A run of a workflow. */
export type RunChoice = {
  /** `GITHUB_RUN_ID`. */
  readonly id: number
  /** The branch that was built: of a pull request the one that it comes from. */
  readonly branch?: string
  readonly sha?: string
  /** Of the repository that the branch is in, when that is a fork. */
  readonly headRepositoryId?: number
  readonly event?: string
  readonly conclusion?: 'success' | 'failure' | null
}

export type PullRequest = {
  readonly number: number
  /** Of the repository that its branch is in. */
  readonly owner: string
  readonly branch: string
  readonly sha: string
  /** Open without it. */
  state?: 'open' | 'closed'
  /** When it was closed. */
  closedAt?: string
  /** When anything happened to it last; long ago without it. */
  updatedAt?: string
}

/** One that is no pull request. */
export type Issue = {
  readonly number: number
  readonly login: string
  title: string
  body: string
  labels: string[]
  state: 'open' | 'closed'
}

export type StoredComment = { id: number; body: string; readonly login: string | null; readonly issue: number }

export type ReleaseAsset = { readonly id: number; readonly name: string; readonly bytes: Buffer }

export type ReleaseOptions = {
  /** Shown to nobody. */
  readonly isDraft?: boolean
  readonly isPrerelease?: boolean
  /** `false` for one from before GitHub kept digests of assets. */
  readonly hasDigests?: boolean
  /** What the tag is put on; the newest commit of the default branch without it. */
  readonly sha?: string
}

export type StoredRelease = Required<Omit<ReleaseOptions, 'sha'>> & {
  readonly id: number
  readonly tag: string
  readonly assets: ReleaseAsset[]
}

/**
 * The repository with all that is in it, and the tokens that are known. What tests change, they change here. Runs are
 * the results service's as `run-ID`.
 */
export class GitHubState {
  readonly repository: Required<RepositoryChoice>
  readonly results: ResultsService | undefined
  readonly runs: RunChoice[] = []
  /** By token. */
  readonly users = new Map<string, GitHubUser>()
  /** In the order in which they were made, as all of these. */
  readonly deployments: Deployment[] = []
  readonly pullRequests: PullRequest[] = []
  readonly issues: Issue[] = []
  readonly comments: StoredComment[] = []
  readonly releases: StoredRelease[] = []
  /** Commits besides those of runs and pull requests, and by their tags. */
  readonly commits = new Set<string>()
  readonly tags = new Map<string, string>()
  /** Names, in the order in which they came to be. */
  readonly environments = new Set<string>()
  /** Where the repository is shown. */
  web = 'https://github.com'
  /** Milliseconds since the epoch, for what is made. */
  now: () => number = Date.now
  #lastId = 1_000

  constructor(results: ResultsService | undefined, repository: RepositoryChoice) {
    const usual = { owner: 'octocat', name: 'game', id: 1296269, isPrivate: true, defaultBranch: 'main' }
    this.results = results
    this.repository = { ...usual, ...repository }
  }

  get fullName(): string {
    return `${this.repository.owner}/${this.repository.name}`
  }

  newId(): number {
    this.#lastId += 1
    return this.#lastId
  }

  timestamp(): string {
    return new Date(this.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  }

  /** What all runs have uploaded, newest first. */
  artifacts(): { artifact: Artifact; run: RunChoice }[] {
    return (this.results?.artifacts ?? [])
      .flatMap((artifact) => {
        const run = this.runs.find(({ id }) => resultsRun(id) === artifact.run)
        return run === undefined ? [] : [{ artifact, run }]
      })
      .sort((one, other) => other.artifact.id - one.artifact.id)
  }

  addComment(issue: number, login: string | null, body: string): StoredComment {
    const comment = { id: this.newId(), login, body, issue }
    this.comments.push(comment)
    return comment
  }

  addRelease(
    tag: string,
    assets: Readonly<Record<string, Buffer>>,
    { isDraft = false, isPrerelease = false, hasDigests = true, sha }: ReleaseOptions = {}
  ): StoredRelease {
    const stored = Object.entries(assets).map(([name, bytes]) => ({ id: this.newId(), name, bytes }))
    const release = { id: this.newId(), tag, isDraft, isPrerelease, hasDigests, assets: stored }
    this.releases.push(release)
    if (!isDraft) this.tags.set(tag, sha ?? this.headOf(this.repository.defaultBranch) ?? initialCommit)
    return release
  }

  /** The commit that a branch is at: that of its newest run, or of the pull request that is made of it. */
  headOf(branch: string): string | undefined {
    const run = this.runs.findLast((each) => (each.branch ?? this.repository.defaultBranch) === branch)
    if (run) return shaOf(run)
    const ownPullRequest = this.pullRequests.findLast(
      (each) => each.branch === branch && each.owner === this.repository.owner
    )
    return ownPullRequest?.sha ?? (branch === this.repository.defaultBranch ? initialCommit : undefined)
  }

  /** The commit that a branch, a tag or a commit's whole hash names. */
  commitOf(ref: string): string | undefined {
    const name = ref.replace(/^refs\/(heads|tags)\//, '')
    const commits = new Set([initialCommit, ...this.commits, ...this.tags.values(), ...this.runs.map(shaOf)])
    for (const { sha } of this.pullRequests) commits.add(sha)
    return commits.has(ref) ? ref : (this.headOf(name) ?? this.tags.get(name))
  }
}

/** What a repository begins with. */
export const initialCommit = '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d'

/** What the results service calls a run. */
export function resultsRun(id: number): string {
  return `run-${id}`
}

/** Of a run that was given none: forty digits that are the run's own. */
export function shaOf({ id, sha }: Pick<RunChoice, 'id' | 'sha'>): string {
  return sha ?? id.toString(16).padStart(40, '0')
}
