import { join } from 'node:path'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { maskSecret } from '../src/action/masking.ts'
import { ConfigurationError } from '../src/errors.ts'
import type { Docker } from '../src/image/docker.ts'
import type { Credential } from '../src/image/oci/authorization.ts'
import {
  knownLogin,
  type Login,
  logIn,
  makeDockerConfig,
  type OwnConfig,
  readDockerConfig
} from '../src/image/registry-login.ts'
import { ownDockerConfig } from './docker-program.ts'
import type { Plan } from './image-plan.ts'

/** The inputs by which somebody logs in to a registry. */
export type RegistryInputs = {
  readonly registry: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly githubToken: string | undefined
  /** Whether the module alone is to be stored; the input by which it is, where that is not `module-artifact`. */
  readonly moduleArtifact: boolean | 'publish-image'
}

/**
 * Makes docker's configuration for this step, and logs in to the registry where the inputs or the job's token allow it.
 * Answers as whom the registry of the first image is spoken to without docker; `undefined`: as nobody. Throws a
 * `ConfigurationError` when a login is not accepted, or can't be used for what is to be done.
 */
export async function openRegistryLogin(
  docker: Docker,
  { root, plan, inputs, environment }: { root: string; plan: Plan; inputs: RegistryInputs; environment: Environment }
): Promise<Credential | undefined> {
  const own = await readDockerConfig(ownDockerConfig(environment))
  const [{ host }] = plan.images
  const known = knownLogin(own, host)
  const login = loginOf(inputs, plan, environment, own)
  await makeDockerConfig(join(root, 'config'), own, login?.registry)
  const credential = login?.registry === host ? login : known.kind === 'login' ? known.credential : undefined
  if (credential === undefined && known.kind === 'hidden' && plan.push && inputs.moduleArtifact) {
    const use =
      inputs.moduleArtifact === 'publish-image'
        ? "`publish-image`, which stores the module alone too, can't use either. Give `username` and `password`."
        : "`module-artifact: true` can't use either. Give `username` and `password`, or leave out `module-artifact`."
    throw new ConfigurationError(
      `The login to ${host} is in a credential helper or is a token of docker's own, and ${use}`
    )
  }
  if (credential !== undefined) maskSecret(credential.password)
  if (login === undefined) return credential
  log(`Logging in to ${login.registry} as ${login.username} …`)
  await logIn(docker, login)
  return credential
}

/** The job's token goes to ghcr.io alone. */
function loginOf(
  inputs: RegistryInputs,
  { images, push }: Plan,
  { GITHUB_ACTOR }: Environment,
  own: OwnConfig
): Login | undefined {
  const { username, password, githubToken } = inputs
  const registry = inputs.registry === undefined ? images[0].host : registryHost(inputs.registry)
  if (password !== undefined) {
    const user = username ?? (registry === 'ghcr.io' ? GITHUB_ACTOR : undefined)
    if (user === undefined)
      throw new ConfigurationError(`Give \`username\` too: who logs in to ${registry} with the \`password\`.`)
    return { registry, username: user, password }
  }
  // A pull request from a fork has no secrets, and needs none.
  if (!push) return undefined
  if (username !== undefined && registry !== 'ghcr.io') {
    throw new ConfigurationError(`Give \`password\` too: with what \`${username}\` logs in to ${registry}.`)
  }
  if (registry !== 'ghcr.io' || githubToken === undefined || knownLogin(own, registry).kind !== 'none') return undefined
  return { registry, username: username ?? GITHUB_ACTOR ?? 'token', password: githubToken }
}

/** By the name that images of it have. */
function registryHost(given: string): string {
  const host = given.toLowerCase()
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host
}
