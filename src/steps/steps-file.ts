import { checkYaml, readYamlBytes, yamlError } from '../checked-yaml.ts'
import { inOneLine } from '../one-line.ts'
import type { Place } from '../yaml-document.ts'
import { stepsSchema, type WrittenCondition, type WrittenStep } from './steps-schema.ts'

/** One step of a file. Times are in milliseconds. */
export type Step = {
  /** Its author's, or made of what it does. */
  readonly name: string
  /** Where it begins in its file. */
  readonly place: Place
  readonly timeout: number
} & Action

export type Action =
  | ({ readonly kind: 'call' } & Call)
  | { readonly kind: 'sql'; readonly statement: string }
  | { readonly kind: 'wait'; readonly until: Condition; readonly every: number }
  | {
      readonly kind: 'repeat'
      readonly call: Call
      readonly until: Condition
      readonly pause: number
      readonly maxCalls: number
    }

export type Call = {
  readonly reducer: string
  /** Integers that a double can't hold are bigints. */
  readonly args: readonly unknown[]
}

/** About the first column of the first row of a `SELECT`. */
export type Condition = {
  readonly select: string
  readonly operator: Operator
  readonly expected: number | bigint | string | boolean | { readonly select: string }
}

export type Operator = 'equals' | 'at-least' | 'at-most'

/** The steps of a file. Throws a `ConfigurationError` when it can't be read or isn't as docs/steps.md says. */
export async function readSteps(path: string): Promise<Step[]> {
  return parseSteps(await readYamlBytes(path, 'file of steps'), path)
}

/** The steps in the contents of a file. Throws a `ConfigurationError` with file, line and column of all that is wrong. */
export function parseSteps(contents: Uint8Array, path: string): Step[] {
  const checked = checkYaml(contents, stepsSchema)
  if (checked.kind === 'invalid') throw yamlError(path, checked.problems)
  return checked.value.steps.map((written, index) => {
    const action = actionOf(written)
    const place = checked.placeOf(['steps', index])
    return { name: written.name ?? nameOf(action), place, timeout: written.timeout, ...action }
  })
}

function actionOf(written: WrittenStep): Action {
  if ('call' in written) return { kind: 'call', reducer: written.call, args: written.args }
  if ('sql' in written) return { kind: 'sql', statement: written.sql }
  if ('wait-for' in written) {
    return { kind: 'wait', until: conditionOf(written['wait-for']), every: written.every }
  }
  const { call, args, until } = written.repeat
  return {
    kind: 'repeat',
    call: { reducer: call, args },
    until: conditionOf(until),
    pause: written.pause,
    maxCalls: written['max-calls']
  }
}

function conditionOf(written: WrittenCondition): Condition {
  const { sql, ...comparison } = written
  const [[operator, expected]] = Object.entries(comparison) as [[Operator, Written]]
  return { select: sql, operator, expected: typeof expected === 'object' ? { select: expected.sql } : expected }
}

type Written = number | bigint | string | boolean | { readonly sql: string }

function nameOf(action: Action): string {
  switch (action.kind) {
    case 'call':
      return `Call ${action.reducer}`
    case 'sql':
      return `Run ${inOneLine(action.statement)}`
    case 'wait':
      return `Wait for ${inOneLine(action.until.select)}`
    case 'repeat':
      return `Repeat ${action.call.reducer}`
  }
}
