import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { ProgramMissing } from '../process.ts'
import type { Complaint } from './complaint.ts'
import { placeInRepository } from './complaints.ts'
import { readCargoMessage } from './complaints-rustc.ts'
import { endOf, type Job, type Outcome } from './job.ts'
import { printLints } from './print-lints.ts'
import { reproducibleVariables, wasmTarget } from './reproducible.ts'
import { type RustProject, readRustProject, rustSources } from './rust-project.ts'
import { foreignImports, optimise } from './wasm.ts'

/** Builds a Rust module by cargo alone, as `spacetime build` does it. Throws a `ConfigurationError` without cargo. */
export async function buildByCargo(job: Job): Promise<Outcome> {
  const read = await readRustProject(job)
  if (read.kind === 'refused') return failed(read.reason)
  const { project } = read
  const hits = await lints(job)
  if (hits.length > 0) return failed('The module prints to nowhere.', await placed(job, project, hits))
  const missing = await requireTarget(job)
  if (missing !== undefined) return failed(missing)
  const { file, complaints, failure } = await compile(job, project)
  const inRepository = await placed(job, project, complaints)
  if (file === undefined) return failed(failure, inRepository)
  const foreign = await foreignImports(file)
  if (foreign !== undefined) return failed(foreign, inRepository)
  return {
    kind: 'built',
    file: job.options.debug ? file : await optimise(job, file),
    complaints: inRepository
  }
}

function failed(reason: string, complaints: readonly Complaint[] = []): Outcome {
  return { kind: 'failed', reason, complaints }
}

function placed(job: Job, project: RustProject, complaints: readonly Complaint[]): Promise<Complaint[]> {
  return placeInRepository(complaints, rustSources(job, project))
}

async function lints(job: Job): Promise<Complaint[]> {
  const { lintDir } = job.options
  if (lintDir === '') return []
  const folder = join(job.project.folder, lintDir)
  if (await exists(folder)) return printLints(folder)
  job.say(`There is no folder ${lintDir}: not checked for \`println!\` and the like.`)
  return []
}

/** Why there is no standard library to compile with, if so; rustup is asked for it first. */
async function requireTarget(job: Job): Promise<string | undefined> {
  // Compiled with the module.
  if (job.environment.CARGO_UNSTABLE_BUILD_STD !== undefined) return undefined
  const libraries = await job.ask(job.environment.RUSTC ?? 'rustc', [
    '--print',
    'target-libdir',
    '--target',
    wasmTarget
  ])
  if (libraries !== undefined && (await exists(libraries))) return undefined
  try {
    const ran = await job.run('rustup', ['target', 'add', wasmTarget])
    return ran.exitCode === 0 ? undefined : `${endOf('rustup', ran)} The target ${wasmTarget} is not installed.`
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error
    return (
      `The target ${wasmTarget} is not installed, and there is no rustup to install it. Install it as the Rust of this ` +
      'machine was installed, or Rust itself by https://rustup.rs.'
    )
  }
}

function exists(path: string): Promise<boolean> {
  return realpath(path).then(
    () => true,
    () => false
  )
}

type Compiled = {
  /** `undefined` when it failed. */
  readonly file: string | undefined
  readonly complaints: readonly Complaint[]
  readonly failure: string
}

async function compile(job: Job, project: RustProject): Promise<Compiled> {
  const complaints: Complaint[] = []
  let file: string | undefined
  const { debug, features } = job.options
  const args = [
    'build',
    '--config=net.git-fetch-with-cli=true',
    `--target=${wasmTarget}`,
    ...(debug ? [] : ['--release']),
    ...(features === undefined ? [] : [`--features=${features}`]),
    '--message-format=json-diagnostic-rendered-ansi'
  ]
  const ran = await job.run('cargo', args, {
    variables: await reproducibleVariables(job, project.targetFolder),
    onLine: (line, stream) => {
      const message = stream === 'stdout' ? readCargoMessage(line) : undefined
      if (message?.kind === 'compiler') {
        for (const each of message.rendered.trimEnd().split('\n')) job.say(each)
        if (message.complaint) complaints.push(message.complaint)
      } else if (message?.kind === 'artifact') {
        if (message.manifest === project.manifest && message.crateTypes.includes('cdylib'))
          file = message.files.find((each) => each.endsWith('.wasm'))
      } else if (stream === 'stderr') job.say(line)
    }
  })
  await Promise.all([job.noteVersion('cargo'), job.noteVersion('rustc', job.environment.RUSTC ?? 'rustc')])
  if (ran.exitCode !== 0) return { file: undefined, complaints, failure: endOf('cargo build', ran) }
  return { file, complaints, failure: `cargo built no ${project.cdylib}.wasm.` }
}
