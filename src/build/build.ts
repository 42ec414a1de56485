import type { BindingsVersion } from '../bindings-version.ts'
import type { ModuleLanguage } from '../module-language.ts'
import type { Command, RunProgram } from '../process.ts'
import type { Complaint } from './complaint.ts'
import type { BuildOptions } from './options.ts'
import type { ModuleProject } from './project.ts'

/** What builds: `spacetime build`, or the language's own tools without it. */
export type Builder = 'cli' | 'toolchain'

export type BuildRequest = {
  readonly project: ModuleProject
  readonly options: BuildOptions
  /** `auto` takes the CLI when there is one, and it can do what the options ask for. */
  readonly builder: Builder | 'auto'
  /** The CLI: a path, or a name in PATH. */
  readonly cli: string | undefined
}

/** What a build works with. */
export type BuildTools = {
  readonly run: RunProgram
  /** This process' variables; what is not for programs is left out of what they get. */
  readonly environment: Command['environment']
  /** The repository's folder, absolute. */
  readonly workspace: string
  /** For files that nobody needs afterwards; it exists, and others don't write to it. */
  readonly scratch: string
  /** Told each line that is worth showing, while it builds. */
  say(line: string): void
  readonly signal?: AbortSignal | undefined
}

export type BuildResult = Built | BuildFailed

export type Built = {
  readonly kind: 'built'
  /** What was made by this build: absolute. */
  readonly file: string
  readonly builder: Builder
  readonly language: ModuleLanguage
  /** The programs that took part, by name, with the version that they print: `rustc` → `rustc 1.95.0 (f2d3ce0bd 2026-03-21)`. */
  readonly tools: Readonly<Record<string, string>>
  readonly bindings: BindingsVersion
  /** Compilers' warnings. */
  readonly complaints: readonly Complaint[]
}

export type BuildFailed = {
  readonly kind: 'failed'
  readonly builder: Builder
  /** A sentence or more: what failed, and what to do where that is known. */
  readonly reason: string
  /** Compilers' errors, then their warnings. */
  readonly complaints: readonly Complaint[]
  /** The last lines that were printed. */
  readonly output: string
}
