import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { parseJson } from '../checked-json.ts'
import type { Clock } from '../clock.ts'
import type { Command } from '../process.ts'
import { type Docker, type DockerOptions, runDocker } from './docker.ts'
import type { Undertaking } from './docker-errors.ts'
import type { ImageName } from './images.ts'
import type { Pair } from './pairs.ts'

/** What an image is built of, and how. */
export type Build = {
  readonly dockerfile: string
  readonly context: string
  /** More folders that the Dockerfile can copy from, by their names. */
  readonly namedContexts: readonly Pair[]
  readonly buildArgs: readonly Pair[]
  readonly labels: readonly Pair[]
  readonly secrets: readonly BuildSecret[]
  readonly cacheFrom: readonly string[]
  readonly cacheTo: readonly string[]
  /** `linux/amd64`; those of the builder when empty. */
  readonly platforms: readonly string[]
  readonly target?: string | undefined
  readonly builder?: string | undefined
  /** As buildx takes them; its own default without them. */
  readonly provenance?: string | undefined
  readonly sbom?: string | undefined
  /** In seconds since the epoch. */
  readonly sourceDateEpoch: number
  /** Of what the Dockerfile runs: `default`, `none`, `host`. */
  readonly network?: string | undefined
  /** Whether base images are looked for anew. */
  readonly pull: boolean
  readonly noCache: boolean
}

/** A build secret: where its value is, never the value itself. */
export type BuildSecret = { readonly id: string; readonly from: { readonly env: string } | { readonly file: string } }

/** What becomes of what was built. */
export type Destination =
  /** Nothing: it is only seen whether it builds. */
  | { readonly kind: 'nowhere' }
  /** Into the engine of this machine, under these names. */
  | { readonly kind: 'engine'; readonly tags: readonly string[] }
  /** To registries, under these names: `ghcr.io/owner/name:tag`. */
  | { readonly kind: 'tags'; readonly tags: readonly string[]; readonly rewriteTimes: boolean }
  /** To registries, without a tag: only the digest leads to it. */
  | { readonly kind: 'digest'; readonly images: readonly ImageName[]; readonly rewriteTimes: boolean }

/** The arguments for `docker` that build an image. What buildx made is written to `metadataFile`. */
export function buildArguments(build: Build, to: Destination, metadataFile: string): string[] {
  const leavesEngine = to.kind === 'tags' || to.kind === 'digest'
  return [
    'buildx',
    'build',
    ...flag('--builder', build.builder),
    '--progress=plain',
    `--file=${build.dockerfile}`,
    `--metadata-file=${metadataFile}`,
    ...destinationArguments(to),
    ...flag('--platform', build.platforms.join(',') || undefined),
    ...flag('--target', build.target),
    ...flag('--network', build.network),
    ...build.namedContexts.map(([name, path]) => `--build-context=${name}=${path}`),
    ...build.buildArgs.map(([name, value]) => `--build-arg=${name}=${value}`),
    `--build-arg=SOURCE_DATE_EPOCH=${build.sourceDateEpoch}`,
    ...build.labels.map(([name, value]) => `--label=${name}=${value}`),
    ...build.secrets.map((secret) => `--secret=${secretText(secret)}`),
    ...build.cacheFrom.map((from) => `--cache-from=${from}`),
    ...(leavesEngine || to.kind === 'nowhere' ? build.cacheTo.map((where) => `--cache-to=${where}`) : []),
    // An engine's own store takes no attestations.
    ...(leavesEngine ? [...flag('--provenance', build.provenance), ...flag('--sbom', build.sbom)] : []),
    ...(build.pull ? ['--pull'] : []),
    ...(build.noCache ? ['--no-cache'] : []),
    build.context
  ]
}

function destinationArguments(to: Destination): string[] {
  switch (to.kind) {
    case 'nowhere':
      return []
    case 'engine':
      return ['--load', '--provenance=false', ...to.tags.map((tag) => `--tag=${tag}`)]
    case 'tags': {
      const output = to.rewriteTimes ? [`--output=${csv(['type=image', 'push=true', rewriteTimes])}`] : ['--push']
      return [...output, ...to.tags.map((tag) => `--tag=${tag}`)]
    }
    case 'digest': {
      const names = to.images.map(({ name }) => name).join(',')
      const parts = ['type=image', `name=${names}`, 'push-by-digest=true', 'name-canonical=true', 'push=true']
      return [`--output=${csv([...parts, ...(to.rewriteTimes ? [rewriteTimes] : [])])}`]
    }
  }
}

/** https://docs.docker.com/build/ci/github-actions/reproducible-builds/ */
const rewriteTimes = 'rewrite-timestamp=true'

function secretText({ id, from }: BuildSecret): string {
  return csv([`id=${id}`, 'env' in from ? `env=${from.env}` : `src=${from.file}`])
}

/** As buildx reads its lists of `name=value`: https://pkg.go.dev/encoding/csv. */
function csv(fields: readonly string[]): string {
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')
}

