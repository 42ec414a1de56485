import type { Artifact } from './results-artifacts.ts'
import type { ResultsService } from './results-service.ts'

/** What a token may do, as `permissions:` of a workflow says it. What is not said it may not. */
export type Permissions = Readonly<Partial<Record<'actions' | 'contents' | 'pull-requests', 'read' | 'write'>>>

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

/** The repository, its runs and tokens. Runs are the results service's as `run-ID`. */
export class GitHubState {
  readonly repository: Required<RepositoryChoice>
  readonly results: ResultsService
  readonly runs: RunChoice[] = []
  /** By token. */
  readonly permissions = new Map<string, Permissions>()

  constructor(results: ResultsService, repository: RepositoryChoice) {
    const usual = { owner: 'octocat', name: 'game', id: 1296269, isPrivate: true, defaultBranch: 'main' }
    this.results = results
    this.repository = { ...usual, ...repository }
  }

  /** What all runs have uploaded, newest first. */
  artifacts(): { artifact: Artifact; run: RunChoice }[] {
    return this.results.artifacts
      .flatMap((artifact) => {
        const run = this.runs.find(({ id }) => resultsRun(id) === artifact.run)
        return run === undefined ? [] : [{ artifact, run }]
      })
      .sort((one, other) => other.artifact.id - one.artifact.id)
  }
}

/** What the results service calls a run. */
export function resultsRun(id: number): string {
  return `run-${id}`
}
