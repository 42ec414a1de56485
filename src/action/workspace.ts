import type { Environment } from './inputs.ts'

/** The folder of the job's files, where relative paths begin; outside of a runner the current folder. */
export function workspaceOf({ GITHUB_WORKSPACE }: Environment): string {
  return GITHUB_WORKSPACE || process.cwd()
}
