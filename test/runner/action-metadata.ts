import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** What the runner needs of an `action.yml`. Paths are absolute. */
export type ActionMetadata = {
  readonly main: string
  readonly post: string | undefined
  /** By name as written; inputs without a default have ''. */
  readonly inputDefaults: Readonly<Record<string, string>>
  readonly outputs: readonly string[]
}

type ActionYaml = {
  inputs?: Record<string, { default?: unknown } | null>
  outputs?: Record<string, unknown>
  runs: { using: string; main: string; post?: string }
}

/** Reads the `action.yml` of a folder. Throws when it is no action for Node. */
export function readAction(folder: string): ActionMetadata {
  const { inputs = {}, outputs = {}, runs } = parse(readFileSync(join(folder, 'action.yml'), 'utf8')) as ActionYaml
  if (!/^node\d+$/.test(runs.using)) throw new Error(`${folder}: this runner runs no "${runs.using}" actions`)
  return {
    main: join(folder, runs.main),
    post: runs.post === undefined ? undefined : join(folder, runs.post),
    inputDefaults: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, textOf(input?.default)])),
    outputs: Object.keys(outputs)
  }
}

/**
 * The variables in which inputs reach an action: `INPUT_`, the name in upper case, spaces as `_`, dashes as they are.
 * Throws on an input that the action does not declare; the real runner only warns.
 */
export function inputVariables(
  { inputDefaults }: ActionMetadata,
  inputs: Readonly<Record<string, string>>
): Record<string, string> {
  const unknown = Object.keys(inputs).filter((name) => !(name in inputDefaults))
  if (unknown.length > 0) throw new Error(`the action has no input ${unknown.join(', ')}`)
  const given = { ...inputDefaults, ...inputs }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [variableOf(name), value]))
}

/**
 * Variables with the expressions in them evaluated, as the runner does it with defaults of inputs before each phase of
 * a step. Only whole values that name one context are known here; throws on any other.
 */
export function evaluated(
  variables: Readonly<Record<string, string | undefined>>,
  contexts: Readonly<Record<string, string>>
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => {
      const expression = /^\$\{\{\s*(.*?)\s*\}\}$/s.exec(value ?? '')?.[1]
      if (expression === undefined) return [name, value]
      if (!(expression in contexts)) throw new Error(`${name}: this runner does not know ${expression}`)
      return [name, contexts[expression]]
    })
  )
}

function variableOf(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
