import type { RunProgram } from '../process.ts'
import type { ModuleProject } from './project.ts'

export type CacheTools = {
  readonly run: RunProgram
  /** Of the programs that are asked: without secrets. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly workspace: string
}

/** A language's part of it: what to keep, and the toolchain that it is good for. */
export type LanguageCache = {
  readonly paths: readonly string[]
  /** Any text; another one means another cache. */
  readonly toolchain: string
  readonly cargo?: CargoFolders
}

/** Where cargo keeps what it compiled: the folders that are cached hold the project's own crates, too. */
export type CargoFolders = { readonly folders: readonly string[] }

export type NoDependencyCache = { readonly kind: 'none'; readonly reason: string }

/**
 * What a program prints, asked in the project's folder, where version managers look. Throws when it fails, is not there,
 * or takes longer than a minute.
 */
export async function askProgram(
  program: string,
  args: readonly string[],
  { folder }: ModuleProject,
  { run, environment }: CacheTools
): Promise<string> {
  const { exitCode, stdout, stderr } = await run({ program, args, folder, environment }, { timeout: 60_000 })
  if (exitCode === 0) return stdout.trim()
  throw new Error(`\`${program} ${args.join(' ')}\` failed: ${stderr.trim().split('\n').at(-1) ?? ''}`)
}
