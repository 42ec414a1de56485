import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Internet, type InternetOptions, type InternetRule, startInternet } from '../stand-ins/internet.ts'
import { Job, type JobOptions, type StepResult } from './runner.ts'
import { dist } from './stage.ts'
import type { PrintedLine } from './step-process.ts'

/** What GitHub gives to a job as `github.token`. */
export const githubToken = 'ghs_16C7e42F292c6912E7710c838347Ae178B4a'

/** The lock file of a Rust module that is for a version. */
export function cargoProject(version: string, folder = 'spacetimedb'): Readonly<Record<string, string>> {
  return {
    [`${folder}/Cargo.toml`]: '[package]\nname = "game"\n[dependencies]\nspacetimedb = "2"\n',
    [`${folder}/Cargo.lock`]: `[[package]]\nname = "game"\nversion = "0.1.0"\ndependencies = ["spacetimedb"]\n\n[[package]]\nname = "spacetimedb"\nversion = "${version}"\n`
  }
}

export type SetupOptions = JobOptions & {
  readonly inputs?: Readonly<Record<string, string>>
  /** What is in the workspace, by its path. */
  readonly files?: Readonly<Record<string, string>>
  readonly internet?: InternetOptions
  readonly faults?: readonly InternetRule[]
  /** What the job does between the main step and the post step. */
  readonly meanwhile?: (job: Job, main: StepResult, internet: Internet) => Promise<void>
}

/** A job that was set up, and is over. */
export type SetUp = { readonly main: StepResult; readonly post: StepResult; readonly internet: Internet }

/** Runs the built action on the runner, behind a stand-in for the internet, from start to end. */
export async function setUp(options: SetupOptions): Promise<SetUp> {
  const { inputs = {}, files = {}, faults = [], meanwhile, ...jobOptions } = options
  const internet = await startInternet({ tokens: [githubToken], ...options.internet })
  internet.faults.push(...faults)
  const issued: string[] = []
  const job = new Job({
    dist,
    githubToken,
    filesForSecrets: placesOfToken,
    ...jobOptions,
    secrets: () => [githubToken, ...issued, ...(jobOptions.secrets?.() ?? [])],
    env: { ...internet.environment, ...jobOptions.env }
  })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(job.workspace, path)), { recursive: true })
    writeFileSync(join(job.workspace, path), text)
  }
  try {
    // A token that a server gave out is known by nothing but that it is masked.
    const onLine = ({ text }: PrintedLine) =>
      issued.push(...(/^::add-mask::(eyJ[\w-]+\.[\w-]+\.[\w-]+)$/.exec(text)?.slice(1) ?? []))
    const main = await job.run({ action: 'setup-spacetimedb', inputs, onLine })
    if (main.outputs.token !== undefined && !issued.includes(main.outputs.token))
      throw new Error('the token is not masked')
    await meanwhile?.(job, main, internet)
    const [post] = (await job.post()).slice(-1)
    if (!post) throw new Error('setup-spacetimedb has no post step')
    return { main, post, internet }
  } finally {
    // Does nothing when it is done: a server is not left running by a test that fails.
    await job.post()
    job.end()
    await internet.close()
  }
}

/** Where the token of a throw-away server, or the one for a `cli.toml`, is meant to be, and nowhere else. */
export const placesOfToken: readonly RegExp[] = [
  /^commands\/\d+\/output$/,
  /^temp\/stdb-actions\/setup-[0-9a-f]{8}\/cli\.toml$/
]

/** A folder that outlives a job, as the tool cache of a machine does. */
export function lastingFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'lasting-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
