import { chmod, cp, lstat, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Module } from '../module/module.ts'
import type { Command, RunProgram } from '../process.ts'

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
    await writeFile(join(folder, name), content)
    // Not by `writeFile`, whose mode the umask of the machine cuts.
    await chmod(join(folder, name), mode)
    await utimes(join(folder, name), time, time)
  }
  await utimes(folder, time, time)
  return [...files.keys()]
}

/** How Git is run, and the repository that it is asked of. */
export type Repository = {
  readonly run: RunProgram
  readonly folder: string
  readonly environment: Command['environment']
}

/**
 * Copies a repository into `source/` of a context, for an image that builds the module by itself: the files that Git tracks, as
 * they are now. What lies beside them, such as credentials of earlier steps and what builds leave, would get into the cache
 * that the builder exports. Throws a `ConfigurationError` when it is no repository.
 */
export async function addSources(folder: string, repository: Repository): Promise<void> {
  for (const name of await trackedFiles(repository)) {
    const from = join(repository.folder, name)
    const found = await lstat(from).catch(() => undefined)
    // A submodule that was not checked out is a folder, and a file may have been deleted.
    if (found === undefined || found.isDirectory()) continue
    const to = join(folder, 'source', name)
    await mkdir(dirname(to), { recursive: true })
    await cp(from, to, { verbatimSymlinks: true })
  }
}

/** Below the folder, those of its submodules too (https://git-scm.com/docs/git-ls-files). */
async function trackedFiles({ run, folder, environment }: Repository): Promise<string[]> {
  const args = ['ls-files', '-z', '--cached', '--recurse-submodules']
  const ran = await run({ program: 'git', args, folder, environment }, { timeout: 60_000 })
  const names = ran.stdout.split('\0').filter((name) => name !== '')
  if (ran.exitCode === 0 && names.length > 0) return names
  const said = ran.stderr.trim() || 'it tracks no file there'
  throw new ConfigurationError(
    `With \`build-in-image: true\` the image is built from the files that Git tracks, and Git can't tell them in ${folder} (${said}). Check the repository out in an earlier step (\`actions/checkout\`), and see to it that \`git\` is installed.`
  )
}

function entrypointIn(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error) => {
    throw new ConfigurationError(
      `The image's entrypoint ${path} can't be read (${messageOf(error)}). It is part of this action's release; use the action by a release's tag.`
    )
  })
}
