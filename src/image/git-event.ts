/** What of a run of GitHub Actions an image is named after. */
export type GitEvent = {
  /** `push`, `pull_request`, `schedule` … */
  readonly name: string
  /** `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`. */
  readonly ref: string
  /** In full. */
  readonly commit: string
  readonly stage: Stage
  readonly defaultBranch?: string | undefined
  readonly pullRequest?: number | undefined
  /** The branch that a pull request goes to. */
  readonly baseBranch?: string | undefined
}

/** How far the changes of a run have come: merged, in a pull request or a merge queue, or in a pull request from a fork. */
export type Stage = 'merged' | 'proposed' | 'proposed-from-fork'

/** The branch of a run; none for a tag or for what is not merged yet. */
export function branchOf(event: GitEvent): string | undefined {
  return isBeforeMerge(event) ? undefined : after('refs/heads/', event.ref)
}

/** The Git tag of a run; none for a branch or for what is not merged yet. */
export function gitTagOf(event: GitEvent): string | undefined {
  return isBeforeMerge(event) ? undefined : after('refs/tags/', event.ref)
}

/** Whether the run is of the default branch itself. */
export function isDefaultBranch(event: GitEvent): boolean {
  return event.defaultBranch !== undefined && branchOf(event) === event.defaultBranch
}

/** Whether the run is of changes that nobody has merged yet: what it makes is pushed only when that is asked for. */
export function isBeforeMerge({ stage }: GitEvent): boolean {
  return stage !== 'merged'
}

function after(beginning: string, ref: string): string | undefined {
  return ref.startsWith(beginning) ? ref.slice(beginning.length) : undefined
}
