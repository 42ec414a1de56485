import * as z from 'zod'
import { type ActionSpec, allowedValues, defaultText, type InputSpec } from '../../src/action/spec.ts'

/** What workflows rely on: the actions of a version, by name. */
export type Interface = { readonly version: string; readonly actions: Readonly<Record<string, ActionInterface>> }

export type ActionInterface = {
  readonly inputs: Readonly<Record<string, InputInterface>>
  /** By name, all values there are, where the value is one of a few. */
  readonly outputs: Readonly<Record<string, { readonly values?: readonly string[] }>>
  /** By name: `read` or `write`. */
  readonly permissions: Readonly<Record<string, string>>
}

export type InputInterface = {
  readonly required: boolean
  readonly default?: string
  readonly secret: boolean
  /** In words. */
  readonly allowed: string
  /** As JSON Schema, as far as that can say it. */
  readonly schema: JsonSchema
}

type JsonSchema = { readonly enum?: readonly string[]; readonly [keyword: string]: unknown }

/** The inputs, outputs and permissions of actions as they can be kept in a file and compared. */
export function interfaceOf(specs: readonly ActionSpec[], version: string): Interface {
  return { version, actions: Object.fromEntries(specs.map((spec) => [spec.name, actionInterface(spec)])) }
}

function actionInterface(spec: ActionSpec): ActionInterface {
  const inputs = Object.entries<InputSpec>(spec.inputs).map(([name, input]) => [name, inputInterface(input)])
  const outputs = Object.entries(spec.outputs).map(([name, { values }]) => [
    name,
    values ? { values: [...values] } : {}
  ])
  return {
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(outputs),
    permissions: Object.fromEntries(spec.permissions.map(({ name, access }) => [name, access]))
  }
}

function inputInterface(input: InputSpec): InputInterface {
  const {
    $schema: _,
    description: __,
    ...schema
  } = z.toJSONSchema(input.schema, { io: 'input', unrepresentable: 'any' })
  const defaultValue = defaultText(input)
  return {
    required: input.required ?? false,
    ...(defaultValue !== undefined && { default: defaultValue }),
    secret: input.secret ?? false,
    allowed: allowedValues(input) ?? '',
    schema: schema as JsonSchema
  }
}
