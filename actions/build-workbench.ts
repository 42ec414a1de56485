import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { log } from '../src/action/log.ts'
import type { Step } from '../src/action/run.ts'
import type { ActionSpec } from '../src/action/spec.ts'
import { workspaceOf } from '../src/action/workspace.ts'
import type { BuildTools } from '../src/build/build.ts'
import { childEnvironment, runProgram } from '../src/process.ts'

/** What the step works with, and where. */
export type Workbench = BuildTools & {
  /** For what is handed on; later steps find it there. */
  readonly folder: string
}

/** Programs get neither inputs nor the runner's tokens. */
export async function openWorkbench({
  environment,
  cancellation
}: Pick<Step<ActionSpec>, 'environment' | 'cancellation'>): Promise<Workbench> {
  const root = join(environment.RUNNER_TEMP ?? tmpdir(), 'stdb-actions', `build-${randomUUID().slice(0, 8)}`)
  const [folder, scratch] = [join(root, 'modules'), join(root, 'scratch')]
  await Promise.all([folder, scratch].map((each) => mkdir(each, { recursive: true })))
  return {
    run: runProgram,
    environment: childEnvironment(environment),
    workspace: workspaceOf(environment),
    folder,
    scratch,
    say: log,
    signal: cancellation.signal
  }
}
