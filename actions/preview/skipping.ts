import { isFromFork } from '../../src/action/event.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { Task } from './task.ts'

type CredentialInputs = { readonly token: string | undefined; readonly auth: 'oidc' | undefined }

/**
 * Why there can be no credential: GitHub gives a pull request from a fork, or of Dependabot, no secrets and no ID token.
 * `undefined` when there is one. Throws a `ConfigurationError` when there could be one, and none was given.
 */
export async function reasonForNoCredential(
  { token, auth }: CredentialInputs,
  environment: Environment
): Promise<string | undefined> {
  const hasIdToken = Boolean(environment.ACTIONS_ID_TOKEN_REQUEST_URL)
  if (token !== undefined || (auth !== undefined && hasIdToken)) return undefined
  if (await isFromFork(environment)) {
    return 'GitHub gives the runs of a pull request from a fork no secrets and no ID token, so there is no credential for the server.'
  }
  if (environment.GITHUB_ACTOR === 'dependabot[bot]') {
    return "GitHub gives Dependabot's runs no secrets but its own, and no ID token, so there is no credential for the server."
  }
  if (auth !== undefined) return undefined
  throw new ConfigurationError(
    'Give one of the inputs `token` and `auth: oidc`: a preview is never without an owner. A `token` from a secret that is not set is empty and counts as not given.'
  )
}

/**
 * Why the module of a fork is not published although there is a credential: `pull_request_target` gives it to whatever a
 * stranger has written. `undefined` when it is none, or somebody has said by `mode` that it is to be published.
 */
export async function reasonNotToTrust(task: Task, environment: Environment): Promise<string | undefined> {
  const isByTarget = environment.GITHUB_EVENT_NAME === 'pull_request_target'
  if (task.kind !== 'update' || !task.isByEvent || !isByTarget || !(await isFromFork(environment))) return undefined
  return 'The pull request is from a fork, and `pull_request_target` would give what anybody may have written there the credential of this repository. Once somebody has read it, `mode: update` publishes it.'
}
