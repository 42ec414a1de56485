import * as core from '@actions/core'
import { type ActionSpec, camelCase, type Outputs } from './spec.ts'

/** Sets outputs of a step; those that are `undefined` are left as they are. May be called more than once. */
export function setOutputs<S extends ActionSpec>(spec: S, outputs: Outputs<S>): void {
  const values: Readonly<Record<string, string | undefined>> = outputs
  for (const name of Object.keys(spec.outputs)) {
    const value = values[camelCase(name)]
    if (value !== undefined) core.setOutput(name, value)
  }
}

/** Sets what the outputs are from the start. */
export function setFirstOutputs({ firstOutputs }: ActionSpec): void {
  for (const [name, value] of Object.entries(firstOutputs ?? {})) core.setOutput(name, value)
}
