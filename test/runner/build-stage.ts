import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fixtureModule } from '../fixtures.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import type { JobChoice } from '../stand-ins/results-job.ts'
import { type ResultsService, startResultsService } from '../stand-ins/results-service.ts'
import { installRustToolchain } from '../stand-ins/rust-toolchain.ts'
import { Job, type JobOptions, type StepResult } from './runner.ts'
import { dist } from './stage.ts'

export type BuildOptions = JobOptions & {
  readonly files: Files
  readonly inputs?: Readonly<Record<string, string>>
  /** Who it is to the results service; a job of its own run without it. */
  readonly as?: JobChoice
  /** The job's home, kept from job to job; else its own, which is empty. */
  readonly beforeEnd?: (job: Job) => Promise<void> | void
}

/** Texts and bytes by their paths in the workspace. */
export type Files = Readonly<Record<string, string | Uint8Array>>

export type Built = { readonly main: StepResult; readonly post: StepResult }

/** What jobs that build need: GitHub's services, and stand-ins for the programs that build. */
export class BuildStage {
  readonly service: ResultsService
  /** Paths of stand-ins. */
  readonly cli: string
  readonly rust: string
  readonly #folder: string
  #runs = 0

  constructor(service: ResultsService, cli: string, rust: string, folder: string) {
    this.service = service
    this.cli = cli
    this.rust = rust
    this.#folder = folder
  }

  /** The variables of a job of a run. */
  variables(as: JobChoice = { run: this.newRun() }): Record<string, string | undefined> {
    return { ...this.service.environmentOf(as), PATH: `${this.rust}:/usr/local/bin:/usr/bin:/bin` }
  }

  newRun(): string {
    return `run-${++this.#runs}`
  }

  /** Builds by the action in a job of its own, post step included. */
  async build({ files, inputs = {}, as, env, beforeEnd, ...options }: BuildOptions): Promise<Built> {
    const job = new Job({ dist, ...options, env: { ...this.variables(as), ...env } })
    try {
      writeFiles(job.workspace, files)
      const main = await job.run({ action: 'build-module', inputs: { builder: 'toolchain', ...inputs } })
      const [post] = await job.post()
      if (!post) throw new Error('build-module has no post step')
      await beforeEnd?.(job)
      return { main, post }
    } finally {
      job.end()
    }
  }

  async close(): Promise<void> {
    await this.service.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export async function startBuildStage(): Promise<BuildStage> {
  const folder = mkdtempSync(join(tmpdir(), 'build-stage-'))
  const { 'spacetimedb-cli': cli } = await installPrograms(join(folder, 'spacetimedb'), '2.8.3')
  return new BuildStage(await startResultsService(), cli, installRustToolchain(join(folder, 'rust')), folder)
}

/** A Rust project whose module is a fixture. */
export function rustProject(module: string, more: Files = {}): Files {
  return {
    'Cargo.toml': '[package]\nname = "my-game"\nversion = "0.1.0"\n\n[lib]\ncrate-type = ["cdylib"]\n',
    'Cargo.lock': cargoLock('2.8.3'),
    'src/lib.rs': '// What the stand-in for cargo takes for the module is beside this file.\n',
    'src/module.wasm': fixtureModule(`${module}.wasm`),
    ...more
  }
}

export function cargoLock(bindings: string): string {
  const source = 'source = "registry+https://example.org/index"'
  return `version = 4

[[package]]
name = "my-game"
version = "0.1.0"
dependencies = ["spacetimedb"]

[[package]]
name = "spacetimedb"
version = "${bindings}"
${source}

[[package]]
name = "serde"
version = "1.0.0"
${source}
`
}

export function writeFiles(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}