function flag(name: string, value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : [`${name}=${value}`]
}

/** How a build is run, besides what it builds. */
export type Running = {
  readonly metadataFile: string
  readonly undertaking: Undertaking
  /** In milliseconds. */
  readonly timeout: number
  /** For this child alone: secrets, and what GitHub's cache is used by. */
  readonly environment: Command['environment']
  readonly onLine: (line: string) => void
}

/** What buildx made; the digest is there when it went to a registry. */
export type Built = { readonly digest: string | undefined }

/** Builds an image. Throws a `ConfigurationError` with the cure when the build failed for a reason that is known. */
export async function buildImage(docker: Docker, build: Build, to: Destination, running: Running): Promise<Built> {
  const { metadataFile, ...options } = running
  await runDocker(docker, buildArguments(build, to, metadataFile), options)
  return { digest: digestIn(await readFile(metadataFile, 'utf8').catch(() => '{}'), metadataFile) }
}

const metadataSchema = z.looseObject({
  'containerimage.digest': z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional()
})

/** https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file */
export function digestIn(metadata: string, origin: string): string | undefined {
  const parsed = metadataSchema.safeParse(parseJson(metadata, origin))
  if (!parsed.success) throw new Error(`buildx wrote what can't be read to ${origin}: ${parsed.error.message}`)
  return parsed.data['containerimage.digest']
}

/** The builder that builds. */
export type Builder = {
  readonly name: string
  /** `docker` is the engine's own, which can do less than `docker-container`, `kubernetes` and `remote`. */
  readonly driver: string
}

const lookingAt: DockerOptions = { undertaking: { kind: 'look' }, timeout: 60_000 }

/** Asks buildx for its builder. Throws a `ConfigurationError` without docker, buildx or the builder. */
export async function inspectBuilder(docker: Docker, name: string | undefined): Promise<Builder> {
  const args = ['buildx', 'inspect', ...(name === undefined ? [] : [name])]
  const said = await runDocker(docker, args, lookingAt)
  const value = (field: string) => new RegExp(`^${field}:\\s*(\\S+)\\s*$`, 'm').exec(said)?.[1]
  return { name: value('Name') ?? 'default', driver: value('Driver') ?? 'docker' }
}

/** The platform that the engine runs: `linux/amd64`. Throws a `ConfigurationError` without an engine. */
export async function enginePlatform(docker: Docker): Promise<string> {
  const args = ['version', '--format', '{{.Server.Os}}/{{.Server.Arch}}']
  return (await runDocker(docker, args, lookingAt)).trim()
}

const descriptorSchema = z.looseObject({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) })

/** The digest that a registry has for a name: `ghcr.io/owner/name:tag`. Throws when it can't be had. */
export async function digestOf(docker: Docker, reference: string): Promise<string> {
  const args = ['buildx', 'imagetools', 'inspect', reference, '--format', '{{json .Manifest}}']
  const said = await runDocker(docker, args, lookingAt)
  const parsed = descriptorSchema.safeParse(parseJson(said, reference))
  if (parsed.success) return parsed.data.digest
  throw new Error(`What buildx said of ${reference} names no digest.`)
}

/** A tag that leads elsewhere than it was moved to: `ghcr.io/owner/name:tag`, and to which digest where that can be had. */
export type Astray = { readonly name: string; readonly found: string | undefined }

/**
 * Puts tags on what a registry has by its digest, and looks whether they lead to it. Some registries show a moved tag late,
 * so it is looked for several seconds; answers those that still lead elsewhere. Throws a `ConfigurationError` when a tag can't be
 * moved.
 */
export async function tagDigest(
  docker: Docker,
  image: ImageName,
  { digest, tags, clock }: { readonly digest: string; readonly tags: readonly string[]; readonly clock: Clock }
): Promise<Astray[]> {
  const names = tags.map((tag) => `${image.name}:${tag}`)
  // An image of one platform stays as it is: else it would be put into an index, with a digest of its own.
  const args = ['buildx', 'imagetools', 'create', '--prefer-index=false', ...names.map((name) => `--tag=${name}`)]
  const undertaking = { kind: 'push', registry: image.host, images: [image.name] } as const
  await runDocker(docker, [...args, `${image.name}@${digest}`], { undertaking, timeout: 300_000 })
  let astray: Astray[] = names.map((name) => ({ name, found: undefined }))
  for (const wait of [0, 1000, 2000, 4000]) {
    if (wait > 0) await clock.sleep(wait, docker.signal)
    astray = await thoseAstray(docker, astray, digest)
    if (astray.length === 0) break
  }
  return astray
}

async function thoseAstray(docker: Docker, suspects: readonly Astray[], digest: string): Promise<Astray[]> {
  const astray: Astray[] = []
  for (const { name } of suspects) {
    const found = await digestOf(docker, name).catch((error) => {
      if (docker.signal?.aborted) throw error
      return undefined
    })
    if (found !== digest) astray.push({ name, found })
  }
  return astray
}
