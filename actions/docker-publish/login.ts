import { join } from 'node:path'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { Docker } from '../../src/image/docker.ts'
import { type Login, logIn, makeDockerConfig, readDockerConfig } from '../../src/image/registry-login.ts'
import { ownDockerConfig } from './docker-program.ts'
import type { Plan } from './plan.ts'
import type { spec } from './spec.ts'

type PublishInputs = Inputs<typeof spec>

/**
 * Makes docker's configuration for this step, and logs in to the registry where the inputs or the job's token allow it.
 * Answers the login. Throws a `ConfigurationError` when it is not accepted.
 */
export async function openRegistryLogin(
  docker: Docker,
  { root, plan, inputs, environment }: { root: string; plan: Plan; inputs: PublishInputs; environment: Environment }
): Promise<Login | undefined> {
  const own = await readDockerConfig(ownDockerConfig(environment))
  const login = loginOf(inputs, plan, environment, own.hosts)
  await makeDockerConfig(join(root, 'config'), own, login?.registry)
  if (login === undefined) return undefined
  log(`Logging in to ${login.registry} as ${login.username} …`)
  await logIn(docker, login)
  return login
}

/** The job's token goes to ghcr.io alone. */
function loginOf(
  inputs: PublishInputs,
  { images, push }: Plan,
  { GITHUB_ACTOR }: Environment,
  loggedIn: readonly string[]
): Login | undefined {
  const { username, password, githubToken } = inputs
  const registry = inputs.registry?.toLowerCase() ?? images[0].host
  if (password !== undefined) {
    const user = username ?? (registry === 'ghcr.io' ? GITHUB_ACTOR : undefined)
    if (user === undefined)
      throw new ConfigurationError(`Give \`username\` too: who logs in to ${registry} with the \`password\`.`)
    return { registry, username: user, password }
  }
  if (username !== undefined && registry !== 'ghcr.io') {
    throw new ConfigurationError(`Give \`password\` too: with what \`${username}\` logs in to ${registry}.`)
  }
  const isOpen = registry !== 'ghcr.io' || loggedIn.includes(registry) || githubToken === undefined
  if (!push || isOpen) return undefined
  return { registry, username: username ?? GITHUB_ACTOR ?? 'token', password: githubToken }
}
