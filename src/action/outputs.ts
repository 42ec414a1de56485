import * as core from '@actions/core'
import { isOnRunner } from './runner.ts'
import { type ActionSpec, camelCase, type Outputs } from './spec.ts'

/** Sets outputs of a step; those that are `undefined` are left as they are. May be called more than once. */
export function setOutputs<S extends ActionSpec>(spec: S, outputs: Outputs<S>): void {
  const values: Readonly<Record<string, string | undefined>> = outputs
  for (const name of Object.keys(spec.outputs)) {
    const value = values[camelCase(name)]
    if (value !== undefined) setOutput(name, value)
  }
}

/** Sets what the outputs are from the start. */
export function setFirstOutputs({ firstOutputs }: ActionSpec): void {
  for (const [name, value] of Object.entries(firstOutputs ?? {})) setOutput(name, value)
}

/** Into the file that `GITHUB_OUTPUT` names, which may be given elsewhere than on a runner, too; without one they are not kept. */
function setOutput(name: string, value: string): void {
  if (isOnRunner() || process.env.GITHUB_OUTPUT) core.setOutput(name, value)
}
