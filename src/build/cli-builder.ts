import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { placeInRepository, readComplaints, type SourceFolders } from './complaints.ts'
import { installDependencies } from './dependencies.ts'
import { dotnetModuleFiles } from './dotnet-project.ts'
import { bundleFile, exists } from './javascript-project.ts'
import { endOf, type Job, type Outcome } from './job.ts'
import type { BuildOptions } from './options.ts'
import { reproducibleVariables } from './reproducible.ts'
import { moduleFile, readRustProject, rustSources } from './rust-project.ts'
import { optimisedName } from './wasm.ts'

/**
 * Builds a module by `spacetime build`, and finds what it has made. Throws a `ConfigurationError` when the CLI or the
 * language's own tools are not installed.
 */
export async function buildByCli(job: Job, cli: string): Promise<Outcome> {
  const prepared = await prepare(job)
  if (prepared.kind === 'refused') return { kind: 'failed', reason: prepared.reason, complaints: [] }
  const { stale, made, sources, variables } = prepared
  await Promise.all((await stale()).map((file) => rm(file, { force: true })))
  await noteVersions(job, cli)
  const ran = await job.run(cli, ['build', '--module-path', job.project.folder, ...argumentsOf(job)], { variables })
  const said = stripVTControlCharacters(`${ran.stderr}\n${ran.stdout}`)
  const complaints = await placeInRepository(readComplaints(job.project.language, said), sources)
  if (ran.exitCode !== 0) {
    return { kind: 'failed', reason: [endOf('spacetime build', ran), errorIn(said)].join(' ').trim(), complaints }
  }
  const file = await newestOf(await made())
  if (file !== undefined) return { kind: 'built', file, complaints }
  const reason = 'The CLI said that it had built the module, but none was found where it puts them.'
  return { kind: 'failed', reason, complaints }
}

function argumentsOf({ options, project: { language } }: Job): string[] {
  const { debug, features, lintDir, dotnetVersion }: BuildOptions = options
  return [
    ...(debug ? ['--debug'] : []),
    ...(features === undefined ? [] : [`--features=${features}`]),
    ...(language === 'rust' ? [`--lint-dir=${lintDir}`] : []),
    ...(dotnetVersion === undefined ? [] : [`--dotnet-version=${dotnetVersion}`])
  ]
}

type Preparation =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'prepared'
      /** Files that an earlier build may have left, which must not be taken for this one's. */
      readonly stale: () => Promise<readonly string[]>
      /** Where this build's may be, the better first. */
      readonly made: () => Promise<readonly string[]>
      readonly sources: SourceFolders
      readonly variables: Readonly<Record<string, string>>
    }

async function prepare(job: Job): Promise<Preparation> {
  const { project, tools, options } = job
  const sources = { workspace: tools.workspace, bases: [project.folder, tools.workspace] }
  switch (project.language) {
    case 'rust':
      return prepareRust(job)
    case 'typescript': {
      const failure = await installDependencies(job)
      if (failure !== undefined) return { kind: 'refused', reason: failure }
      const files = async () => [bundleFile(project)]
      return { kind: 'prepared', stale: files, made: files, sources, variables: {} }
    }
    case 'csharp': {
      const files = async () => withOptimised(dotnetModuleFiles(project.folder, options.debug))
      return { kind: 'prepared', stale: files, made: files, sources, variables: {} }
    }
    case 'cpp':
      return prepareCpp(join(project.folder, 'build'), sources)
  }
}

async function prepareRust(job: Job): Promise<Preparation> {
  const read = await readRustProject(job)
  if (read.kind === 'refused') return read
  const file = moduleFile(read.project, job.options.debug)
  return {
    kind: 'prepared',
    // Cargo vouches for its own.
    stale: async () => [optimisedName(file)],
    made: async () => withOptimised([file]),
    sources: rustSources(job, read.project),
    variables: await reproducibleVariables(job, read.project.targetFolder)
  }
}

/** The CLI takes the newest file in the folder, whatever its name (crates/cli/src/tasks/cpp.rs). */
async function prepareCpp(folder: string, sources: SourceFolders): Promise<Preparation> {
  const before = await wasmFilesBelow(folder)
  const times = new Map(await Promise.all(before.map(async (file) => [file, await changedAt(file)] as const)))
  const ofCmake = await Promise.all(before.map(isMadeByCmake))
  const made = async () => {
    const files = await wasmFilesBelow(folder)
    const changed = await Promise.all(files.map(async (file) => (await changedAt(file)) !== times.get(file)))
    return files.filter((_, at) => changed[at])
  }
  return { kind: 'prepared', stale: async () => before.filter((_, at) => ofCmake[at]), made, sources, variables: {} }
}

/** What CMake's generators make of a target NAME has a folder `CMakeFiles/NAME.dir` beside it; all else is not theirs. */
function isMadeByCmake(file: string): Promise<boolean> {
  const target = basename(file).replace(/(\.opt)?\.wasm$/, '')
  return exists(join(dirname(file), 'CMakeFiles', `${target}.dir`))
}

function withOptimised(files: readonly string[]): string[] {
  return files.flatMap((file) => [optimisedName(file), file])
}

async function wasmFilesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  const files = entries.filter((each) => each.isFile() && each.name.endsWith('.wasm'))
  return files.map(({ parentPath, name }) => join(parentPath, name))
}

/** The CLI optimises last, so the optimised file is the newest. */
async function newestOf(files: readonly string[]): Promise<string | undefined> {
  const times = await Promise.all(files.map(async (file) => ({ file, time: await changedAt(file) })))
  const existing = times.filter(({ time }) => time !== undefined)
  return existing.sort((a, b) => Number(b.time) - Number(a.time))[0]?.file
}

async function changedAt(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.mtimeMs
}

/** What the CLI itself says is wrong, without its stack. */
function errorIn(output: string): string {
  const [, text = ''] = /^Error: ((?:.|\n)*)/m.exec(output) ?? []
  return (text.split(/\n\s*(?:Stack backtrace:|Location:)/, 1)[0] ?? '').trim().slice(0, 2000)
}

const compilers = {
  rust: ['rustc', 'cargo', 'wasm-opt'],
  typescript: ['node'],
  csharp: ['dotnet', 'wasm-opt'],
  cpp: ['emcc', 'cmake', 'wasm-opt']
} as const

async function noteVersions(job: Job, cli: string): Promise<void> {
  const version = await job.ask(cli, ['--version'])
  const line = version?.split('\n').find((each) => each.includes('tool version'))
  if (line !== undefined) job.versions.cli = line.trim()
  for (const program of compilers[job.project.language]) await job.noteVersion(program)
}
