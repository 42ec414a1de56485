import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { ConfigurationError } from '../errors.ts'
import { type Docker, runDocker } from './docker.ts'
import type { Credential } from './oci/authorization.ts'

/** Who pushes: a user of a registry. */
export type Login = { readonly registry: string; readonly username: string; readonly password: string }

/** The user's own configuration of docker. */
export type OwnConfig = {
  readonly folder: string
  readonly config: DockerConfig
}

/**
 * Reads the user's own configuration, which need not be there. Throws a `ConfigurationError` when its `config.json` is none.
 */
export async function readDockerConfig(folder: string): Promise<OwnConfig> {
  return { folder, config: await readConfig(join(folder, 'config.json')) }
}

/**
 * Makes a folder for `DOCKER_CONFIG` that nobody else can read. What the user's own one has stays usable: contexts,
 * plugins, builders, and logins but for the one to `registry`, which is about to be logged in to.
 */
export async function makeDockerConfig(folder: string, own: OwnConfig, registry: string | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const config = withOwnStore(own.config, registry)
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
  for (const name of linked) {
    const path = join(own.folder, name)
    if (await isFolder(path)) await symlink(path, join(folder, name), 'junction')
  }
}

/** What lies beside `config.json`: https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties. */
const linked = ['cli-plugins', 'buildx', 'contexts']

/** What a configuration knows of a registry. */
export type KnownLogin =
  | { readonly kind: 'login'; readonly credential: Credential }
  /** Only a program outside of the file, or a token that only docker can use, has it. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'none' }

/** The login to a registry (`ghcr.io`) that an earlier step left in the user's own configuration. */
export function knownLogin({ config }: OwnConfig, registry: string): KnownLogin {
  const names = registry === 'docker.io' ? [dockerHubLogin, 'index.docker.io', 'docker.io'] : [registry]
  const { auths = {}, credHelpers = {}, credsStore } = config
  const name = names.find((each) => Object.hasOwn(auths, each) || Object.hasOwn(credHelpers, each))
  if (name === undefined) return { kind: 'none' }
  const { auth = '' } = auths[name] ?? {}
  const [, username, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? []
  if (username && password) return { kind: 'login', credential: { username, password } }
  return credsStore !== undefined || Object.hasOwn(credHelpers, name) || auth !== '' || auths[name]?.identitytoken
    ? { kind: 'hidden' }
    : { kind: 'none' }
}

/** Logs in to a registry; the password goes by the standard input. Throws a `ConfigurationError` when it is not accepted. */
export async function logIn(docker: Docker, { registry, username, password }: Login): Promise<void> {
  await runDocker(docker, ['login', '--username', username, '--password-stdin', loginServer(registry)], {
    undertaking: { kind: 'log-in', registry },
    timeout: 120_000,
    input: password
  })
}

/** By which name `docker` keeps a login. */
function loginServer(registry: string): string {
  return registry === 'docker.io' ? dockerHubLogin : registry
}

/** https://github.com/docker/cli/blob/v28.2.2/vendor/github.com/docker/docker/registry/config.go */
const dockerHubLogin = 'https://index.docker.io/v1/'

const configSchema = z.looseObject({
  auths: z
    .record(z.string(), z.looseObject({ auth: z.string().optional(), identitytoken: z.string().optional() }))
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional()
})

type DockerConfig = z.output<typeof configSchema>

/**
 * The user's configuration, but what is stored from now on goes into the file, which is removed with the job: a store of
 * the machine is only asked for the logins that are in it. With an entry in `auths`, docker looks for no store by itself.
 */
function withOwnStore(config: DockerConfig, registry: string | undefined): DockerConfig {
  const { credsStore, auths = {}, credHelpers = {}, ...others } = config
  const inStore = credsStore === undefined ? [] : Object.keys(auths).map((host) => [host, credsStore] as const)
  const helpers = { ...Object.fromEntries(inStore), ...credHelpers }
  const replaced = registry === undefined ? undefined : loginServer(registry)
  if (replaced !== undefined) delete helpers[replaced]
  return { ...others, auths: { ...auths, ...(replaced && { [replaced]: {} }) }, credHelpers: helpers }
}

async function readConfig(path: string): Promise<DockerConfig> {
  const text = await readFile(path, 'utf8').catch(() => '{}')
  try {
    return configSchema.parse(JSON.parse(text))
  } catch {
    throw new ConfigurationError(`${path} is no configuration of docker. Correct it, or remove it.`)
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false
  )
}
