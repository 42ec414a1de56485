import { cp, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Module } from '../module/module.ts'

/** What is put into an image besides a server. */
export type ContextParts = {
  /** None where the image builds it. */
  readonly module: Module | undefined
  /** The contents of build-module's `module.json`. */
  readonly manifest: string | undefined
  /** The path of the script that an image starts with. */
  readonly entrypoint: string
}

/**
 * Makes the folder that an image is built from: `module.wasm` or `module.js`, `manifest.json` where there is one, and
 * `entrypoint.sh`. The same parts make the same folder: names in order, times and modes fixed. `time` in seconds since the
 * epoch. Answers the names.
 */
export async function makeContext(folder: string, parts: ContextParts, time: number): Promise<string[]> {
  const files = new Map<string, { content: Uint8Array | string; mode: number }>()
  files.set('entrypoint.sh', { content: await entrypointIn(parts.entrypoint), mode: 0o755 })
  if (parts.manifest !== undefined) files.set('manifest.json', { content: parts.manifest, mode: 0o644 })
  if (parts.module) files.set(`module.${parts.module.kind}`, { content: parts.module.bytes, mode: 0o644 })
  await mkdir(folder, { recursive: true })
  for (const [name, { content, mode }] of files) {
    await writeFile(join(folder, name), content, { mode })
    await utimes(join(folder, name), time, time)
  }
  await utimes(folder, time, time)
  return [...files.keys()]
}

/**
 * Copies a repository into `source/` of a context, for an image that builds the module by itself: without what Git keeps and
 * what builds and packages leave.
 */
export async function addSources(folder: string, repository: string): Promise<void> {
  const filter = (path: string) => path === repository || !leftOut.has(basename(path))
  await cp(repository, join(folder, 'source'), { recursive: true, filter, verbatimSymlinks: true })
}

const leftOut: ReadonlySet<string> = new Set(['.git', 'target', 'node_modules'])

function entrypointIn(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error) => {
    throw new ConfigurationError(
      `The image's entrypoint ${path} can't be read (${messageOf(error)}). It is part of this action's release; use the action by a release's tag.`
    )
  })
}
