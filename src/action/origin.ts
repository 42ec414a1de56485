import type { Environment } from './inputs.ts'

/** Where a piece of work comes from: https://docs.github.com/actions/reference/workflows-and-actions/variables. */
export type Origin = { readonly commit?: string; readonly repository?: string; readonly run?: string }

/** What GitHub says of the run that this step is part of; outside of a run, nothing. */
export function originOf(environment: Environment): Origin {
  const { GITHUB_SHA: commit, GITHUB_REPOSITORY: repository, GITHUB_SERVER_URL: server } = environment
  const runId = environment.GITHUB_RUN_ID
  return {
    ...(commit && { commit }),
    ...(repository && { repository }),
    ...(server && repository && runId && { run: `${server}/${repository}/actions/runs/${runId}` })
  }
}
