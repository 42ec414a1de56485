/** What of a run of GitHub Actions an image is named after. */
export type GitEvent = {
  /** `push`, `pull_request`, `schedule` … */
  readonly name: string
  /** `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`. */
  readonly ref: string
  /** In full. */
  readonly commit: string
  readonly defaultBranch?: string | undefined
  readonly pullRequest?: number | undefined
  /** The branch that a pull request goes to. */
  readonly baseBranch?: string | undefined
}

/** The branch of a run; none for a tag or a pull request. */
export function branchOf(event: GitEvent): string | undefined {
  return event.pullRequest === undefined ? after('refs/heads/', event.ref) : undefined
}

/** The Git tag of a run; none for a branch or a pull request. */
export function gitTagOf(event: GitEvent): string | undefined {
  return event.pullRequest === undefined ? after('refs/tags/', event.ref) : undefined
}

/** Whether the run is of the default branch itself. */
export function isDefaultBranch(event: GitEvent): boolean {
  return event.defaultBranch !== undefined && branchOf(event) === event.defaultBranch
}

/** Whether the run is of changes that nobody has merged yet: what it makes is pushed only when that is asked for. */
export function isBeforeMerge({ name, pullRequest }: GitEvent): boolean {
  return pullRequest !== undefined || name === 'merge_group'
}

function after(beginning: string, ref: string): string | undefined {
  return ref.startsWith(beginning) ? ref.slice(beginning.length) : undefined
}
