import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import type { ModuleHash } from '../module/hash.ts'
import { loadModule } from '../module/load.ts'
import type { Module } from '../module/module.ts'
import type { Server } from '../spacetimedb/server.ts'

/** Somewhere the bytes of a release's module may be. */
export type ModuleSource = {
  /** As a sentence names it: `the artifact \`module\``. */
  readonly name: string
  /** The module; its hash is compared by whoever asks. `undefined`: it is not there. Throws when it can't be had. */
  fetch(hash: ModuleHash): Promise<Module | undefined>
}

/** A source that did not have the module, and why, as the rest of a sentence: `it has expired`. */
export type TriedSource = { readonly source: string; readonly reason: string }

export type ModuleSearch =
  | {
      readonly kind: 'found'
      readonly module: Module
      readonly source: string
      /** The sources that were asked before, in vain. */
      readonly tried: readonly TriedSource[]
    }
  | { readonly kind: 'not-found'; readonly tried: readonly TriedSource[] }

/**
 * The bytes of a module, from the first source that has them. Whatever a source says of itself, the hash decides: other
 * bytes are not taken, and the next source is asked. Never throws.
 */
export async function findModule(hash: ModuleHash, sources: readonly ModuleSource[]): Promise<ModuleSearch> {
  const tried: TriedSource[] = []
  for (const each of sources) {
    const { name: source } = each
    try {
      const module = await each.fetch(hash)
      if (module?.hash === hash) return { kind: 'found', module, source, tried }
      tried.push({ source, reason: module ? `what it has is another module: ${module.hash}` : 'it is not there' })
    } catch (error) {
      tried.push({ source, reason: messageOf(error).replace(/\.$/, '') })
    }
  }
  return { kind: 'not-found', tried }
}

/** The sources that were asked in vain, one in each line. */
export function triedTexts(tried: readonly TriedSource[]): string[] {
  return tried.map(({ source, reason }) => `- ${source}: ${reason}.`)
}

/** A database that runs the module now. */
export function liveSource(server: Server, database: string): ModuleSource {
  return {
    name: `the live module of "${database}"`,
    fetch: async (hash) => {
      const live = await server.live(database)
      return live.hash === hash ? server.liveModule(database) : undefined
    }
  }
}

/** A file. */
export function fileSource(path: string): ModuleSource {
  return { name: `the file ${path}`, fetch: () => loadModule(path) }
}

/**
 * The module of a hash among the files of a folder, such as what an artifact holds. Where none has that hash but there
 * is another module, that one, so that it can be said.
 */
export async function moduleInFolder(folder: string, hash: ModuleHash): Promise<Module | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && /\.(wasm|m?js)$/i.test(entry.name)).slice(0, mostFiles)
  let other: Module | undefined
  for (const { parentPath, name } of files) {
    const module = await loadModule(join(parentPath, name)).catch(() => undefined)
    if (module?.hash === hash) return module
    other ??= module
  }
  return other
}

/** `build-module` puts one module into an artifact; who uploads a whole folder has a few more files. */
const mostFiles = 100
