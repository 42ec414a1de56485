import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { maskSecret } from '../src/action/masking.ts'
import { workspaceOf } from '../src/action/workspace.ts'
import { formatManifest } from '../src/build/manifest.ts'
import { planBuilds } from '../src/build/plan.ts'
import { ConfigurationError } from '../src/errors.ts'
import { keepSecrets } from '../src/image/build-secrets.ts'
import { type Build, type Builder, digestOf } from '../src/image/buildx.ts'
import { addSources, makeContext, type Repository } from '../src/image/context.ts'
import type { Docker } from '../src/image/docker.ts'
import { type Pair, pairsIn } from '../src/image/pairs.ts'
import { childEnvironment, runProgram } from '../src/process.ts'
import { type GivenModule, versionOf } from './given-module.ts'
import type { Plan } from './image-plan.ts'
import { versionOfModules } from './installing.ts'

/** The inputs by which an image is built. */
export type ImageBuildInputs = {
  readonly buildInImage: boolean
  readonly version: string
  readonly path: string | undefined
  readonly serverImage: string | undefined
  readonly baseImage: string | undefined
  readonly dockerfile: string | undefined
  readonly context: string | undefined
  readonly buildArgs: string | undefined
  readonly secrets: string | undefined
  readonly secretEnvs: string | undefined
  readonly secretFiles: string | undefined
  readonly target: string | undefined
  readonly network: 'default' | 'none' | 'host' | undefined
  readonly platforms: string | undefined
  readonly builder: string | undefined
  readonly cacheFrom: string | undefined
  readonly cacheTo: string | undefined
  readonly noCache: boolean
  readonly pull: boolean
  readonly provenance: string | undefined
  readonly sbom: string | undefined
}

/** What a build is made of. */
export type BuildParts = {
  readonly inputs: ImageBuildInputs
  readonly plan: Plan
  readonly given: GivenModule | undefined
  readonly builder: Builder
  readonly environment: Environment
  /** The folder of this step alone. */
  readonly root: string
}

/** What is shipped beside `dist`. */
const shipped = join(dirname(fileURLToPath(import.meta.url)), '..', 'docker')

/** Prepares a build: its context, its secrets, the image that the server comes from. Throws a `ConfigurationError` for wrong inputs. */
export async function prepareBuild(docker: Docker, parts: BuildParts): Promise<Build> {
  const { inputs, plan, root } = parts
  maskLines(inputs.secrets)
  const secrets = {
    values: pairsIn(inputs.secrets, 'secrets', { isSecret: true }),
    variables: pairsIn(inputs.secretEnvs, 'secret-envs'),
    files: pairsIn(inputs.secretFiles, 'secret-files')
  }
  const buildArgs = pairsIn(inputs.buildArgs, 'build-args')
  const places = await placesOf(parts)
  return {
    ...places,
    buildArgs: [...(places.isOurs ? await ownArguments(docker, parts) : []), ...buildArgs],
    labels: plan.labels,
    secrets: await keepSecrets(secrets, join(root, 'secrets')),
    ...cacheOf(parts),
    platforms: inputs.platforms?.split(/[\s,]+/) ?? [],
    target: inputs.target,
    network: inputs.network,
    builder: inputs.builder,
    provenance: inputs.provenance,
    sbom: inputs.sbom,
    sourceDateEpoch: plan.time,
    pull: inputs.pull,
    noCache: inputs.noCache
  } satisfies Build & { isOurs: boolean }
}

/** The input as a whole is masked already; a build may print one value alone. */
function maskLines(secrets: string | undefined): void {
  for (const [, value] of pairsIn(secrets, 'secrets', { isSecret: true })) if (value.trim() !== '') maskSecret(value)
}

function repositoryIn(environment: Environment): Repository {
  return { run: runProgram, folder: workspaceOf(environment), environment: childEnvironment(environment) }
}

type Places = Pick<Build, 'dockerfile' | 'context' | 'namedContexts'> & { readonly isOurs: boolean }

async function placesOf({ inputs, plan, given, environment, root }: BuildParts): Promise<Places> {
  const { dockerfile, context } = inputs
  const own = join(root, 'context')
  if (given !== undefined || inputs.buildInImage) {
    const manifest = given?.manifest && formatManifest(given.manifest)
    const entrypoint = join(shipped, 'entrypoint.sh')
    const names = await makeContext(own, { module: given?.module, manifest, entrypoint }, plan.time)
    log(`Into the image go: ${names.join(', ')}.`)
    if (inputs.buildInImage) await addSources(own, repositoryIn(environment))
  }
  const namedContexts: Pair[] = given !== undefined && context !== undefined ? [['module', own]] : []
  if (dockerfile === undefined && context === undefined) {
    return { dockerfile: join(shipped, 'Dockerfile'), context: own, namedContexts, isOurs: true }
  }
  const workspace = workspaceOf(environment)
  const folder = context === undefined ? undefined : resolve(workspace, context)
  if (folder === undefined && given === undefined) {
    throw new ConfigurationError(
      'With a `dockerfile` and without a module there is nothing to build from: give `context`, such as `.`, or `module`.'
    )
  }
  return {
    dockerfile: dockerfile === undefined ? join(folder ?? own, 'Dockerfile') : resolve(workspace, dockerfile),
    context: folder ?? own,
    namedContexts,
    isOurs: false
  }
}

