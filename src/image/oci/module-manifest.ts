import { createHash } from 'node:crypto'
import * as z from 'zod'
import { firstIssue, parseJson } from '../../checked-json.ts'
import { ConfigurationError } from '../../errors.ts'
import { maxModuleSize } from '../../module/load.ts'
import type { Module, ModuleKind } from '../../module/module.ts'
import { type Digest, isDigest } from './reference.ts'
import type { Blob } from './upload.ts'

/** What a module's artifact is, and its one layer (https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md). */
export const moduleArtifactType = 'application/vnd.spacetimedb.module.v1'

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  layer: { wasm: `${moduleArtifactType}.wasm`, js: `${moduleArtifactType}.js` }
} as const

/** What is known of a module besides its bytes. */
export type ModuleOrigin = {
  /** When it was made, as RFC 3339 has it; the same for the same artifact: SOURCE_DATE_EPOCH, the commit's time. */
  readonly created?: string | undefined
  /** The commit. */
  readonly revision?: string | undefined
  /** The address of the source code. */
  readonly source?: string | undefined
  /** Of the module: the git tag, for example. */
  readonly version?: string | undefined
  /** For people; `module.wasm` or `module.js` without it. */
  readonly title?: string | undefined
  readonly bindingsVersion?: string | undefined
  /** The contents of build-module's `module.json`. */
  readonly manifest?: string | undefined
}

/** A module as a registry stores it: a manifest that names two blobs. */
export type ModuleArtifact = {
  readonly manifest: Blob
  readonly layer: Blob
  readonly config: Blob
}

/** The same bytes for the same module and origin. Throws a `ConfigurationError` when the origin is wrong. */
export function packModule(module: Module, origin: ModuleOrigin): ModuleArtifact {
  const layer = blobOf(module.bytes)
  const config = blobOf(new TextEncoder().encode('{}'))
  const file = `module.${module.kind}`
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: moduleArtifactType,
    config: { mediaType: mediaTypes.empty, digest: config.digest, size: config.bytes.length },
    layers: [
      {
        mediaType: mediaTypes.layer[module.kind],
        digest: layer.digest,
        size: layer.bytes.length,
        annotations: { [names.title]: file }
      }
    ],
    annotations: annotationsOf(module, { title: file, ...given(origin) })
  }
  return { layer, config, manifest: blobOf(new TextEncoder().encode(JSON.stringify(manifest))) }
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md, and our own. */
const names = {
  created: 'org.opencontainers.image.created',
  revision: 'org.opencontainers.image.revision',
  source: 'org.opencontainers.image.source',
  version: 'org.opencontainers.image.version',
  title: 'org.opencontainers.image.title',
  bindingsVersion: 'dev.spacetimedb.module.bindings-version',
  manifest: 'dev.spacetimedb.module.manifest'
} as const
const hashName = 'dev.spacetimedb.module.hash'
const kindName = 'dev.spacetimedb.module.kind'

type Given = { readonly [Key in keyof ModuleOrigin]?: string }

function given(origin: ModuleOrigin): Given {
  return Object.fromEntries(Object.entries(origin).filter(([, value]) => value !== undefined && value !== ''))
}

