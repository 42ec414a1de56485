import { type BindingsVersion, findBindingsVersion } from '../bindings-version.ts'
import { ConfigurationError } from '../errors.ts'
import { languageName, type ModuleLanguage } from '../module-language.ts'
import { type Command, childEnvironment, type RunProgram } from '../process.ts'
import { buildByCargo } from './cargo-builder.ts'
import { buildByCli } from './cli-builder.ts'
import type { Complaint } from './complaint.ts'
import { buildByDotnet } from './dotnet-builder.ts'
import { Job, type Outcome } from './job.ts'
import type { BuildOptions } from './options.ts'
import type { ModuleProject } from './project.ts'
import { buildByRolldown } from './typescript-builder.ts'

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

/**
 * Builds a module. Compilers' errors are an answer; throws a `ConfigurationError` for what the user can mend outside of
 * the sources: a program that is not installed, a version, options that don't fit the language.
 */
export async function buildModule(request: BuildRequest, tools: BuildTools): Promise<BuildResult> {
  const { project, options } = request
  requireFittingOptions(project.language, options)
  const builder = chooseBuilder(request)
  const job = new Job(project, options, tools, environmentOf(tools))
  const outcome = await (builder.kind === 'cli' ? buildByCli(job, builder.cli) : buildByToolchain(job))
  const complaints = [...outcome.complaints].sort((a, b) => rank(a) - rank(b))
  if (outcome.kind === 'failed') {
    return { kind: 'failed', builder: builder.kind, reason: outcome.reason, complaints, output: job.output }
  }
  return {
    kind: 'built',
    file: outcome.file,
    builder: builder.kind,
    language: project.language,
    tools: job.versions,
    bindings: await findBindingsVersion(project.folder, project.language, tools.workspace),
    complaints
  }
}

function rank({ severity }: Complaint): number {
  return severity === 'error' ? 0 : 1
}

function requireFittingOptions(language: ModuleLanguage, { features, dotnetVersion, nativeAot }: BuildOptions): void {
  const unfit = [
    ...(features !== undefined && language !== 'rust' ? ['`features` is for Rust'] : []),
    ...(dotnetVersion !== undefined && language !== 'csharp' ? ['`dotnet-version` is for C#'] : []),
    ...(nativeAot && language !== 'csharp' ? ['`native-aot` is for C#'] : [])
  ]
  if (unfit.length === 0) return
  throw new ConfigurationError(
    `The module is ${languageName(language)}, and of its build options ${unfit.join(', ')}. Leave it out.`
  )
}

type ChosenBuilder = { readonly kind: 'toolchain' } | { readonly kind: 'cli'; readonly cli: string }

function chooseBuilder({ builder, cli, project: { language }, options }: BuildRequest): ChosenBuilder {
  const toolchain = { kind: 'toolchain' } as const
  // The CLI has the option for publishing only.
  const tooMuch = options.nativeAot && options.dotnetVersion !== 10
  if (language === 'cpp' && (builder === 'toolchain' || cli === undefined)) {
    throw new ConfigurationError(
      'C++ modules are built by the CLI alone: install it by setup-spacetimedb in an earlier step, and leave out ' +
        '`builder`, or set it to `cli`.'
    )
  }
  if (builder === 'toolchain') return toolchain
  if (builder === 'auto' && (cli === undefined || tooMuch)) return toolchain
  if (cli === undefined) {
    throw new ConfigurationError(
      '`builder` is `cli`, and the CLI of SpacetimeDB is not in PATH. Install it by setup-spacetimedb in an earlier step, ' +
        'or set `builder: toolchain` to build without it.'
    )
  }
  if (tooMuch) {
    throw new ConfigurationError('`spacetime build` has no option for `native-aot`. Set `builder: toolchain`.')
  }
  return { kind: 'cli', cli }
}

/** Backtraces, when they are asked for, would follow each error of the CLI. */
function environmentOf({ environment }: BuildTools): Record<string, string> {
  const { RUST_BACKTRACE: _, ...rest } = childEnvironment(environment)
  return rest
}

function buildByToolchain(job: Job): Promise<Outcome> {
  switch (job.project.language) {
    case 'rust':
      return buildByCargo(job)
    case 'typescript':
      return buildByRolldown(job)
    case 'csharp':
      return buildByDotnet(job)
    case 'cpp':
      throw new Error('C++ has no builder of its own.')
  }
}
