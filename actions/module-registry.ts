import type { Environment } from '../src/action/inputs.ts'
import { maskSecret } from '../src/action/masking.ts'
import type { Credential } from '../src/image/oci/authorization.ts'
import type { Registry } from '../src/image/oci/registry.ts'
import { knownLogin, readDockerConfig } from '../src/image/registry-login.ts'
import { ownDockerConfig } from './docker-program.ts'
import { registryAt } from './registry.ts'

/**
 * A registry to fetch modules from: as whom an earlier step (`docker/login-action`) has logged in, else at ghcr.io with the
 * job's token, else as nobody. Throws a `ConfigurationError` when docker's configuration can't be read.
 */
export async function moduleRegistry(
  host: string,
  githubToken: string | undefined,
  environment: Environment,
  signal?: AbortSignal
): Promise<Registry> {
  const known = knownLogin(await readDockerConfig(ownDockerConfig(environment)), host)
  const credential = known.kind === 'login' ? known.credential : jobCredential(host, githubToken, environment)
  if (credential !== undefined) maskSecret(credential.password)
  return registryAt(host, credential, signal)
}

/** The job's token goes to ghcr.io alone. */
function jobCredential(host: string, token: string | undefined, { GITHUB_ACTOR }: Environment): Credential | undefined {
  return host === 'ghcr.io' && token !== undefined ? { username: GITHUB_ACTOR ?? 'token', password: token } : undefined
}
