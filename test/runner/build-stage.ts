import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fixtureModule } from '../fixtures.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import { installRustToolchain } from '../stand-ins/rust-toolchain.ts'
import { type GitHub, startGitHub, type WorkflowJobOptions, type WorkflowRun } from './github.ts'
import type { Job, RunningStep, StepResult } from './runner.ts'
import { dist } from './stage.ts'

/** Texts and bytes by their paths in the workspace. */
export type Files = Readonly<Record<string, string | Uint8Array>>

export type BuildOptions = Omit<WorkflowJobOptions, 'dist'> & {
  /** The run that the job is of; a new one, of a push to the main branch, without it. */
  readonly run?: WorkflowRun
  /** Of a machine that keeps them from job to job; a new one without it. */
  readonly machine?: Machine
  readonly files: Files
  readonly inputs?: Readonly<Record<string, string>>
  /** Told each line of the main step. */
  readonly onLine?: (text: string, step: RunningStep) => void
  /** While what the job made is still there. */
  readonly look?: (built: Built, job: Job) => Promise<void> | void
}

export type Built = { readonly main: StepResult; readonly post: StepResult }

/** Where jobs have their workspace and home: always at the same place, and empty for each, as on GitHub's machines. */
export type Machine = { readonly workspace: string; readonly home: string }

/** What jobs that build need: GitHub's services, and stand-ins for the programs that build. */
export class BuildStage {
  readonly github: GitHub
  /** The path of the stand-in for the CLI. */
  readonly cli: string
  /** PATH of the jobs. */
  readonly path: string
  readonly #folder: string
  #machines = 0

  constructor(github: GitHub, cli: string, rust: string, folder: string) {
    this.github = github
    this.cli = cli
    this.path = [rust, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter)
    this.#folder = folder
  }

  newMachine(): Machine {
    const folder = join(this.#folder, `machine-${++this.#machines}`)
    return { workspace: join(folder, 'workspace'), home: join(folder, 'home') }
  }

  /** Builds by the action in a job of its own, post step included. */
  async build({
    run = this.github.startRun(),
    machine,
    files,
    inputs,
    onLine,
    look,
    ...options
  }: BuildOptions): Promise<Built> {
    const { workspace, home } = machine ?? this.newMachine()
    for (const folder of [workspace, home]) rmSync(folder, { recursive: true, force: true })
    mkdirSync(home, { recursive: true })
    writeFiles(workspace, files)
    const env = { PATH: this.path, HOME: home, GITHUB_WORKSPACE: workspace, ...options.env }
    const { job } = run.startJob({ ...options, dist, env })
    try {
      const step: RunningStep = job.start({
        action: 'build-module',
        inputs: { builder: 'toolchain', ...inputs },
        onLine: ({ text }) => onLine?.(text, step)
      })
      const main = await step.result
      const [post] = await job.post()
      if (!post) throw new Error('build-module has no post step')
      await look?.({ main, post }, job)
      return { main, post }
    } finally {
      job.end()
    }
  }

  async close(): Promise<void> {
    await this.github.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export async function startBuildStage(): Promise<BuildStage> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'build-stage-')))
  const { 'spacetimedb-cli': cli } = await installPrograms(join(folder, 'spacetimedb'), '2.8.3')
  return new BuildStage(await startGitHub(), cli, installRustToolchain(join(folder, 'rust')), folder)
}

/** A Rust project whose module is a fixture. */
export function rustProject(module: string, more: Files = {}): Files {
  return {
    'Cargo.toml': cargoToml('my-game'),
    'Cargo.lock': cargoLock('my-game', ['serde']),
    'src/lib.rs': '// What the stand-in for cargo takes for the module is beside this file.\n',
    'src/module.wasm': fixtureModule(`${module}.wasm`),
    ...more
  }
}

/** Files in a folder. */
export function within(folder: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]))
}

export function cargoToml(name: string): string {
  return `[package]\nname = "${name}"\nversion = "0.1.0"\n\n[lib]\ncrate-type = ["cdylib"]\n`
}

/** With the bindings, and other crates. */
export function cargoLock(name: string, others: readonly string[]): string {
  const downloaded = (crate: string, version: string) =>
    `[[package]]\nname = "${crate}"\nversion = "${version}"\nsource = "registry+https://example.org/index"\n`
  const own = `[[package]]\nname = "${name}"\nversion = "0.1.0"\ndependencies = ["spacetimedb"]\n`
  return [
    'version = 4\n',
    own,
    downloaded('spacetimedb', '2.8.3'),
    ...others.map((each) => downloaded(each, '1.0.0'))
  ].join('\n')
}

function writeFiles(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    const isScript = typeof content === 'string' && content.startsWith('#!')
    writeFileSync(join(folder, path), content, { mode: isScript ? 0o755 : 0o644 })
  }
}
