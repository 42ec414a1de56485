import { ConfigurationError } from '../errors.ts'
import { type ActionSpec, allowedValues, camelCase, type InputSpec, type Inputs } from './spec.ts'

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The inputs of a step, parsed: the runner hands each over as `INPUT_<NAME>` and checks none of them.
 * An empty text is the same as nothing given, since that is what an expression without a value becomes.
 * Throws one ConfigurationError about all that are wrong.
 */
export function readInputs<S extends ActionSpec>(spec: S, environment: Environment): Inputs<S> {
  const values: Record<string, unknown> = {}
  const complaints: string[] = []
  const invalid = new Set<string>()
  for (const [name, input] of Object.entries(spec.inputs)) {
    const reading = readInput(name, input, environment)
    if (reading.kind === 'valid') values[camelCase(name)] = reading.value
    else {
      complaints.push(reading.complaint)
      invalid.add(name)
    }
  }
  for (const rule of spec.rules ?? []) {
    const answerable = !rule.about.some((name) => invalid.has(name))
    if (answerable && !rule.holds(values as never)) complaints.push(rule.message)
  }
  if (complaints.length > 0) throw new ConfigurationError(inOneMessage(complaints))
  return values as Inputs<S>
}

/** The text that was given for an input, trimmed; `undefined` when there is none. */
export function givenText(name: string, environment: Environment): string | undefined {
  return environment[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`]?.trim() || undefined
}

type Reading =
  | { readonly kind: 'valid'; readonly value: unknown }
  | { readonly kind: 'invalid'; readonly complaint: string }

function readInput(name: string, input: InputSpec, environment: Environment): Reading {
  const given = givenText(name, environment) ?? input.default
  if (given === undefined) {
    if (!input.required) return { kind: 'valid', value: undefined }
    return { kind: 'invalid', complaint: `Input \`${name}\` is missing: give ${allowedValues(input)} under \`with:\`.` }
  }
  const parsed = input.schema.safeParse(given)
  if (parsed.success) return { kind: 'valid', value: parsed.data }
  return { kind: 'invalid', complaint: complaintOf(name, input, given) }
}

function complaintOf(name: string, input: InputSpec, given: string): string {
  const shown = input.secret ? 'has a wrong form (it is secret and not shown)' : `is \`${shortened(given)}\``
  const wayOut = input.required
    ? 'Correct it under `with:`.'
    : `Correct it under \`with:\`, or leave it out${input.default ? ` for the default \`${input.default}\`` : ''}.`
  return `Input \`${name}\` ${shown}; allowed is ${allowedValues(input)}. ${wayOut}`
}

function shortened(given: string): string {
  const line = given.replace(/\s+/g, ' ')
  return line.length <= 100 ? line : `${line.slice(0, 100)}…`
}

function inOneMessage(complaints: readonly string[]): string {
  const [first = '', ...more] = complaints
  return more.length === 0 ? first : [`${complaints.length} inputs are wrong:`, ...complaints].join('\n- ')
}