/** The arguments of our own Dockerfile. */
async function ownArguments(docker: Docker, parts: BuildParts): Promise<Pair[]> {
  const { baseImage } = parts.inputs
  const server = await pinned(docker, await serverImageOf(parts))
  return [
    ['SERVER_IMAGE', server],
    ...(baseImage === undefined ? [] : [['BASE_IMAGE', baseImage] as const]),
    ...(parts.inputs.buildInImage ? await sourceArguments(parts) : [])
  ]
}

/** Which of the sources the image builds. Throws a `ConfigurationError` unless it is one Rust project. */
async function sourceArguments({ inputs, environment }: BuildParts): Promise<Pair[]> {
  const workspace = workspaceOf(environment)
  const { builds } = await planBuilds({ path: inputs.path, environment: undefined, workspace })
  const folders = new Set(builds.map(({ project }) => project.folder))
  const [first] = builds
  if (folders.size !== 1 || first?.project.language !== 'rust') {
    throw new ConfigurationError(
      `With \`build-in-image: true\` there has to be one Rust module, and found were: ${builds.map(({ project }) => `${project.language} in ${relative(workspace, project.folder) || '.'}`).join(', ') || 'none'}. Say by \`path\` which one it is, or build the module with \`build-module\` and give \`module\`.`
    )
  }
  const path = relative(workspace, first.project.folder).replaceAll('\\', '/') || '.'
  return [
    ['MODULE_SOURCE', 'rust'],
    ['MODULE_PATH', path]
  ]
}

async function serverImageOf({ inputs, given, environment }: BuildParts): Promise<string> {
  const { serverImage, version, path } = inputs
  if (serverImage !== undefined) return serverImage
  if (version !== 'auto') return serverImageFor(version.replace(/^v/, ''))
  const workspace = workspaceOf(environment)
  const found = await (given === undefined ? versionOfModules(path, workspace) : versionOf(given, path, workspace))
  if (found.kind === 'exact') {
    log(`SpacetimeDB ${found.version}: ${found.reason}.`)
    return serverImageFor(found.version)
  }
  throw new ConfigurationError(
    `The project allows several versions of SpacetimeDB (${found.range}: ${found.reason}), and an image has one. Give the input \`version\`, such as \`2.8.3\`, or commit the project's lock file.`
  )
}

/** https://hub.docker.com/r/clockworklabs/spacetime/tags */
function serverImageFor(version: string): string {
  return `clockworklabs/spacetime:v${version}`
}

/** With the digest that the tag leads to now, so that all platforms and a later look see the same. */
async function pinned(docker: Docker, image: string): Promise<string> {
  if (image.includes('@')) return image
  const digest = await digestOf(docker, image).catch(() => undefined)
  if (digest === undefined) {
    log(`The digest of ${image} can't be asked for; it is taken by its tag.`)
    return image
  }
  log(`Server and CLI come from ${image}@${digest}.`)
  return `${image}@${digest}`
}

/** GitHub's cache by itself, where it is there and the builder can use it. */
function cacheOf({ inputs, builder, environment }: BuildParts): Pick<Build, 'cacheFrom' | 'cacheTo'> {
  const hasCache = Boolean(environment.ACTIONS_RUNTIME_TOKEN && environment.ACTIONS_RESULTS_URL)
  const byItself = hasCache && builder.driver !== 'docker' && !inputs.noCache
  const usual = byItself
    ? { from: [usualCache], to: [`${usualCache},mode=max,ignore-error=true`] }
    : { from: [], to: [] }
  return { cacheFrom: linesOf(inputs.cacheFrom) ?? usual.from, cacheTo: linesOf(inputs.cacheTo) ?? usual.to }
}

const usualCache = 'type=gha,scope=docker-publish'

function linesOf(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => line !== '' && line !== 'none')
}

/**
 * What buildx uses GitHub's cache by, for that child alone and only when it does
 * (https://docs.docker.com/build/cache/backends/gha/).
 */
export function cacheVariables({ cacheFrom, cacheTo }: Build, environment: Environment): Environment {
  const uses = [...cacheFrom, ...cacheTo].some((entry) => /(^|,)type=gha(,|$)/.test(entry))
  if (!uses) return {}
  const names = ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL', 'ACTIONS_CACHE_URL', 'ACTIONS_CACHE_SERVICE_V2']
  return Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])))
}
