import { ConfigurationError } from '../../errors.ts'
import { moduleFromBytes } from '../../module/load.ts'
import type { Module } from '../../module/module.ts'
import { type Content, readContent } from './content.ts'
import { failureOf } from './failures.ts'
import { type Descriptor, type ModuleOrigin, mediaTypes, packModule, readManifest } from './module-manifest.ts'
import { type Digest, formatReference, insistOnTag, type Reference } from './reference.ts'
import type { Job, Registry } from './registry.ts'
import { ensureBlob, putManifest } from './upload.ts'

export type ModuleToPush = {
  /** `owner/name`: a `Reference`'s. */
  readonly repository: string
  /** It, or what makes it of the manifest's digest. Moved when it is there already; without it the digest alone names the artifact. */
  readonly tag?: string | ((digest: Digest) => string) | undefined
  readonly module: Module
  readonly origin?: ModuleOrigin
}

export type PushedModule = {
  /** Of the manifest. */
  readonly digest: Digest
  /** `host/owner/name@sha256:…` */
  readonly reference: string
}

/**
 * Stores a module in a registry as an artifact. Only what is not there yet is sent, and the same module with the same
 * origin has the same digest. Throws a `ConfigurationError` for a wrong tag or origin, and when the registry does not
 * know the repository, the user, or lets neither write nor move the tag; a `RegistryFailure` when it can't be reached
 * or answers what nobody understands.
 */
export async function pushModule(
  registry: Registry,
  { repository, tag: given, module, origin = {} }: ModuleToPush
): Promise<PushedModule> {
  const { manifest, layer, config } = packModule(module, origin)
  const tag = typeof given === 'function' ? given(manifest.digest) : given
  if (tag !== undefined) insistOnTag(tag)
  const { host } = registry
  const job: Job = {
    action: 'push',
    repository,
    name: formatReference({ host, repository, ...(tag !== undefined && { tag }) })
  }
  const { digest } = manifest
  await ensureBlob(registry, job, layer)
  await ensureBlob(registry, job, config)
  const as = tag ?? digest
  const stored = await manifestAt(registry, job, as)
  if (stored?.digest !== digest)
    await putManifest(registry, job, { as, mediaType: mediaTypes.manifest, bytes: manifest.bytes })
  return { digest, reference: formatReference({ host, repository, digest }) }
}

export type FetchedModule = {
  readonly module: Module
  readonly origin: ModuleOrigin
  /** Of its manifest. */
  readonly digest: Digest
  /** `host/owner/name@sha256:…` */
  readonly reference: string
}

/**
 * Fetches a module and all that is known of it. By digest or, where there is none, tag, else `latest`. Each thing is
 * checked against the digest by which the one before names it, and the module against the hash that its artifact states.
 * Throws a `ConfigurationError` when it is not there, not to be read or no module; a `RegistryFailure` when the registry
 * can't be reached or gives other bytes than it should.
 */
export async function fetchArtifact(registry: Registry, reference: Reference): Promise<FetchedModule> {
  const { repository, digest, tag = 'latest' } = reference
  const job: Job = { action: 'fetch', repository, name: formatReference(reference) }
  const top = await manifestAt(registry, job, digest ?? tag)
  if (top === undefined) throw notThere(job)
  const first = readManifest(top.bytes, job.name)
  const { content, read } = first.kind === 'module' ? { content: top, read: first } : await within(registry, job, first)
  const { bytes } = insistOnContent(
    await readContent(registry, job, {
      path: `blobs/${read.layer.digest}`,
      what: 'the module',
      accept: '*/*',
      most: read.layer.size,
      ...read.layer
    }),
    job
  )
  const module = moduleFromBytes(bytes, read.moduleKind)
  if (module.hash !== read.hash) {
    throw failureOf(
      job,
      `the artifact states the module's hash as ${read.hash}, and it is ${module.hash}. It was not made ` +
        'by this version of docker-publish, or was changed; do not use it.'
    )
  }
  const { host } = registry
  const found = { host, repository, digest: content.digest }
  return { module, origin: read.origin, digest: content.digest, reference: formatReference(found) }
}

/** The module alone, of what `fetchArtifact` fetches. */
export async function fetchModule(registry: Registry, reference: Reference): Promise<Module> {
  return (await fetchArtifact(registry, reference)).module
}

async function within(registry: Registry, job: Job, { manifest }: { readonly manifest: Descriptor }) {
  const content = insistOnContent(await manifestAt(registry, job, manifest.digest, manifest), job)
  const read = readManifest(content.bytes, `${manifest.digest} in ${job.name}`)
  if (read.kind === 'module') return { content, read }
  throw new ConfigurationError(`${job.name} is an index of indexes. Give the digest of the module's own manifest.`)
}

/** Registries take manifests of up to 4 MB (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests). */
const mostOfManifest = 4 << 20

/** Images too, so that they are told apart from what is not there. */
const accepted = [
  mediaTypes.manifest,
  mediaTypes.index,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json'
].join(', ')

/** The manifest that a digest or a tag leads to; `undefined` where there is none. Throws as `fetchArtifact` does. */
export function manifestAt(
  registry: Registry,
  job: Job,
  at: string,
  expected?: Descriptor
): Promise<Content | undefined> {
  const digest = at.startsWith('sha256:') ? (at as Digest) : undefined
  return readContent(registry, job, {
    path: `manifests/${at}`,
    what: 'the manifest',
    accept: accepted,
    most: mostOfManifest,
    digest,
    size: expected?.size
  })
}

/** What a manifest names has to be there. */
export function insistOnContent(content: Content | undefined, job: Job): Content {
  if (content !== undefined) return content
  throw failureOf(job, 'the registry has its manifest, but not all that it names.')
}

function notThere({ name }: Job): ConfigurationError {
  return new ConfigurationError(
    `There is no ${name}, or it is not shown to this user. Check the name, its tag or digest, and, where it is private, that ` +
      '`username` and `password` are given and may read it.'
  )
}
