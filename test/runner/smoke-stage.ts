import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { reportSchema, type WrittenReport } from '../../src/smoke/report/json.ts'
import { fixtureModule } from '../fixtures.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import { Job, type JobOptions, type RunningStep, type Step, type StepResult } from './runner.ts'
import { dist } from './stage.ts'

export type SmokeOptions = JobOptions & {
  readonly inputs: Readonly<Record<string, string>>
  /** Texts by their paths in the workspace. */
  readonly files?: Readonly<Record<string, string>>
  /** A fixture, to be found as module.wasm. */
  readonly module?: string
  readonly onLine?: (line: Parameters<NonNullable<Step['onLine']>>[0], step: RunningStep) => void
}

/** A smoke test that is over, post step included. */
export type SmokeTested = {
  readonly main: StepResult
  readonly post: StepResult
  /** What the outputs `report` and `junit` named. */
  readonly report: WrittenReport | undefined
  readonly junit: string | undefined
}

/** Runs the built action on the runner, from start to end. */
export async function smokeTest({
  inputs,
  files = {},
  module,
  onLine,
  ...options
}: SmokeOptions): Promise<SmokeTested> {
  const job = new Job({ dist, ...options })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(job.workspace, path)), { recursive: true })
    writeFileSync(join(job.workspace, path), text)
  }
  if (module !== undefined) writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule(`${module}.wasm`))
  try {
    const step = job.start({ action: 'smoke-test', inputs, onLine: (line) => onLine?.(line, step) })
    const main = await step.result
    const { report, junit } = main.outputs
    const read = {
      report: report === undefined ? undefined : reportSchema.parse(JSON.parse(readFileSync(report, 'utf8'))),
      junit: junit === undefined ? undefined : readFileSync(junit, 'utf8')
    }
    const [post] = await job.post()
    if (!post) throw new Error('smoke-test has no post step')
    return { main, post, ...read }
  } finally {
    job.end()
  }
}

/** A machine on which stand-ins for SpacetimeDB's programs are in PATH: nothing has to be downloaded. */
export async function machineWithPrograms(): Promise<{ readonly path: string; remove(): void }> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'programs-')))
  await installPrograms(folder, '2.8.3')
  return {
    path: [folder, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
