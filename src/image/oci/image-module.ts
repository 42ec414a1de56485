import * as z from 'zod'
import { firstIssue, parseJson } from '../../checked-json.ts'
import { ConfigurationError } from '../../errors.ts'
import { artifactLabel, hashLabel } from '../labels.ts'
import { readContent } from './content.ts'
import { insistOnContent, manifestAt } from './module-artifact.ts'
import { moduleArtifactType } from './module-manifest.ts'
import { type Digest, formatReference, isDigest, parseReference, type Reference } from './reference.ts'
import type { Job, Registry } from './registry.ts'

/** An image, and where its module is stored alone. */
export type ImageModule = {
  /** `host/owner/name@sha256:…` */
  readonly image: string
  /** By digest. */
  readonly artifact: Reference
  /** What the image says that its module's hash is: keccak256, hex. */
  readonly hash: string | undefined
}

/**
 * Where the module of an image is stored alone, as the image's labels say; `undefined` for what is no image. Of several
 * platforms any one tells, since all have the same labels. Throws a `ConfigurationError` for an image that doesn't say it, and
 * a `RegistryFailure` when the registry can't be reached or gives other bytes than it should.
 */
export async function moduleOfImage(registry: Registry, reference: Reference): Promise<ImageModule | undefined> {
  const { repository, digest, tag = 'latest' } = reference
  const job: Job = { action: 'fetch', repository, name: formatReference(reference) }
  const top = await manifestAt(registry, job, digest ?? tag)
  if (top === undefined) return undefined
  const config = await configIn(registry, job, top.bytes)
  if (config === undefined) return undefined
  const labels = labelsIn(await blobAt(registry, job, config), job)
  const image = formatReference({ host: registry.host, repository, digest: top.digest })
  const { [artifactLabel]: artifact, [hashLabel]: hash } = labels
  if (artifact === undefined) throw doesNotSay(image, hash)
  const read = parseReference(artifact, `The label \`${artifactLabel}\` of ${image}`)
  if (read.digest === undefined) {
    throw new ConfigurationError(
      `The label \`${artifactLabel}\` of ${image} names no digest: ${artifact.slice(0, 300)}`
    )
  }
  return { image, artifact: read, hash }
}

type Descriptor = z.output<typeof descriptorSchema>

/** The configuration of an image, of one of its platforms; `undefined` for what is no image. */
async function configIn(registry: Registry, job: Job, bytes: Uint8Array): Promise<Descriptor | undefined> {
  const manifest = manifestIn(bytes, job)
  if (manifest === undefined) return undefined
  if (manifest.manifests === undefined) return isImage(manifest.config) ? manifest.config : undefined
  const [first] = manifest.manifests.filter(({ platform }) => platform !== undefined && platform.os !== 'unknown')
  if (first === undefined) return undefined
  const one = insistOnContent(await manifestAt(registry, job, first.digest, first), job)
  const config = manifestIn(one.bytes, job)?.config
  return isImage(config) ? config : undefined
}

function manifestIn(bytes: Uint8Array, { name }: Job) {
  const parsed = manifestSchema.safeParse(parseJson(new TextDecoder().decode(bytes), `The manifest of ${name}`))
  return parsed.success && parsed.data.artifactType !== moduleArtifactType ? parsed.data : undefined
}

function isImage(config: Descriptor | undefined): config is Descriptor {
  return config !== undefined && imageConfigTypes.includes(config.mediaType)
}

/** OCI's (https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md), and what Docker had before it. */
const imageConfigTypes = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json']

/** A configuration has some kilobytes. */
const mostOfConfig = 4 << 20

async function blobAt(registry: Registry, job: Job, { digest, size }: Descriptor): Promise<Uint8Array> {
  const request = { path: `blobs/${digest}`, what: "the image's configuration", accept: '*/*', most: mostOfConfig }
  return insistOnContent(await readContent(registry, job, { ...request, digest, size }), job).bytes
}

function labelsIn(bytes: Uint8Array, { name }: Job): Readonly<Record<string, string>> {
  const parsed = configSchema.safeParse(parseJson(new TextDecoder().decode(bytes), `The configuration of ${name}`))
  if (parsed.success) return parsed.data.config?.Labels ?? {}
  throw new ConfigurationError(`The configuration of ${name} can't be read: ${firstIssue(parsed.error)}.`)
}

function doesNotSay(image: string, hash: string | undefined): ConfigurationError {
  const what = hash === undefined ? 'an image that this action did not make' : `an image with the module ${hash}`
  return new ConfigurationError(
    `${image} is ${what}, and does not say where its module is stored alone. Images that \`deploy\` makes (\`publish-image\`), and \`docker-publish\` with \`module-artifact: true\`, say it; or give that artifact (output \`module-artifact\`).`
  )
}

const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: z.string().refine((text): text is Digest => isDigest(text), 'not the digest of SHA-256'),
  size: z.int().nonnegative()
})

const manifestSchema = z.object({
  artifactType: z.string().optional(),
  config: descriptorSchema.optional(),
  manifests: z.array(descriptorSchema.extend({ platform: z.object({ os: z.string() }).optional() })).optional()
})

const configSchema = z.object({
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish()
})
