import { hash as digestOf } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { firstIssue, parseJson } from '../checked-json.ts'
import { ConfigurationError, messageOf } from '../errors.ts'
import { loadModule } from '../module/load.ts'
import type { Module } from '../module/module.ts'

/** The version of the format that this code writes, and the only one that it reads. */
const format = 1

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'not 64 hex digits')
/** Beside the manifest: nothing that leads out of the artifact. */
const fileName = z
  .string()
  .regex(/^[^/\\:\p{Cc}]+$/u, 'not the name of a file')
  .refine((name) => !/^\.\.?$/.test(name))

const manifestSchema = z.strictObject({
  /** What made it, with its version. */
  tool: z.string(),
  createdAt: z.iso.datetime(),
  /** The compiled module; `hash` is keccak256 in hex, as a server states it but in the usual byte order. Size in bytes. */
  module: z.strictObject({
    file: fileName,
    kind: z.enum(['wasm', 'js']),
    hash,
    sha256: hash,
    size: z.int().positive()
  }),
  schema: z.strictObject({ file: fileName, sha256: hash }),
  /** What it is for, by the project's `spacetime.json`. */
  databases: z.array(z.strictObject({ name: z.string(), server: z.string().exactOptional() })),
  language: z.enum(['rust', 'csharp', 'typescript', 'cpp']),
  builder: z.enum(['cli', 'toolchain']),
  bindingsVersion: z.string().exactOptional(),
  /** Versions of the programs that built it, by name. */
  versions: z.record(z.string(), z.string()),
  /** Paths are relative to the repository, with `/`. */
  project: z.string(),
  lockFile: z.strictObject({ path: z.string(), sha256: hash }).exactOptional(),
  source: z.strictObject({
    commit: z.string().exactOptional(),
    ref: z.string().exactOptional(),
    repository: z.string().exactOptional(),
    run: z.string().exactOptional()
  })
})

/** What `module.json` says of the module beside it: what it is, and what it was made of and by. */
export type Manifest = ReadonlyDeep<z.infer<typeof manifestSchema>>

type ReadonlyDeep<Value> = Value extends object ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> } : Value

/** The name of the manifest's file in an artifact. */
export const manifestName = 'module.json'

/** The contents of `module.json`. */
export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify({ format, ...manifest }, null, 2)}\n`
}

/** The manifest in the contents of a `module.json`. Throws a `ConfigurationError` when they are none. */
export function parseManifest(text: string, origin = manifestName): Manifest {
  const envelope = z.looseObject({ format: z.number() }).safeParse(parseJson(text, origin))
  if (!envelope.success)
    throw new ConfigurationError(`${origin} is not a module's manifest: ${firstIssue(envelope.error)}.`)
  const { format: given, ...rest } = envelope.data
  if (given !== format) {
    throw new ConfigurationError(
      `${origin} is a manifest of format ${given}; this version reads format ${format}. Use the same version of build-module ` +
        'and of what takes its artifact.'
    )
  }
  const manifest = manifestSchema.safeParse(rest)
  if (!manifest.success)
    throw new ConfigurationError(`${origin} is not a module's manifest: ${firstIssue(manifest.error)}.`)
  return manifest.data
}

/** Writes a `module.json`. */
export async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  await writeFile(path, formatManifest(manifest))
}

/** Reads a `module.json`. Throws a `ConfigurationError` when it can't be read or is none. */
export async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new ConfigurationError(
      `The manifest ${path} can't be read: ${messageOf(error)}. Is this an artifact of build-module?`
    )
  })
  return parseManifest(text, path)
}

/**
 * The module that a `module.json` speaks of, from the same folder. Throws a `ConfigurationError` when it is not there or
 * not the one that was built.
 */
export async function loadDescribedModule(manifestPath: string): Promise<{ manifest: Manifest; module: Module }> {
  const manifest = await readManifest(manifestPath)
  const path = join(dirname(manifestPath), manifest.module.file)
  const module = await loadModule(path)
  const { hash: stated, kind, sha256 } = manifest.module
  if (module.hash !== stated || module.kind !== kind || sha256Of(module.bytes) !== sha256) {
    throw new ConfigurationError(
      `${path} is not the module that ${basename(manifestPath)} speaks of: its hash is ${module.hash}, not ${stated}. Take the ` +
        'artifact as build-module uploaded it.'
    )
  }
  return { manifest, module }
}

/** In hex. */
export function sha256Of(content: Uint8Array | string): string {
  return digestOf('sha256', content, 'hex')
}
