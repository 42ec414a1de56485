import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { cargoHomeOf } from './cargo-home.ts'
import { askProgram, type CacheTools, type LanguageCache } from './language-cache.ts'
import { sha256Of } from './manifest.ts'
import type { ModuleProject } from './project.ts'

/**
 * Cargo's downloads (https://doc.rust-lang.org/cargo/guide/cargo-home.html#caching-the-cargo-home-in-ci) and what it
 * compiled for the module and for the machine that builds (macros, build scripts). Not what it puts beside the folders
 * `deps`, `build` and `.fingerprint`: those are the results.
 */
export async function cargoCache(project: ModuleProject, profile: string, tools: CacheTools): Promise<LanguageCache> {
  const toolchain = await askProgram(tools.environment.RUSTC || 'rustc', ['-vV'], project, tools)
  const { target_directory: target } = await metadataOf(project, ['--no-deps'], tools)
  const home = cargoHomeOf(tools.environment)
  const compiled = [join(target, 'wasm32-unknown-unknown', profile), join(target, profile)]
  const folders = compiled.flatMap((folder) => ['.fingerprint', 'build', 'deps'].map((name) => join(folder, name)))
  const downloads = ['registry/index', 'registry/cache', 'git/db'].map((folder) => join(home, folder))
  return { paths: [...downloads, ...folders], toolchain, cargo: { folders } }
}

/**
 * The names of the crates whose sources are in the repository, or beside it: all that cargo did not download. To be
 * asked after the build, when all is there that cargo needs for the answer.
 */
export async function localCrates(project: ModuleProject, tools: CacheTools): Promise<string[]> {
  const { packages } = await metadataOf(project, ['--filter-platform', 'wasm32-unknown-unknown', '--offline'], tools)
  const local = packages.filter(({ source }) => source === null)
  return [...new Set(local.flatMap(({ name, targets }) => [name, ...targets.map((target) => target.name)]))]
}

/**
 * Removes what was compiled from crates from folders of cargo's: from their fingerprints it would conclude that they are
 * up to date, though a cache knows nothing of the sources that are there now. Without them it builds them again. For
 * certain, no file that holds one of the modules stays, whatever its name; they are given by size and hash.
 */
export async function removeCrates(
  { folders }: { readonly folders: readonly string[] },
  crates: readonly string[],
  modules: readonly { readonly size: number; readonly sha256: string }[]
): Promise<void> {
  const isOfCrate = crateFileTest(crates)
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name)
      if (isOfCrate(name) || (await isModule(path, modules))) await rm(path, { recursive: true, force: true })
    }
  }
}

/**
 * Whether a file or folder in `deps`, `build` or `.fingerprint` is of one of the crates: `NAME-HASH`, `libNAME-HASH.rlib`,
 * `NAME.wasm`; of the names of packages and, with `_` for `-`, of their libraries and programs.
 */
export function crateFileTest(crates: readonly string[]): (name: string) => boolean {
  const names = new Set(crates.flatMap((crate) => [crate, crate.replaceAll('-', '_')]))
  return (name) => {
    const [, crate = ''] = /^(.*?)(?:-[0-9a-f]{16})?(?:\..*)?$/.exec(name) ?? []
    return names.has(crate) || (crate.startsWith('lib') && names.has(crate.slice(3)))
  }
}

async function isModule(
  path: string,
  modules: readonly { readonly size: number; readonly sha256: string }[]
): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) return false
  const alike = modules.filter(({ size }) => size === found.size)
  if (alike.length === 0) return false
  const sha256 = sha256Of(await readFile(path))
  return alike.some((module) => module.sha256 === sha256)
}

const metadataSchema = z.object({
  target_directory: z.string(),
  packages: z.array(
    z.object({ name: z.string(), source: z.string().nullable(), targets: z.array(z.object({ name: z.string() })) })
  )
})

/** https://doc.rust-lang.org/cargo/commands/cargo-metadata.html */
async function metadataOf(project: ModuleProject, args: readonly string[], tools: CacheTools) {
  const text = await askProgram('cargo', ['metadata', '--format-version', '1', ...args], project, tools)
  return metadataSchema.parse(JSON.parse(text))
}
