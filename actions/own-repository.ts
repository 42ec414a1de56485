import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { systemClock } from '../src/clock.ts'
import { type GitHubApi, gitHubApi } from '../src/github/api.ts'
import type { RepositoryQuery } from '../src/github/repository-artifacts.ts'
import { version } from '../src/version.ts'

/** The repository that a run of GitHub Actions is of, and who asks about it. */
export type OwnRepository = RepositoryQuery & { readonly api: GitHubApi; readonly token: string }

/** `undefined` outside of a run of GitHub Actions, or without a token. */
export function ownRepository(environment: Environment, token: string | undefined): OwnRepository | undefined {
  const { GITHUB_REPOSITORY: own = '', GITHUB_REPOSITORY_ID: id, GITHUB_API_URL } = environment
  const [owner, repository] = own.split('/')
  if (!token || !owner || !repository || !id) return undefined
  const url = GITHUB_API_URL ?? 'https://api.github.com'
  const api = gitHubApi({ url, token, version, clock: systemClock, onRetry: log })
  return { api, owner, repository, repositoryId: Number(id), token }
}