function annotationsOf(module: Module, origin: Given): Record<string, string> {
  const { created, manifest } = origin
  if (created !== undefined && !z.iso.datetime({ offset: true }).safeParse(created).success) {
    throw new ConfigurationError(
      `The time "${created}" of a module's artifact is not of the form 2026-01-31T12:00:00Z.`
    )
  }
  if (manifest !== undefined) insistOnItsManifest(module, manifest)
  const annotations = [
    ...Object.entries(origin).map(([key, value]) => [names[key as keyof typeof names], value] as const),
    [hashName, module.hash] as const,
    [kindName, module.kind] as const
  ]
  return Object.fromEntries(annotations.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Registries take manifests of 4 MB; `module.json` has some kilobytes. */
const longestManifest = 256 << 10

function insistOnItsManifest(module: Module, text: string): void {
  const parsed = z
    .looseObject({ module: z.looseObject({ hash: z.string() }) })
    .safeParse(parseJson(text, 'module.json'))
  if (!parsed.success) {
    throw new ConfigurationError(`module.json is not a module's manifest: ${firstIssue(parsed.error)}.`)
  }
  const { hash } = parsed.data.module
  if (hash !== module.hash) {
    throw new ConfigurationError(
      `module.json speaks of another module: its hash is ${hash}, and that of the module ${module.hash}. Take both from the same build.`
    )
  }
  if (text.length > longestManifest) {
    throw new ConfigurationError(`module.json has more than ${longestManifest >> 10} KiB, too much for a registry.`)
  }
}

function blobOf(bytes: Uint8Array): Blob {
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest }
}

/** What a manifest says: a module, or where its manifests are. */
export type ReadManifest =
  | {
      readonly kind: 'module'
      readonly moduleKind: ModuleKind
      readonly layer: Descriptor
      /** keccak256 of the module. */
      readonly hash: string
      readonly origin: ModuleOrigin
    }
  | { readonly kind: 'index'; readonly manifest: Descriptor }

export type Descriptor = { readonly digest: Digest; readonly size: number }

/**
 * Reads a manifest, or an index that has one module's manifest in it. Throws a `ConfigurationError` that names the
 * artifact when it is something else, such as an image.
 */
export function readManifest(bytes: Uint8Array, name: string): ReadManifest {
  const json = parseJson(new TextDecoder().decode(bytes), `The manifest of ${name}`)
  const index = indexShape.safeParse(json)
  if (index.success) return { kind: 'index', manifest: moduleIn(index.data.manifests, name) }
  const typed = typeShape.safeParse(json)
  const type = typed.data?.artifactType ?? typed.data?.config?.mediaType
  if (type !== moduleArtifactType) throw notAModule(name, type)
  const parsed = moduleShape.safeParse(json)
  if (!parsed.success)
    throw new ConfigurationError(`${name} is not a module that this version can read: ${firstIssue(parsed.error)}.`)
  const { layers, annotations } = parsed.data
  const [layer] = layers
  const moduleKind = layer.mediaType === mediaTypes.layer.wasm ? 'wasm' : 'js'
  const { [hashName]: hash } = annotations
  return { kind: 'module', moduleKind, layer, hash, origin: originIn(annotations) }
}

function originIn(annotations: Readonly<Record<string, string>>): ModuleOrigin {
  const found = Object.entries(names).map(([key, name]) => [key, annotations[name]])
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

function notAModule(name: string, type: string | undefined): ConfigurationError {
  const what = type === undefined ? 'something else' : `of the type ${JSON.stringify(type.slice(0, 200))}`
  return new ConfigurationError(
    `${name} is no SpacetimeDB module: it is ${what}. Give the artifact that docker-publish names in its output \`module-artifact\`.`
  )
}

type Indexed = z.output<typeof indexShape>['manifests']

function moduleIn(manifests: Indexed, name: string): Descriptor {
  const modules = manifests.filter(({ artifactType }) => artifactType === moduleArtifactType)
  const [only, ...more] = modules.length > 0 ? modules : manifests
  if (only === undefined) throw new ConfigurationError(`${name} is an empty index.`)
  if (more.length > 0) {
    const digests = [only, ...more].slice(0, 5).map(({ digest }) => digest)
    throw new ConfigurationError(
      `${name} is an index of ${manifests.length} manifests, of which ${modules.length} are SpacetimeDB modules. Give the digest of ` +
        `one: ${digests.join(', ')}`
    )
  }
  return only
}

const digest = z.string().refine(isDigest, 'not the digest of SHA-256')
const descriptor = z.object({ mediaType: z.string(), digest, size: z.int().nonnegative() })

const indexShape = z.object({
  layers: z.undefined().optional(),
  manifests: z.array(descriptor.extend({ artifactType: z.string().optional() }))
})

const typeShape = z.object({
  artifactType: z.string().optional(),
  config: z.object({ mediaType: z.string() }).optional()
})

const moduleShape = z.object({
  schemaVersion: z.literal(2),
  layers: z.tuple([
    descriptor.extend({
      mediaType: z.enum([mediaTypes.layer.wasm, mediaTypes.layer.js]),
      size: z.int().positive().max(maxModuleSize)
    })
  ]),
  annotations: z
    .record(z.string(), z.string())
    .and(z.looseObject({ [hashName]: z.string().regex(/^[0-9a-f]{64}$/, 'not 64 hex digits') }))
})
