import * as core from '@actions/core'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Environment } from './inputs.ts'
import { maskSecret } from './masking.ts'

/**
 * A fresh ID token of GitHub for this job, masked. It is good for minutes only: ask for one for each step that needs
 * it. Without an audience it has GitHub's default one, the URL of the repository's owner.
 * Throws a ConfigurationError when the job is not allowed to have one.
 */
export async function requestIdToken(audience: string | undefined, environment: Environment): Promise<string> {
  if (!environment.ACTIONS_ID_TOKEN_REQUEST_URL || !environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN) {
    throw new ConfigurationError(missingPermission)
  }
  const token = await core.getIDToken(audience).catch((thrown: unknown) => {
    const reason = messageOf(thrown).replace(/\s+/g, ' ').trim()
    throw new Error(`GitHub gave no ID token for this job: ${reason}. Run the job again.`, { cause: thrown })
  })
  maskSecret(token)
  return token
}

const missingPermission = `This job may not request an ID token, which \`auth: oidc\` needs. Add to the job:

permissions:
  contents: read
  id-token: write

A pull request from a fork never gets one: deploy from a push, a release or by hand instead.`
